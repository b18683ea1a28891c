"""An evaluation report as a person reads it: the verdict, why, what broke, and what to do next."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from cuelight.cli.certainty import show_certainty
from cuelight.cli.show import VERDICTS, Span, counted, heading, light, money, say, table

Report = Mapping[str, Any]
_MESSAGES = 3
_PASSED = ("passing", "fixed")
_UNSTABLE = "unstable"


def show_report(report: Report, *, command: str = "") -> None:
    """The whole report; `command` is how the same cases are tried one by one."""
    if report.get("error"):
        say(
            ("○ ERROR", "bold yellow"),
            f"  {report['prompt']} {report['version']}: the run could not be done, so there is no verdict",
        )
        return
    _verdict(report)
    _failing(report)
    _others(report)
    _judges(report)
    _figures(report)
    show_certainty(report)
    _notes(report)
    _next(report, command)


def _verdict(report: Report) -> None:
    verdict = report["verdict"]
    sign, style = light(VERDICTS.get(verdict, "standby"))
    baseline = report.get("baseline")
    stands_in = baseline is not None and any("stands in for production" in note for note in report.get("notes") or ())
    against = (
        f"against {baseline['version']}{' (stands in for production)' * stands_in}"
        if baseline
        else "without a baseline"
    )
    samples = report.get("samples") or 1
    runs = counted(report.get("cases") or 0, "case") + (f" × {samples} samples" if samples > 1 else "")
    say((f"{sign} {verdict.upper()}", f"bold {style}"), f"  {report['prompt']} {report['version']} {against}, {runs}")
    for reason in report.get("why") or ():
        say(f"- {reason}", indent=2)


def _failing(report: Report) -> None:
    newly = report.get("newly_failing") or []
    places = {row["category"]: at for at, row in enumerate(report.get("categories") or ())}
    rows = {row["id"]: row for row in report.get("case_table") or ()}
    failing = [row for row in rows.values() if row["id"] in newly]
    if newly:
        heading(f"Newly failing ({len(newly)})")
        _by_category(failing, places)
    excused = {_case(one) for one in report.get("expected_failures") or ()}
    left = [row for row in rows.values() if row.get("failed") and row["id"] not in newly and row["id"] not in excused]
    loose = [row for row in left if row.get("state") == _UNSTABLE]
    other = [row for row in left if row.get("state") not in (*_PASSED, _UNSTABLE)]
    if other:
        heading(f"{'Also failing' if newly else 'Failing'} ({len(other)})")
        _by_category(other, places)
    if loose:
        heading(f"Unstable, neither failed nor passed ({len(loose)})")
        _by_category(loose, places)
    passed = [row for row in left if row.get("state") in _PASSED]
    if passed:
        heading(f"Passing, with findings ({len(passed)})")
        _by_category(passed, places)


def _by_category(rows: Sequence[Report], places: Mapping[str, int]) -> None:
    rows = sorted(rows, key=lambda row: (places.get(row["category"], len(places)), row["id"]))
    for category, members in groupby(rows, key=lambda row: row["category"]):
        say((category.replace("_", " "), "bold"), indent=2)
        for row in members:
            say(f"{row['id']}  {row['title']}{_though(row)}", indent=4)
            for grader in (row.get("failed") or ())[:_MESSAGES]:
                say(("■ ", "red"), f"{grader['name']} ({grader['severity']}): {grader.get('message', '')}", indent=6)
            rest = len(row.get("failed") or ()) - _MESSAGES
            if rest > 0:
                say(f"and {rest} more", indent=6)


def _though(row: Report) -> str:
    """Why a case that does not simply fail stands here at all."""
    if row.get("state") not in (*_PASSED, _UNSTABLE):
        return ""
    if any(grader["severity"] != "minor" for grader in row.get("failed") or ()):
        return f" ({row['sound_samples']} of {row['samples']} samples)"
    return " (minor findings)"


def _blocked(report: Report) -> str:
    """In how many cases a blocker failed, and how many the gate allows."""
    cases, most = report.get("blocked_cases"), report.get("blocked_cases_max")
    return "" if cases is None or most is None else f" (in {cases} case{'' if cases == 1 else 's'}, at most {most})"


def _others(report: Report) -> None:
    say() if any(
        report.get(key) for key in ("blockers", "fixed", "expected_failures", "undecided", "unstable")
    ) else None
    if report.get("blockers"):
        say(("Blockers: ", "bold"), ", ".join(report["blockers"]), _blocked(report))
    if report.get("fixed"):
        say(("Fixed: ", "bold"), ", ".join(report["fixed"]))
    for one in report.get("expected_failures") or ():
        reason = one.get("reason", "") if isinstance(one, Mapping) else ""
        say(("Expected failure: ", "bold"), f"{_case(one)}{f' ({reason})' if reason else ''}")
    for one in report.get("undecided") or ():
        say(("Undecided: ", "bold"), f"{_case(one)} ({one['why']})")
    if report.get("unstable"):
        say(("Unstable: ", "bold"), ", ".join(_case(one) for one in report["unstable"]))


def _case(one: Any) -> str:
    return str(one.get("case", one.get("id", one))) if isinstance(one, Mapping) else str(one)


def _judges(report: Report) -> None:
    """How far each model judge can be leaned on; the rest is told by `cuelight judge check`."""
    for one in report.get("judges") or ():
        words = one["pairs"]["words"] if "pairs" in one else one["agreement"]["words"]
        say(("Judge: ", "bold"), f"{one['grader']} ({one['provider']}:{one['model']}): {words}")


def _figures(report: Report) -> None:
    """Candidate beside baseline; what is not known is called unknown, never 0."""
    baseline = report.get("baseline") or {}
    rows: list[Sequence[Span]] = [
        ("pass rate", _number(report.get("pass_rate"), ".3f"), _number(baseline.get("pass_rate"), ".3f"), ""),
        (
            "cost per case",
            money(report.get("cost_per_case_usd")),
            money(baseline.get("cost_per_case_usd")),
            _delta(report.get("cost_delta_pct")),
        ),
        _compared("p95 latency", report, baseline, "p95_ms", "p95_delta_pct", (",.0f", "", " ms")),
    ]
    say()
    if baseline:
        same = baseline["version"] == report["version"]
        table(("", report["version"], "itself" if same else baseline["version"], "change"), rows, right=(1, 2, 3))
    else:
        table(("", report["version"]), [row[:2] for row in rows], right=(1,))


def _compared(
    name: str, report: Report, baseline: Report, key: str, delta: str, form: tuple[str, str, str]
) -> Sequence[Span]:
    return (name, _number(report.get(key), *form), _number(baseline.get(key), *form), _delta(report.get(delta)))


def _number(value: float | None, form: str, before: str = "", after: str = "") -> str:
    return "unknown" if value is None else f"{before}{value:{form}}{after}"


def _delta(pct: float | None) -> str:
    return "unknown" if pct is None else f"{pct:+.1f}%"


def _notes(report: Report) -> None:
    said = (report.get("statistics") or {}).get("words", ())
    notes = [note for note in report.get("notes") or () if note not in said]
    if report.get("local") and not any(note.startswith("local") for note in notes):
        notes.append("local: a run on this machine releases nothing; only a run on the desk does")
    if notes:
        heading("Notes")
    for note in notes:
        say(f"- {note}", indent=2)


def _next(report: Report, command: str) -> None:
    verdict = report["verdict"]
    newly = report.get("newly_failing") or []
    if verdict == "pass":
        step = (
            "push it and run it on the desk"
            if report.get("local")
            else f"cuelight approve {report['prompt']}@{report['version']} --to production"
        )
    elif newly and command:
        step = f"{command} --case {newly[0]}"
    elif verdict == "inconclusive":
        step = "the reasons above say what is not known; a run with that evidence decides"
    else:
        step = "change the prompt and run again"
    say()
    say(("next: ", "bold"), step)
