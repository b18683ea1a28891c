"""What an evaluation was measured on: how many cases give knowledge as a release has it."""

from cuelight.contract.knowledge import KnowledgeRelease, Source, index
from cuelight_server.evaluation.knowledge import measured
from cuelight_server.evaluation.model import Case, Category

ITEM = {"ref": "H-1", "text": "nine to five"}
RELEASE = KnowledgeRelease("hours", 2, "sha256:" + "1" * 64, index({"items": [ITEM]}))
DECLARED = [Source("facts", "hours")]


def cases(*values):
    return [
        Case(id=f"C{number}", category=Category.NORMAL, title="x", input={} if value is None else {"facts": value})
        for number, value in enumerate(values)
    ]


def test_cases_that_give_it_word_for_word_are_counted_and_the_others_named():
    (line,) = measured(cases([ITEM], "nine to five", [ITEM, "other"], None), DECLARED, {"hours": RELEASE})
    assert line == {
        "name": "hours",
        "number": 2,
        "digest": RELEASE.digest,
        "cases": 3,
        "as_released": 2,
        "other_cases": ["C2"],
    }


def test_without_the_knowledge_no_case_is_as_released():
    (line,) = measured(cases([ITEM]), DECLARED, {})
    assert (line["number"], line["digest"], line["cases"], line["as_released"]) == (None, None, 1, 0)


def test_a_version_that_names_no_knowledge_has_no_line():
    assert measured(cases([ITEM]), [], {"hours": RELEASE}) == []
