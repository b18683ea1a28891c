"""The two kinds of line on a checklist; pure."""

from cuelight_server.releases.model import Item


def yes(id: str, words: str) -> Item:
    """What holds."""
    return Item(id, ok=True, words=words)


def no(id: str, words: str, who: tuple[str, ...]) -> Item:
    """What stands in the way, and who can provide it."""
    return Item(id, ok=False, words=words, who=who)
