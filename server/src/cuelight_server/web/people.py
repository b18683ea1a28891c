"""People and keys: who is here, what opens what, and letting them in and out."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route

from cuelight_server.audit.declared import declares
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import access, invitations, trusts
from cuelight_server.control.desk import Desk
from cuelight_server.control.sessions import Visit
from cuelight_server.kernel.clock import parse
from cuelight_server.kernel.errors import CuelightError, Invalid
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.kernel.terms import ActorKind, Environment
from cuelight_server.views import people as view
from cuelight_server.views.trusts import TrustLine, trust_lines
from cuelight_server.web.doors import Doors
from cuelight_server.web.forms import Form
from cuelight_server.web.frame import form, sentence, signed_in
from cuelight_server.web.words import ago

KEYS_SHOWN = 100
_KEY_ID, _SOON_S = re.compile("[0-9a-f]{16}"), 48 * 3600
_KINDS = {"person": "person", "app": "app", "service": "service", "agent": "agent"}
_STATES = {
    "good": ("go", "Good"),
    "revoked": ("off", "Revoked"),
    "expired": ("standby", "Expired"),
    "disabled": ("off", "Disabled"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown once, right after it was made: a link or a key."""

    words: str
    value: str
    hint: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One account."""

    id: str
    name: str
    kind: str
    state: str
    word: str
    what: str
    active: str
    may_invite: bool
    may_disable: bool


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key."""

    id: str
    holder: str
    label: str
    what: str
    state: str
    word: str
    ends: str
    used: str
    may_revoke: bool


