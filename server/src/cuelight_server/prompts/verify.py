"""Whether every stored version still is what was minted; what is not is named."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cuelight.contract.canonical import digest, digest_bytes
from cuelight.contract.errors import Invalid
from cuelight_server.prompts.model import Tampered, Version

Minted = Mapping[tuple[str, str], Mapping[str, Any]]  # (prompt, label) -> facts of its audit line


def facts_of(version: Version) -> dict[str, str]:
    """What the audit line of a minted version says about it."""
    note = digest_bytes(version.release_note.encode("utf-8", "surrogatepass"))
    return {"digest": version.digest, "author": version.author, "note_digest": note}


def verify_versions(rows: Iterable[Version], minted: Minted | None = None) -> list[Tampered]:
    """Everything that is wrong with the stored versions.

    The content must give its digest; where the audit lines are given, digest, author and release note must be those
    that were minted, each version must have a line, and each line its version.
    """
    found, seen = list[Tampered](), set[tuple[str, str]]()
    for version in rows:
        seen.add((version.prompt, version.label))
        words = [*_content(version), *(_line(version, minted) if minted is not None else ())]
        found.extend(Tampered(version.prompt, version.label, one) for one in words)
    for prompt, label in sorted(set(minted or ()) - seen):
        found.append(Tampered(prompt, label, "was minted and is gone"))
    return found


def _content(version: Version) -> Iterator[str]:
    try:
        now = digest(dict(version.content))
    except Invalid as bad:
        yield f"the content is no JSON value any more: {bad.message}"
        return
    if now != version.digest:
        yield f"the content was changed: it gives {now}, minted was {version.digest}"


def _line(version: Version, minted: Minted) -> Iterator[str]:
    line = minted.get((version.prompt, version.label))
    if line is None:
        yield "was never minted: no audit line tells of it"
        return
    words = {"digest": "the digest", "author": "the author", "note_digest": "the release note"}
    for key, value in facts_of(version).items():
        if line.get(key) != value:
            yield f"{words[key]} is not the one that was minted"
