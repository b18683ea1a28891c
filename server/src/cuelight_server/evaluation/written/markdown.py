"""A report as Markdown, for a pull request: the verdict and why, what got worse first, and the figures."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from cuelight_server.evaluation.written.six import Answer, six

Json = Mapping[str, Any]

_VERDICTS = {"pass": "🟢 **Passed**", "fail": "🟥 **Failed**", "inconclusive": "🟡 **Not clear**"}
_ANSWERS = {
    Answer.GOOD: "🟢 good",
    Answer.BAD: "🟥 not good",
    Answer.UNKNOWN: "🟡 not known",
    Answer.NOT_ASKED: "○ not asked",
}
_FIGURES = (("pass rate", "pass_rate", "%"), ("cost a case", "cost_per_case_usd", "$"), ("p95", "p95_ms", "ms"))
_SHOWN, _WORDS = 20, 240  # rows of one list; characters of one cell
_LIVE = re.compile(r"([\\`*_{}\[\]|#!~@])")


def markdown(report: Json) -> str:
    """The report in GitHub's Markdown.

    Text from models and files is shown and never interpreted: nothing in it links, mentions or embeds.
    """
    return "\n".join(_lines(report)).rstrip() + "\n"


def _lines(report: Json) -> Iterator[str]:
    baseline = report.get("baseline")
    against = f" against {_text(baseline['version'])}" if baseline else ", with nothing to compare with"
    yield f"### {_VERDICTS.get(report['verdict'], report['verdict'])}: {_text(report['prompt'])} {_text(report['version'])}{against}"
    yield ""
    yield from (f"- {_text(one)}" for one in report.get("why") or ())
    if report.get("local"):
        yield "- This run was local: it satisfies no gate."
    if report.get("recorded"):
        yield "- Recorded outputs: no model was asked."
    yield from _worse(report)
    yield from ["", "| Question | Answer | |", "|---|---|---|"]
    yield from (f"| {one.name} | {_ANSWERS[one.answer]} | {_text(one.words)} |" for one in six(report))
    yield from _better(report)
    yield from _figures(report)
    yield from _coverage(report)
    yield from _made(report)


def _worse(report: Json) -> Iterator[str]:
    rows = {row["id"]: row for row in report.get("case_table") or ()}
    newly = [rows[one] for one in report.get("newly_failing") or () if one in rows]
    other = [row for row in rows.values() if row["state"] == "failing"]
    open_ = [row for row in rows.values() if row["state"] == "undecided"]
    loose = [row for row in rows.values() if row["state"] == "unstable"]
    mixed = [one for one in report.get("unstable") or () if one not in {row["id"] for row in loose}]
    for title, found in (
        ("Newly failing", newly),
        ("Unstable, neither failed nor passed", loose),
        ("Failing before and now", other),
        ("Nobody can say", open_),
    ):
        yield from _cases(title, found)
    if mixed:
        yield from ["", f"**Not the same in every sample** ({len(mixed)}): {_names(mixed)}"]
    shown = (report.get("statistics") or {}).get("words") or ()
    if shown:
        yield from ["", "**What the samples show**", "", *(f"- {_text(one)}" for one in shown)]


def _cases(title: str, rows: Sequence[Json]) -> Iterator[str]:
    if not rows:
        return
    yield from ["", f"**{title}** ({len(rows)})", "", "| Case | Category | What is wrong |", "|---|---|---|"]
    for row in rows[:_SHOWN]:
        words = "; ".join(f"{one['name']}: {one.get('message', '')}" for one in row.get("failed") or ())
        category = row["category"].replace("_", " ")
        yield f"| {_text(row['id'])} {_text(row['title'])} | {category} | {_text(words)} |"
    if len(rows) > _SHOWN:
        yield f"| and {len(rows) - _SHOWN} more | | |"


def _better(report: Json) -> Iterator[str]:
    if report.get("fixed"):
        yield from ["", f"**Fixed** ({len(report['fixed'])}): {_names(report['fixed'])}"]
    for one in report.get("expected_failures") or ():
        state = "passes now" if one.get("passed") else "expected failure"
        yield from ["", f"**{_text(one['case'])}**, {state}: {_text(one.get('reason', ''))}"]


def _figures(report: Json) -> Iterator[str]:
    baseline = report.get("baseline") or {}
    before = _text(baseline.get("version", "nothing to compare with"))
    yield from ["", f"| | {_text(report['version'])} | {before} |", "|---|---:|---:|"]
    for name, key, unit in _FIGURES:
        yield f"| {name} | {_figure(report.get(key), unit, 'not known')} | {_figure(baseline.get(key), unit, '–')} |"


def _figure(value: float | None, unit: str, unknown: str) -> str:
    if value is None:
        return unknown
    return {"%": f"{value * 100:.1f} %", "$": f"${value:g}"}.get(unit, f"{value:g} {unit}")


def _coverage(report: Json) -> Iterator[str]:
    rows = report.get("categories") or ()
    if rows:
        yield from [
            "",
            "<details><summary>By category</summary>",
            "",
            "| Category | Passed | Floor |",
            "|---|---:|---:|",
        ]
        for row in rows:
            floor = "–" if row.get("floor") is None else f"{row['floor'] * 100:g} %"
            yield f"| {row['category'].replace('_', ' ')} | {row['passed']} of {row['cases']} | {floor} |"
        yield from ["", "</details>"]


def _made(report: Json) -> Iterator[str]:
    suite = report.get("suite") or {}
    models = ", ".join(report.get("models") or ()) or "not known"
    said = [
        f"{report.get('cases') or 0} cases × {report.get('samples') or 0} samples",
        f"suite {suite.get('name', '')} `{str(suite.get('digest', ''))[:19]}`",
        f"content `{str(report.get('digest', ''))[:19]}`",
        f"models {_text(models)}",
        f"made {report.get('at', '')} by Cuelight {report.get('tool_version', '')}",
    ]
    yield from ["", f"<sub>{'; '.join(said)}</sub>"]


def _names(names: Iterable[Any]) -> str:
    found = [str(one.get("case", one)) if isinstance(one, Mapping) else str(one) for one in names]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(map(_text, found[:_SHOWN])) + more


def _text(words: Any) -> str:
    """Words for a cell: one line, cut, and nothing in it live."""
    flat = " ".join(str(words).split())
    cut = flat if len(flat) <= _WORDS else flat[: _WORDS - 1] + "…"
    return _LIVE.sub(r"\\\1", escape(cut, quote=False)).replace("://", ":\u200b//").replace("\\@", "@\u200b")