@dataclass(frozen=True, slots=True)
class TrustRow:
    """One pipeline that is trusted, or was."""

    id: str
    account: str
    state: str
    word: str
    issuer: str
    says: tuple[str, ...]
    scopes: str
    environment: str
    workflows: str
    used: str
    may_end: bool


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Everything that the page shows; `more` says that there are more people than fit.

    `ended` is whether all keys that ever were are shown, `next_keys` the address of the keys behind these, or nothing.
    """

    title: str
    person: str
    admin: bool
    problem: str
    shown: Shown | None
    people: tuple[PersonRow, ...]
    keys: tuple[KeyRow, ...]
    ended: bool
    next_keys: str
    trusts: tuple[TrustRow, ...]
    more: bool
    environments: tuple[str, ...]
    template: str = "people/people.html"


def routes(desk: Desk, doors: Doors) -> list[BaseRoute]:
    """The page and its forms."""
    again = partial(_again, desk)

    def post(path: str, verb: Verb, act: Callable[[Visit, Request, Form], Any]) -> Route:
        return Route(path, declares(verb)(form(desk, doors, act, again)), methods=["POST"])

    look = declares(Verb.DESK_READ)

    return [
        Route("/people", look(signed_in(desk, doors, partial(_asked, desk))), methods=["GET"]),
        post("/people/add", Verb.ACTOR_ADD, partial(_add, desk, doors)),
        post("/people/invite", Verb.INVITATION_ISSUE, partial(_invite, desk, doors)),
        post("/people/disable", Verb.ACTOR_DISABLE, partial(_disable, desk)),
        post("/keys/issue", Verb.TOKEN_ISSUE, partial(_issue, desk)),
        post("/keys/revoke", Verb.TOKEN_REVOKE, partial(_revoke, desk)),
        post("/trusts/end", Verb.TRUST_END, partial(_end_trust, desk)),
    ]


def page(
    desk: Desk, visit: Visit, problem: str = "", shown: Shown | None = None, *, ended: bool = False, after: str = ""
) -> PeoplePage:
    """People, keys and trusted pipelines as this person may see them; keys from above the id `after`."""
    now, me = desk.clock(), visit.actor
    people = view.account_lines(desk, me, size=MAX_SIZE)
    keys = view.key_lines(desk, me, after, KEYS_SHOWN, ended=ended)
    trusted = trust_lines(desk, me, size=MAX_SIZE).items if me.admin else ()
    onward = {"keys": "all"} if ended else {}
    return PeoplePage(
        title="People and keys",
        person=me.name,
        admin=me.admin,
        problem=problem,
        shown=shown,
        people=tuple(_person(one, me.admin, me.id, now) for one in people.items),
        keys=key_rows(keys.items, now, any_of_them=me.admin, own=me.id),
        ended=ended,
        next_keys=f"/people?{urlencode({**onward, 'after': keys.next})}#keys" if keys.next else "",
        trusts=tuple(_trust(one, now) for one in sorted(trusted, key=lambda one: (bool(one.ended_at), one.actor))),
        more=people.next is not None,
        environments=tuple(place.value for place in Environment),
    )


def key_rows(keys: Sequence[view.KeyLine], now: datetime, *, any_of_them: bool, own: str) -> tuple[KeyRow, ...]:
    """Keys as rows, those that open something first."""
    rows = sorted(keys, key=lambda one: (one.state != "good", one.holder, one.created_at))
    return tuple(_key(one, now, may=any_of_them or one.holder == own) for one in rows)


def words_of(typed: str) -> tuple[str, ...] | None:
    """The scopes that somebody typed; None where they typed none."""
    return tuple(typed.replace(",", " ").split()) or None


def days_of(typed: str) -> int | None:
    """The days that somebody typed; None where they typed none, Invalid where it is no number."""
    if not typed.strip():
        return None
    if not (typed.strip().isascii() and typed.strip().isdigit() and len(typed.strip()) < 6):
        raise Invalid("the days are no number", "give whole days, such as 90")
    return int(typed)


def link_address(doors: Doors, request: Request, code: str) -> str:
    """Where a one-time link leads."""
    home = doors.public_url or f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
    return f"{home}/invitation/{code}"


def _asked(desk: Desk, visit: Visit, request: Request) -> PeoplePage:
    asked = request.query_params
    after = asked.get("after", "")
    return page(desk, visit, ended=asked.get("keys") == "all", after=after if _KEY_ID.fullmatch(after) else "")


def _add(desk: Desk, doors: Doors, visit: Visit, request: Request, sent: Form) -> PeoplePage:
    id, admin = sent.get("id", "").strip(), sent.get("admin") == "yes"
    access.add_actor(desk, visit.actor, id, sent.get("name", ""), admin=admin)
    return _link(desk, doors, visit, request, id)


def _invite(desk: Desk, doors: Doors, visit: Visit, request: Request, sent: Form) -> PeoplePage:
    return _link(desk, doors, visit, request, sent.get("id", ""))


def _link(desk: Desk, doors: Doors, visit: Visit, request: Request, id: str) -> PeoplePage:
    made = invitations.issue_link(desk, visit.actor, id)
    shown = Shown(
        f"The link for {id}",
        link_address(doors, request, made.code),
        f"Give it to them yourself. It works once, until {made.expires_at[:16].replace('T', ' ')} UTC, and is not shown again.",
    )
    return page(desk, visit, shown=shown)


def _disable(desk: Desk, visit: Visit, _: Request, sent: Form) -> RedirectResponse:
    access.disable_actor(desk, visit.actor, sent.get("id", ""))
    return RedirectResponse("/people", 303)


def _issue(desk: Desk, visit: Visit, _: Request, sent: Form) -> PeoplePage:
    kind = sent.get("kind", "")
    if kind not in ("app", "service", "agent"):
        raise Invalid("that is no kind of holder", "choose app, service or agent")
    place = sent.get("environment", "")
    if place and place not in set(Environment):
        raise Invalid("there is no such environment", "choose one of the list")
    wish = access.Wish(words_of(sent.get("scopes", "")), sent.get("label", ""), days_of(sent.get("days", "")))
    holder = sent.get("holder", "").strip()
    text = access.issue(desk, visit.actor, holder, ActorKind(kind), Environment(place) if place else None, wish)
    hint = "Copy it now into the place where it is used. The desk keeps only its hash and cannot show it again."
    return page(desk, visit, shown=Shown(f"The key of {holder}", text, hint))


def _revoke(desk: Desk, visit: Visit, _: Request, sent: Form) -> RedirectResponse:
    access.revoke(desk, visit.actor, sent.get("id", ""))
    return RedirectResponse("/account" if sent.get("back") == "account" else "/people", 303)


def _end_trust(desk: Desk, visit: Visit, _: Request, sent: Form) -> RedirectResponse:
    trusts.end_trust(desk, visit.actor, sent.get("id", ""))
    return RedirectResponse("/people", 303)


def _again(desk: Desk, visit: Visit, refused: CuelightError) -> PeoplePage:
    return page(desk, visit, problem=sentence(refused))


def _person(one: view.AccountLine, admin: bool, me: str, now: datetime) -> PersonRow:  # noqa: FBT001  who looks
    person = one.kind == ActorKind.PERSON
    if one.disabled_at is not None:
        state, word = "off", "Disabled"
    elif person and not one.password and one.last_active_at is None and one.last_used_at is None:
        state, word = "standby", "Not here yet"
    else:
        state, word = "go", "Active"
    desk_roles = [word for word, holds in (("administrator", one.admin), ("auditor", one.auditor)) if holds]
    what = ", ".join(desk_roles) or _KINDS.get(one.kind, one.kind)
    if person and one.person != one.id:
        what += f", the same person as {one.person}"
    can = admin and one.disabled_at is None
    return PersonRow(
        id=one.id,
        name=one.name,
        kind=one.kind,
        state=state,
        word=word,
        what=what,
        active=_act(one, now),
        may_invite=can and person,
        may_disable=can and one.id != me,
    )


def _act(one: view.AccountLine, now: datetime) -> str:
    if one.last_active_at:
        return ago(parse(one.last_active_at), now)
    return "only reads" if one.kind == ActorKind.APP else "no act yet"


def _trust(one: TrustLine, now: datetime) -> TrustRow:
    return TrustRow(
        id=one.id,
        account=one.actor,
        state="off" if one.ended_at else "go",
        word="Ended" if one.ended_at else "Trusted",
        issuer=one.issuer,
        says=tuple(f"{claim} is {_value(value)}" for claim, value in sorted(one.conditions.items())),
        scopes=", ".join(one.scopes),
        environment=one.environment or "no environment of its own",
        workflows=", ".join(one.workflows) or "in no workflow yet",
        used=ago(parse(one.last_used_at), now) if one.last_used_at else "never used",
        may_end=one.ended_at is None,
    )


def _value(wanted: str) -> str:
    return f"{wanted[:-1]} and anything behind it" if wanted.endswith("*") else wanted


def _key(one: view.KeyLine, now: datetime, *, may: bool) -> KeyRow:
    state, word = _STATES[one.state]
    what = one.environment or ("everything its holder may" if one.scopes is None else "")
    if one.scopes is not None:
        what = ", ".join(filter(None, (what, *one.scopes))) or "nothing"
    return KeyRow(
        id=one.id,
        holder=one.holder,
        label=one.label,
        what=what,
        state=state,
        word=word,
        ends=_end(one, now),
        used=f"used {ago(parse(one.last_used_at), now)}" if one.last_used_at else "never used",
        may_revoke=may and one.state != "revoked",
    )


def _end(one: view.KeyLine, now: datetime) -> str:
    """When it ends or ended: short keys to the minute, others to the day."""
    if one.revoked_at is not None:
        return f"revoked {one.revoked_at[:10]}"
    if one.expires_at is None:
        return "does not end"
    soon = abs((parse(one.expires_at) - now).total_seconds()) < _SOON_S
    at = one.expires_at[:16].replace("T", " ") if soon else one.expires_at[:10]
    return f"ended {at}" if one.state == "expired" else f"ends {at}"
