"""Commands on a folder with a real desk of their own: no server, no key, gone when the command ends."""

import json

import httpx2
import pytest

from cuelight.cli.local import local_desk
from cuelight.contract.errors import Unavailable
from cuelight.files import read_folder

V1 = "prompts/subject_line/v1.yaml"
SUITE = "suites/subject_line.yaml"


@pytest.fixture
def sales(request):
    return request.config.rootpath / "examples/sales"


def edit(folder, name, old, new, to=None):
    text = (folder / name).read_text()
    assert old in text
    (folder / (to or name)).write_text(text.replace(old, new, 1))


def record(folder, label, output, **usage):
    """A recording of every case for the content of a label."""
    bundle = read_folder(folder).bundle
    content = read_folder(folder).digests["subject_line"][label]
    common = {
        "content": content,
        "output": output,
        "model": "example-small-2026-06-01",
        "provenance": "test",
        "latency_ms": 300,
    }
    rows = [{**common, "case": case["id"], **usage} for case in bundle["suites"]["subject_line"]["cases"]]
    (folder / f"recordings/{label}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_local_desk_answers_and_is_gone_afterwards(run):
    with local_desk() as admin:
        assert admin.me()["local"] is True
        url = admin.url
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/healthz", trust_env=False)


def test_a_local_desk_that_does_not_start_says_its_last_line(run, monkeypatch):
    monkeypatch.setenv("CUELIGHT_PORT", "no number")
    with pytest.raises(Unavailable) as refused, local_desk():
        pass
    assert "did not start: " in refused.value.message
    assert "it said nothing" not in refused.value.message


def test_the_examples_are_clean(run, minimal, sales):
    for folder in (minimal, sales):
        answer = run("lint", folder, "--json")
        assert answer.code == 0
        assert [one for one in answer.json["findings"] if one["severity"] == "error"] == []


def test_a_variable_that_is_not_declared_is_found_with_file_and_line(run, minimal):
    edit(minimal, V1, "{{summary}}", "{{sumary}}")
    done = run("lint", minimal)
    assert done.code == 20
    line = next(
        n for n, row in enumerate((minimal / V1).read_text().splitlines(), 1) if row.startswith("  - role: user")
    )
    assert (
        f"{minimal / V1}:{line}: ■ error the text uses sumary, which is not declared [variable_undeclared]" in done.out
    )
    assert "declare sumary under variables" in done.out


def test_lint_lists_rules_and_ignored_facts_when_asked(run, minimal):
    edit(minimal, V1, "release_note:", "status: approved\nrelease_note:")
    done = run("lint", minimal, "--rules")
    assert f"{V1}: status" in done.out
    assert "enforced" in done.out
    assert "(--rules lists them)" not in done.out


def test_eval_passes_with_0_and_json_is_exactly_the_report(run, minimal):
    done = run("eval", minimal)
    assert done.code == 0, done.err
    assert done.out.startswith("● PASS  newsletter.subject_line v1")
    report = run("eval", minimal, "--json")
    assert report.code == 0
    assert (report.json["verdict"], report.json["local"], report.json["recorded"]) == ("pass", True, True)


def test_eval_fails_with_10_and_names_what_broke(run, sales):
    done = run("eval", sales, "--prompt", "lead_qualification", "--version", "v2")
    assert done.code == 10
    assert done.out.startswith("■ FAIL  sales.lead_qualification v2 against v1 (stands in for production), 29 cases")
    assert "  - 5 blocker graders failing" in done.out
    assert "Newly failing (10)" in done.out
    assert "Q17  Competitor domain, new employer" in done.out
    said = " ".join(done.out.split())
    assert said.count("no model was asked, so this is no evidence about a model") == 1
    assert "simulations" not in said


def test_eval_is_inconclusive_with_11_where_the_cost_is_not_known(run, minimal):
    edit(
        minimal,
        V1,
        "newly_failing_max: 0",
        "newly_failing_max: 0\n    cost:\n      mean_max_usd: 0.01",
        to="prompts/subject_line/v2.yaml",
    )
    (minimal / "prices.yaml").unlink()
    record(minimal, "v2", '{"subject": "News about bicycles and letterpress"}', input_tokens=10, output_tokens=5)
    done = run("eval", minimal, "--json")
    assert (done.code, done.json["verdict"], done.json["cost_per_case_usd"]) == (11, "inconclusive", None), done.json[
        "why"
    ]


def test_eval_without_a_recording_is_an_error_that_says_how_to_get_one(run, minimal):
    edit(minimal, V1, "Plain, friendly", "Plain and friendly", to="prompts/subject_line/shorter.yaml")
    done = run("eval", minimal, "--version", "shorter")
    assert done.code == 20
    assert done.out.startswith("○ ERROR  newsletter.subject_line shorter")
    assert "there is no recorded output for case S01" in done.err
    assert "cuelight digest" in done.err
    assert "--provider openai" in done.err


def test_eval_with_another_baseline_compares_with_that(run, sales):
    done = run("eval", sales, "--prompt", "research_summary", "--version", "v3", "--baseline", "v2", "--json")
    assert done.json["baseline"]["version"] == "v2"


def test_try_shows_outputs_and_no_verdict(run, minimal):
    done = run("try", minimal, "--case", "S07", "--case", "S02")
    assert done.code == 0
    assert done.out.index("S07  a word of the trade") < done.out.index("S02  almost nothing to say")
    assert '{"subject": "How letterpress printing came back"}' in done.out
    assert "PASS" not in done.out
    assert "no verdict, nothing counts as evidence; nothing is kept" in done.out


def test_try_takes_the_first_three_cases_where_none_is_named(run, minimal):
    answer = run("try", minimal, "--json").json
    assert [one["case"] for one in answer["tries"][0]["examples"]] == ["S01", "S02", "S03"]
    assert answer["tries"][0]["recorded"] is True
    assert answer["kept"] is False


def test_try_shows_two_labels_side_by_side(run, sales):
    done = run("try", sales, "--prompt", "lead_qualification", "--version", "v1", "--against", "v2", "--case", "Q17")
    assert done.code == 0
    assert done.out.index("v1\n") < done.out.index("v2\n")
    assert done.out.count("cost unknown") + done.out.count("$") == 2


def test_try_takes_an_input_of_ones_own_and_says_what_no_recording_holds(run, minimal, tmp_path):
    (tmp_path / "own.json").write_text('{"topic": "bells"}')
    done = run("try", minimal, "--input", tmp_path / "own.json", "--set", "topic=whistles")
    assert done.code == 0
    assert "own-1" in done.out
    assert "■" in done.out


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        (["--set", "topic"], 20, "expected NAME=VALUE"),
        (["--input", "nowhere.json"], 21, "cannot be read"),
        (["--input", "bad.json"], 20, "is no JSON"),
        (["--input", "list.json"], 20, "no JSON object"),
    ],
)
def test_try_refuses_what_is_no_input(run, minimal, tmp_path, monkeypatch, how, code, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "list.json").write_text("[1]")
    done = run("try", minimal, *how)
    assert (done.code, words in done.err) == (code, True), done.err


def test_try_shows_what_fails_and_still_ends_with_0(run, sales):
    done = run("try", sales, "--prompt", "lead_qualification", "--version", "v2", "--case", "Q17")
    assert done.code == 0
    assert "■ buyer_never_discarded (blocker): " in done.out


def test_diff_of_two_files_names_the_class_of_change(run, minimal):
    edit(minimal, V1, "Plain, friendly words", "Plain, short words", to="prompts/subject_line/shorter.yaml")
    done = run("diff", minimal, "--from", "v1", "--to", "shorter")
    assert done.code == 0
    assert done.out.startswith("newsletter.subject_line  v1 → shorter\nclass of change: wording")
    assert "[-friendly-]{+short+}" in done.out


def test_what_the_desk_refuses_of_a_whole_folder_is_said(run, minimal):
    edit(minimal, SUITE, "    category: edge", "    category: edgy")
    done = run("eval", minimal)
    assert done.code == 20
    assert f"{minimal / SUITE}:" in done.err
