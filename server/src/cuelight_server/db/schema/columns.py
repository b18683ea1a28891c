"""The two stores, and the columns that tables share."""

from sqlalchemy import MetaData, String
from sqlalchemy.types import TypeEngine

registry = MetaData()
calls = MetaData()


def word(length: int) -> TypeEngine[str]:
    """A name, key or time of at most so many characters, in the order of its code points on either database."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


# Times are RFC 3339 text in UTC with microseconds; documents are canonical JSON text.
TIME = word(32)
