"""Which pipelines are trusted: an issuer, an audience and what their tokens must say, for one service account."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cuelight_server.access import store
from cuelight_server.access.claims import MOST
from cuelight_server.access.conditions import check_conditions
from cuelight_server.access.fetching import check_address
from cuelight_server.access.model import Account, Trust
from cuelight_server.audit.scopes import check_scopes, covers
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import PREFIX, add_in, check_person
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Blocked, Conflict, Invalid, NotFound
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.kernel.terms import ActorKind, Environment

MOST_MINUTES = 15
# What no pipeline ever does, whatever its account may one day hold: a person says yes, and a person lets people in.
_NEVER = frozenset(
    {
        Verb.RELEASE_APPROVE,
        Verb.GOVERNANCE_APPROVE,
        Verb.GOVERNANCE_APPLY,
        Verb.TOKEN_ISSUE,
        Verb.ACTOR_ADD,
        Verb.AUDITOR_APPOINT,
        Verb.PERSON_ERASE,
        Verb.PROVIDER_SET,
        Verb.TRUST_ADD,
        Verb.IDENTITY_LINK,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """What is asked of a new trust; `minutes` is how long a key lasts that comes of it."""

    issuer: str
    audience: str
    conditions: Mapping[str, str]
    scopes: Iterable[str]
    environment: Environment | None = None
    minutes: int = 10


def add_trust(desk: Desk, actor: Actor, service: str, wished: Wished, *, plain_at_home: bool = False) -> Trust:
    """From now on a token of that issuer which says all of it opens the service account (`ci`), which may be new.

    Invalid where issuer, audience, conditions or scopes are too loose, Blocked where the account is disabled.
    `plain_at_home`: an issuer on this machine need not speak https.
    """
    check_person(service)
    id = PREFIX[ActorKind.SERVICE] + service
    with act(desk, actor, Verb.TRUST_ADD, id, workflow="") as work:
        scopes = _checked(wished, plain_at_home=plain_at_home)
        conditions = check_conditions(wished.conditions)
        account = store.account(work.sql, id)
        if account is None:
            new = Account(id=id, name=service, kind=ActorKind.SERVICE, admin=False, created_at=work.at_text)
            account = add_in(work, new)
        if account.disabled_at is not None:
            raise Blocked(f"{id} is disabled", "a disabled account is opened by nothing")
        if len(store.trusts_in(work.sql, wished.issuer)) >= MAX_SIZE:
            raise Conflict(f"{MAX_SIZE} trusts in {wished.issuer} are the most", "end one that is no longer needed")
        made = Trust(
            id=ids.token_id(),
            actor=id,
            issuer=wished.issuer,
            audience=wished.audience,
            conditions=conditions,
            scopes=scopes,
            environment=wished.environment,
            minutes=wished.minutes,
            created_at=work.at_text,
        )
        store.save_trust(work.sql, made)
        work.note(trust=made.id, issuer=made.issuer, audience=made.audience, conditions=conditions)
        work.note(
            scopes=list(scopes),
            environment=made.environment.value if made.environment else None,
            minutes=made.minutes,
        )
    return made


def end_trust(desk: Desk, actor: Actor, id: str) -> None:
    """From now on no token opens the account by it; keys that came of it end by themselves. NotFound, Conflict."""
    with act(desk, actor, Verb.TRUST_END, id, workflow="") as work:
        found = store.trust(work.sql, id)
        if found is None:
            raise NotFound(f"there is no trust {id[:40]}", "see: cuelight trusts list")
        if found.ended_at is not None:
            raise Conflict(f"the trust {id} has ended already", f"at {found.ended_at}")
        store.end_trust(work.sql, id, work.at_text)
        work.note(holder=found.actor)


def _checked(wished: Wished, *, plain_at_home: bool) -> tuple[str, ...]:
    check_address(wished.issuer, plain_at_home=plain_at_home)
    if "?" in wished.issuer or len(wished.issuer) > MOST:
        raise Invalid(f"{wished.issuer[:80]!r} is no issuer", "such as https://token.actions.githubusercontent.com")
    plain = wished.audience.isascii() and wished.audience.isprintable() and " " not in wished.audience
    if not plain or not 0 < len(wished.audience) <= MOST:
        raise Invalid("an audience has 1 to 255 plain characters", "the address of this desk is a good one")
    if not 1 <= wished.minutes <= MOST_MINUTES:
        raise Invalid(
            f"a key of a pipeline lasts 1 to {MOST_MINUTES} minutes", "a job fetches another when it needs one"
        )
    scopes = check_scopes(wished.scopes)
    if not scopes:
        raise Invalid("say what the pipeline is for", "such as --scope read --scope push --scope evaluate")
    never = sorted(verb.value for verb in _NEVER if covers(scopes, verb))
    if never:
        raise Invalid(f"no pipeline ever gets {never[0]}", "name the single verbs instead, such as release.open")
    return scopes
