"""What stands against a version now: the errors of its own, of its suite and of its workflow as they are at present."""

from dataclasses import dataclass

from cuelight.contract.content import parse
from cuelight_server.control.on_desk import on_desk
from cuelight_server.db.engine import Connection
from cuelight_server.prompts import store
from cuelight_server.prompts.bundle import Bundle, Facts, Item
from cuelight_server.prompts.knowledge import names
from cuelight_server.prompts.lint import lint, standing_in_the_way
from cuelight_server.prompts.model import Draft, Version, Workflow


@dataclass(frozen=True, slots=True)
class Looked:
    """What lint was shown, and the messages of the errors it found."""

    shown: Facts
    errors: tuple[str, ...]


def errors_now(sql: Connection, found: Version | Draft, workflow: Workflow, before: Looked | None = None) -> Looked:
    """The lint errors that concern this version, each message once.

    What was clean when it was minted may not be now: the suite and the workflow move on. Lint takes its time, so a
    look taken `before` the transaction is used again where it was shown exactly what stands now.
    """
    shown = _shown(sql, found, workflow)
    if before is not None and before.shown == shown:
        return before
    short, name = found.prompt.partition(".")[2], str(found.content["evaluation"].get("suite", ""))
    standing = standing_in_the_way(lint(shown), short, found.label, name)
    return Looked(shown, tuple(dict.fromkeys(one.message for one in standing)))


def _shown(sql: Connection, found: Version | Draft, workflow: Workflow) -> Facts:
    content, short = parse(found.content), found.prompt.partition(".")[2]
    note = found.release_note if isinstance(found, Version) else ""
    bundle = Bundle(
        name=workflow.name,
        workflow=dict(workflow.document),
        authority=dict(workflow.authority),
        prompts={short: {found.label: Item(found.content, content, note)}},
        suites={},
        knowledge={},
        prices=None,
        recordings={},
        ignored=[],
    )
    suites = {one.name: one.document for one in store.suites(sql, workflow.name)}
    name = content.evaluation["suite"]
    asked = {name: suites[name]} if name in suites else {}
    stored = [store.knowledge(sql, workflow.name, name) for name in names(content)]
    known = {one.name: one.document for one in stored if one is not None}
    return Facts(bundle, asked, knowledge=known, desk=on_desk(sql, bundle, asked))
