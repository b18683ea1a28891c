"""`cuelight try`: a few cases, their outputs and what the graders say; no verdict, no ceremony."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from cuelight.cli.evaluate import drafted, refuse_error
from cuelight.cli.local import local_desk
from cuelight.cli.names import label_in, prompt_in
from cuelight.cli.options import asks, json_option
from cuelight.cli.running import PROVIDERS, Asked
from cuelight.cli.show import heading, money, say, show_json
from cuelight.contract.errors import NotFound
from cuelight.files import Folder, read_folder


@click.command("try")
@click.argument("folder", type=click.Path())
@click.option("--prompt", metavar="P", help="Which prompt; not needed where there is one.")
@click.option("--version", "label", metavar="L", help="Which label; the newest version if left out.")
@click.option(
    "--case", "cases", multiple=True, metavar="ID", help="Which case; may be given again. The first three if left out."
)
@click.option("--provider", type=PROVIDERS, default="recorded", show_default=True, help="Where outputs come from.")
@json_option
@asks("evaluation.run")
def try_command(
    folder: str,
    prompt: str | None,
    label: str | None,
    cases: Sequence[str],
    provider: str,
    as_json: bool,  # noqa: FBT001  click passes flags
) -> None:
    """Run a few cases of the suite and show outputs and findings. No verdict, no ceremony, nothing counts."""
    read = read_folder(folder)
    short = prompt_in(read, prompt)
    label = label_in(read, short, label)
    bundle, chosen = _with_cases(read, short, label, cases)
    trial = Folder(bundle, read.sources, read.digests)
    with local_desk() as admin:
        done = drafted(admin, trial, short, label, Asked(provider, label))
        report = done["report"]
        refuse_error(report)
        outputs = [one for one in admin.results(done["id"])["items"] if one["arm"] == "candidate"]
    rows = [{**row, "outputs": [one for one in outputs if one["case"] == row["id"]]} for row in report["case_table"]]
    rows.sort(key=lambda row: chosen.index(row["id"]))
    if as_json:
        show_json({"prompt": report["prompt"], "version": label, "recorded": report["recorded"], "cases": rows})
        return
    for row in rows:
        _show_case(row)
    say()
    say(("recorded simulations; " if report["recorded"] else "") + "a trial: no verdict, nothing counts")


def _with_cases(folder: Folder, prompt: str, label: str, asked: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The bundle with only the chosen cases in the prompt's suite, so that no other one costs anything."""
    document = folder.bundle["prompts"][prompt][label]
    name = document["evaluation"]["suite"]
    suite = folder.bundle["suites"].get(name)
    if suite is None:
        raise NotFound(f"there is no suite {name}", f"write suites/{name}.yaml")
    known = [case["id"] for case in suite["cases"]]
    unknown = [case for case in asked if case not in known]
    if unknown:
        raise NotFound(f"the suite {name} has no case {unknown[0]}", f"there are: {', '.join(known[:40])}")
    chosen = list(asked) or known[:3]
    kept = {**suite, "cases": [case for case in suite["cases"] if case["id"] in chosen]}
    kept["expected_failures"] = [one for one in suite.get("expected_failures", ()) if one["case"] in chosen]
    return {**folder.bundle, "suites": {**folder.bundle["suites"], name: kept}}, chosen


def _show_case(row: Mapping[str, Any]) -> None:
    heading(f"{row['id']}  {row['title']}")
    say(row["category"].replace("_", " "), indent=2)
    for one in row["outputs"]:
        _show_output(one["document"], one["sample"] if len(row["outputs"]) > 1 else None)
    if not row["failed"]:
        say(("● ", "green"), "every grader passes", indent=2)
    for one in row["failed"]:
        say(("■ ", "red"), f"{one['name']} ({one['severity']}): {one.get('message', '')}", indent=2)


def _show_output(document: Mapping[str, Any], sample: int | None) -> None:
    if sample is not None:
        say(f"sample {sample}", indent=2)
    for line in str(document.get("output") or "").split("\n"):
        say(line, indent=4)
    for call in document.get("tool_calls") or ():
        say(f"calls {call['name']} {call.get('arguments')}", indent=4)
    cost = document.get("cost_usd")
    latency = document.get("latency_ms")
    known = [
        f"{latency:,.0f} ms" if latency is not None else "",
        money(cost) if cost is not None else "cost unknown",
    ]
    say((", ".join(filter(None, [document.get("model") or "", *known])), "dim"), indent=4)
