"""A library on a demo desk with two versions and their recordings, and people who read blind."""

from typing import Any

from cuelight_server.control import releases
from cuelight_server.control.access import add_actor
from cuelight_server.control.desk import Desk
from cuelight_server.control.evaluation import run_pending, start
from cuelight_server.control.push import push
from cuelight_server.control.reviews import answer, look, open_review, sign
from cuelight_server.db.operational import operational
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.prompts.bundle import checked
from cuelight_server.reviews import store
from cuelight_server.reviews.model import Better, Live, Review
from cuelight_server.views import evaluation as view
from server.tests.folders import edited, folder, prompt, recording, suite
from server.tests.governed import ANA, ANN, BEN, CHI, CY, DEE, ELI, STRANGER, rules
from server.tests.releasing import who

PROMPT = "library.answer"
BEA = "bea.backup"  # the other domain expert
ASKED = {"roles": ["domain_expert"], "min_cases": 3}
GATE = {"min_pass_rate": 0.5, "newly_failing_max": 10, "blocker_failures_max": 10}


def house() -> dict[str, Any]:
    """The workflow document, with a backup for the domain expert."""
    made = rules()
    made["owners"]["domain_expert"]["backup"] = BEA
    made["people"] += [{"id": BEA, "name": "Bea Backup"}]
    return made


def bundle(
    gate: dict[str, Any] | None = None, changed: tuple[str, ...] = ("L04", "L07"), **more: Any
) -> dict[str, Any]:
    """v1 and v2 with a recording for each case; `changed` are the cases of which v2 says something else."""
    evaluation = {"suite": "answer", "gate": {**GATE, **({"human_review": ASKED} if gate is None else gate)}}
    first = prompt(evaluation=evaluation)
    second = edited(prompt(evaluation=evaluation), "messages", 0, "parts", 1, "text", to="Answer in one sentence.\n")
    second["release_note"] = "Shorter."
    made = folder(labels={"v1": first, "v2": second}, workflow=house(), **more)
    digests = {label: item.content.digest for label, item in checked(made).prompts["answer"].items()}
    for case in [one["id"] for one in suite()["cases"]]:
        for label, content in digests.items():
            words = f"{label if label == 'v2' and case in changed else 'v1'} on {case}"
            made["recordings"].append(recording(content, case, f'{{"answer": "{words}"}}'))
    return made


def library(desk: Desk, live: bool = True, **how: Any) -> dict[str, str]:
    """Everybody has an account, both versions are evaluated; label -> id of the newest report. With `live` v1 serves."""
    for one in (ANA, BEN, CHI, DEE, ELI, ANN, CY, BEA, STRANGER):
        add_actor(desk, SYSTEM, one, one.replace(".", " ").title())
    add_actor(desk, SYSTEM, "root.admin", "Root", admin=True)
    made = bundle(**how)
    push(desk, who(desk, ANA), folder(workflow=house(), labels={}, suites=made["suites"]))
    push(desk, who(desk, CY), made)
    found = {"v1": evaluated(desk, "v1")}
    if live:
        if "human_review" in made["prompts"]["answer"]["v1"]["evaluation"]["gate"]:
            read_all(desk, who(desk, BEN), asked(desk, found["v1"]).id)
        approved(desk, "v1")
        releases.release(desk, who(desk, CHI), PROMPT, "v1")
    found["v2"] = evaluated(desk, "v2")
    return found


def evaluated(desk: Desk, label: str) -> str:
    """The id of a new report."""
    id = start(desk, who(desk, CHI), PROMPT, label, "recorded")
    assert run_pending(desk, {})
    return id


def approved(desk: Desk, label: str) -> None:
    """Everybody who is asked says yes."""
    releases.approve(desk, who(desk, ANA), PROMPT, label, role="workflow_owner")
    releases.approve(desk, who(desk, CHI), PROMPT, label, role="engineering_owner")


def asked(desk: Desk, evaluation: str, role: str = "domain_expert", **how: Any) -> Review:
    """A review of this report."""
    return open_review(desk, who(desk, CHI), evaluation, role, **how)


def read_all(
    desk: Desk, reader: Actor, id: str, better: str = "both", live: str = "", but: tuple[int, ...] = ()
) -> None:
    """The reader opens, answers and signs everything; `but` are numbers that they find not acceptable."""
    count = look(desk, reader, id, 1).of
    for number in range(1, count + 1):
        look(desk, reader, id, number)
        answer(desk, reader, id, number, "neither" if number in but else better, "" if number in but else live)
    sign(desk, reader, id)


def read_what_is_asked(desk: Desk, prompt: str, label: str) -> None:
    """Each blind review that the checklist misses, by the first holder of its role who could."""
    newest = next(one for one in view.listing(desk, prompt).items if one.label == label and one.verdict == "pass")
    for one in releases.check(desk, prompt, label).items:
        if one.id.startswith("human_review:") and not one.ok:
            reader = who(desk, one.who[0].rpartition("(")[2].rstrip(")"))
            made = open_review(desk, reader, newest.id, one.id.partition(":")[2])
            with operational(desk.registry) as sql:  # all at once: what is operational may be, and a test has no time
                for each in made.cases:
                    store.opened(sql, made.id, reader.id, each.case, made.created_at)
                    store.answer(sql, made.id, reader.id, each.case, Better.BOTH, Live.BOTH, "", made.created_at)
            sign(desk, reader, made.id)


def item(desk: Desk, label: str = "v2", id: str = "human_review:domain_expert") -> Any:
    """One line of the checklist; None where there is no such line."""
    return next((one for one in releases.check(desk, PROMPT, label).items if one.id == id), None)
