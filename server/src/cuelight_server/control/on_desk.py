"""What lint must know of the desk beside the folder: versions share a suite, and not all of them lie in the folder."""

from collections.abc import Mapping
from typing import Any

from cuelight_server.db.engine import Connection
from cuelight_server.prompts import store
from cuelight_server.prompts.bundle import Bundle, OnDesk


def on_desk(sql: Connection, folder: Bundle, suites: Mapping[str, Mapping[str, Any]]) -> OnDesk:
    """Labels and digests of the workflow, and the variables of those prompts whose folder does not declare every input."""
    versions, drafts = store.version_digests(sql, folder.name), store.draft_digests(sql, folder.name)
    names = {*versions, *drafts}
    return OnDesk(
        declared={short: store.declared(sql, f"{folder.name}.{short}") for short in _unsure(folder, suites)},
        labels={
            name.partition(".")[2]: frozenset(
                {*(f"v{number}" for number in versions.get(name, ())), *drafts.get(name, ())}
            )
            for name in names
        },
        digests=frozenset(
            digest for shelf in (versions, drafts) for found in shelf.values() for digest in found.values()
        ),
    )


def _unsure(folder: Bundle, suites: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Prompts whose suites give something that no label in the folder declares."""
    found = []
    for short, labels in folder.prompts.items():
        known = {one.name for item in labels.values() for one in item.content.declared}
        named = {item.content.evaluation["suite"] for item in labels.values()}
        given = {name for suite in named & suites.keys() for name in _given(suites[suite])}
        if given - known:
            found.append(short)
    return found


def _given(suite: Mapping[str, Any]) -> set[str]:
    usual = {*suite.get("defaults", {}), *suite.get("derived", {})}
    return usual.union(*(case["input"] for case in suite["cases"]))
