"""Requests that must not be done twice: the header by which a caller says that this is the same request again."""

from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from cuelight.contract.canonical import digest
from cuelight_server.access.model import Once

Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=80, pattern=r"^[!-~]+$")]


def once(key: str | None, what: str, asked: BaseModel) -> Once | None:
    """The caller's key with the digest of what is asked; None where the caller gave no key."""
    return Once(key, digest({"what": what, "asked": asked.model_dump(mode="json")})) if key else None
