"""What a key may be used for: words that stand for verbs; a key never does more than its holder may."""

from collections.abc import Collection, Iterable

from cuelight_server.audit.verbs import Verb
from cuelight_server.kernel.errors import Invalid

GROUPS: dict[str, frozenset[Verb]] = {
    "read": frozenset({Verb.DESK_READ}),
    "push": frozenset(
        verb
        for verb in Verb
        if verb.value.partition(".")[0] in {"draft", "suite", "knowledge", "prices", "recording"}
        or verb in (Verb.WORKFLOW_CREATE, Verb.WORKFLOW_PUSH, Verb.GOVERNANCE_PROPOSE, Verb.PROMPT_MINT)
    ),
    "evaluate": frozenset({Verb.EVALUATION_RUN, Verb.EVALUATION_CANCEL, Verb.PROMPT_TRY}),
}
_NOUNS = frozenset(verb.value.partition(".")[0] for verb in Verb)
MOST = 40


def check_scopes(words: Iterable[str]) -> tuple[str, ...]:
    """The words in order, without doubles; Invalid for one that stands for nothing.

    A word is a verb (`release.open`), all verbs of a noun (`release.*`) or a group: read, push, evaluate.
    """
    found = tuple(sorted(set(words)))
    unknown = [one for one in found if not _verbs(one)]
    if unknown or len(found) > MOST:
        raise Invalid(
            f"{unknown[0][:80]!r} is no scope" if unknown else f"more than {MOST} scopes",
            f"give a verb such as release.open, a noun such as release.*, or one of {', '.join(GROUPS)}",
            scopes=unknown[:MOST],
        )
    return found


def covers(scopes: Collection[str] | None, verb: Verb) -> bool:
    """Whether a key with these scopes may be used for the verb; None covers everything."""
    return scopes is None or any(verb in _verbs(one) for one in scopes)


def within(scopes: Collection[str] | None, others: Collection[str] | None) -> bool:
    """Whether a key with `scopes` may do nothing that one with `others` may not."""
    if others is None:
        return True
    return scopes is not None and all(covers(others, verb) for one in scopes for verb in _verbs(one))


def _verbs(word: str) -> frozenset[Verb]:
    if word in GROUPS:
        return GROUPS[word]
    noun, dot, rest = word.partition(".")
    if rest == "*" and noun in _NOUNS:
        return frozenset(verb for verb in Verb if verb.value.partition(".")[0] == noun)
    return frozenset({Verb(word)}) if dot and word in set(Verb) else frozenset()
