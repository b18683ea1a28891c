"""Reading a suite's document: every case complete with the suite's defaults and derived variables."""

from cuelight_server.evaluation.model import Case, Category, Json, Suite
from cuelight_server.kernel.cases import whole_input
from cuelight_server.kernel.errors import Invalid
from cuelight_server.kernel.judges import is_judge


def read_suite(name: str, digest: str, document: Json) -> Suite:
    """A suite out of the document of `suites/<name>.yaml`, its schemas inlined. Invalid where an id stands twice."""
    ids = [one["id"] for one in document["cases"]]
    twice = next((one for one in ids if ids.count(one) > 1), None) if len(set(ids)) < len(ids) else None
    if twice is not None:
        raise Invalid(f"the case {twice} stands twice in the suite {name}", "give every case an id of its own")
    schema = document.get("schema")
    judge = document.get("judge")
    return Suite(
        name=name,
        digest=digest,
        cases=tuple(_case(one, document) for one in document["cases"]),
        graders=tuple(_with_judge(rule, judge) for rule in document.get("graders", [])),
        schema=schema if isinstance(schema, dict) else None,
        expected_failures=_expected(document.get("expected_failures", [])),
        labels=tuple(document.get("labels", [])),
    )


def _case(one: Json, document: Json) -> Case:
    return Case(
        id=one["id"],
        category=Category(one["category"]),
        title=one["title"],
        input=whole_input(one, document),
        tags=tuple(one.get("tags", [])),
        label=one.get("label"),
        graders=tuple(_with_judge(rule, document.get("judge")) for rule in one.get("graders", [])),
        threshold=one.get("threshold"),
        cluster=one.get("cluster", ""),
    )


def _with_judge(rule: Json, judge: Json | None) -> Json:
    """The rule with the suite's judge, where it asks one and names none; also for those inside a set."""
    if judge is None:
        return rule
    inner = (
        {"assert": [_with_judge(one, judge) for one in rule["assert"]]} if isinstance(rule.get("assert"), list) else {}
    )
    own = {"judge": {**judge, **rule.get("judge", {})}} if is_judge(rule["type"]) else {}
    return {**rule, **inner, **own}


def _expected(rows: list[Json]) -> dict[str, dict[str, str]]:
    made: dict[str, dict[str, str]] = {}
    for row in rows:
        for version in row["versions"]:
            made.setdefault(version, {})[row["case"]] = row["reason"]
    return made
