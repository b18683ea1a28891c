"""People and keys over HTTP: who is here, letting them in and out, and what opens what."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.access.keys import MOST_DAYS
from cuelight_server.api.auth import Caller, DeskDep, Limit, verb
from cuelight_server.audit.scopes import MOST
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import access, invitations, persons
from cuelight_server.kernel.page import DEFAULT_SIZE
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.views import people as view

router = APIRouter(prefix="/api/v1")
_READ = verb(Verb.DESK_READ)
_ID = r"^[a-z0-9][a-z0-9._-]{0,62}$"
_FULL_ID = r"^([a-z]{3,7}:)?[a-z0-9][a-z0-9._-]{0,62}$"

Id = Annotated[str, Path(pattern=_FULL_ID)]
KeyId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
After = Annotated[str, Query(max_length=80, pattern=r"^[a-z0-9:._-]*$")]
HOLDERS = {"person": ActorKind.PERSON, "app": ActorKind.APP, "service": ActorKind.SERVICE, "agent": ActorKind.AGENT}


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PersonAsked(_Asked):
    """A new account; `kind` is person, service or agent. An app is added with its first key."""

    id: str = Field(pattern=_ID)
    name: str = Field(max_length=200)
    kind: str = Field(default="person", pattern="^(person|service|agent)$")
    admin: bool = False


class SameAsked(_Asked):
    """The account that is the same person."""

    same_as: str = Field(pattern=_ID)


class EmailAsked(_Asked):
    """An address that the caller vouches for."""

    address: str = Field(max_length=254)


class KeyAsked(_Asked):
    """A key; `environment` is needed for an app, `scopes` left out = everything that the holder may."""

    holder: str = Field(pattern=_ID)
    kind: str = Field(default="app", pattern="^(person|app|service|agent)$")
    environment: Environment | None = None
    scopes: list[Annotated[str, Field(max_length=80)]] | None = Field(default=None, max_length=MOST)
    days: int | None = Field(default=None, ge=1, le=MOST_DAYS)
    label: str = Field(default="", max_length=80)


@router.get("/people", openapi_extra=_READ)
def people(desk: DeskDep, actor: Caller, after: After = "", limit: Limit = DEFAULT_SIZE) -> dict[str, Any]:
    """Who is here, by id: everyone for administrators and auditors, oneself and one's colleagues for everybody else."""
    return asdict(view.account_lines(desk, actor, after, limit))


@router.post("/people", openapi_extra=verb(Verb.ACTOR_ADD))
def add(asked: PersonAsked, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Add somebody."""
    made = access.add_actor(desk, actor, asked.id, asked.name, admin=asked.admin, kind=HOLDERS[asked.kind])
    return asdict(view.account_line(desk, made.id))


@router.post("/people/{id}/invitation", openapi_extra=verb(Verb.INVITATION_ISSUE))
def invite(desk: DeskDep, actor: Caller, request: Request, id: Id) -> dict[str, Any]:
    """A one-time link with which a person sets their password, shown once; an earlier one is over."""
    made = invitations.issue_link(desk, actor, id)
    home = request.app.state.public_url or str(request.base_url).rstrip("/")
    return {"link": f"{home}/invitation/{made.code}", "purpose": made.purpose.value, "expires_at": made.expires_at}


@router.post("/people/{id}/disable", openapi_extra=verb(Verb.ACTOR_DISABLE))
def disable(desk: DeskDep, actor: Caller, id: Id) -> dict[str, Any]:
    """From now on they neither come in nor act; what they did stays on record."""
    access.disable_actor(desk, actor, id)
    return asdict(view.account_line(desk, id))


@router.post("/people/{id}/person", openapi_extra=verb(Verb.ACTOR_LINK))
def link(asked: SameAsked, desk: DeskDep, actor: Caller, id: Id) -> dict[str, Any]:
    """Say that two accounts are one person: their two yeses are one."""
    persons.link(desk, actor, id, asked.same_as)
    return asdict(view.account_line(desk, id))


@router.post("/people/{id}/email", openapi_extra=verb(Verb.EMAIL_VERIFY))
def email(asked: EmailAsked, desk: DeskDep, actor: Caller, id: Id) -> dict[str, Any]:
    """Vouch for a person's e-mail address; accounts with the same address are one person."""
    persons.verify_email(desk, actor, id, asked.address)
    return asdict(view.account_line(desk, id))


@router.get("/keys", openapi_extra=_READ)
def keys(
    desk: DeskDep,
    actor: Caller,
    after: After = "",
    limit: Limit = DEFAULT_SIZE,
    ended: bool = False,  # noqa: FBT001, FBT002  a flag of the query
) -> dict[str, Any]:
    """Keys by id, without their secrets: everybody's for an administrator, one's own for everybody else.

    Those that work and those that ended within a day; with `ended` all that ever were.
    """
    return asdict(view.key_lines(desk, actor, after, limit, ended=ended))


@router.post("/keys", openapi_extra=verb(Verb.TOKEN_ISSUE))
def issue(asked: KeyAsked, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Issue a key, and show it once; a holder that is new here is added, but never a person."""
    kind = HOLDERS[asked.kind]
    wish = access.Wish(asked.scopes, asked.label, asked.days)
    text = access.issue(desk, actor, asked.holder, kind, asked.environment, wish)
    return {"key": text, **view.key_line(desk, access.id_of(text)).to_json()}


@router.post("/keys/{id}/revoke", openapi_extra=verb(Verb.TOKEN_REVOKE))
def revoke(desk: DeskDep, actor: Caller, id: KeyId) -> dict[str, Any]:
    """From now on the key opens nothing."""
    access.revoke(desk, actor, id)
    return view.key_line(desk, id).to_json()
