"""A pipeline comes with a token of its own issuer and gets a short key: nothing long-lived is stored where it runs."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from cuelight.contract.canonical import digest_bytes
from cuelight_server.access import keys, store
from cuelight_server.access.claims import SKEW, Claims, Wanted, check, check_times, subject_of
from cuelight_server.access.conditions import fits, told
from cuelight_server.access.issuers import Issuers
from cuelight_server.access.jose import Unfit, unverified
from cuelight_server.access.keys import Key
from cuelight_server.access.model import Came, Token, Trust
from cuelight_server.audit.verbs import Verb
from cuelight_server.control import throttle
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act
from cuelight_server.control.failed_sign_ins import note_failed_sign_in
from cuelight_server.db.engine import reading
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import Denied, Invalid, Unavailable

LABEL = "pipeline"


@dataclass(frozen=True, slots=True)
class Given:
    """A key, to be shown once; `repr` never shows it."""

    key: str
    account: str
    scopes: tuple[str, ...]
    environment: str | None
    expires_at: str

    def __repr__(self) -> str:
        return f"Given(account={self.account!r}, expires_at={self.expires_at!r})"


def exchange(desk: Desk, issuers: Issuers, token: str, came: Came, service: str | None = None) -> Given:
    """A key for the service account that trusts this token; `service` (`ci`) says which where several do.

    Denied (`credentials`), always with the same words: whoever holds a token that does not fit learns nothing of what
    would. Each token counts once. Unavailable where its issuer does not answer; no issuer is asked whom nobody trusts.
    """
    counted = throttle.count(desk, None, came.source)
    try:
        given = _given(desk, issuers, token, service)
    except Unfit as unfit:
        note_failed_sign_in(desk, f"workload {unfit.reason}", None, came.source)
        raise Denied(
            "this token opens nothing here",
            "compare issuer, audience and claims with: cuelight trusts list; each token counts once",
            credentials="unfit",
        ) from unfit
    except Unavailable:
        throttle.forgive(desk, counted)
        raise
    throttle.forgive(desk, counted)
    return given


def _given(desk: Desk, issuers: Issuers, token: str, service: str | None) -> Given:
    _, said = unverified(token)
    issuer = said.get("iss")
    with reading(desk.registry) as sql:
        trusts = store.trusts_in(sql, issuer) if isinstance(issuer, str) and len(issuer) <= 255 else []
    if not trusts:
        raise Unfit("issuer", "nobody here trusts the issuer")
    claims = issuers.claims(trusts[0].issuer, token)
    trust = _chosen(desk, trusts, claims, service)
    ends = check_times(claims, desk.clock())
    with act(desk, SYSTEM, Verb.TOKEN_EXCHANGE, trust.actor, workflow="") as work:
        return _issue(work, trust, claims, _name(trust.issuer, claims, token), rfc3339(ends + SKEW))


def _chosen(desk: Desk, trusts: list[Trust], claims: Claims, service: str | None) -> Trust:
    """The one trust that the claims fit; Unfit, or Invalid where they open several accounts and nobody says which."""
    subject_of(claims)
    unfit, fitting = Unfit("claims", "the claims fit no trust"), []
    for trust in trusts:
        wanted = Wanted(issuer=trust.issuer, audience=trust.audience, now=desk.clock())
        try:
            check(claims, wanted)
        except Unfit as why:
            unfit = why
            continue
        if fits(trust.conditions, claims) and service in (None, trust.actor.partition(":")[2]):
            fitting.append(trust)
    if not fitting:
        raise unfit
    if len({one.actor for one in fitting}) > 1:
        raise Invalid("this token opens several accounts", "name one: cuelight ci login --service NAME")
    return fitting[0]


def _issue(work: Work, trust: Trust, claims: Claims, name: str, until: str) -> Given:
    """The key, and in the same transaction that the token was used."""
    now = store.trust(work.sql, trust.id)
    account = store.account(work.sql, trust.actor)
    if now is None or now.ended_at is not None or account is None or account.disabled_at is not None:
        raise Unfit("ended", "the trust has ended")
    if not store.use_workload_token(work.sql, name, until, work.at_text):
        raise Unfit("replay", "the token was used before")
    key = Key(trust.environment, ids.token_id(), ids.token_secret())
    place = trust.environment.value if trust.environment else None
    new = Token(
        id=key.id,
        actor=account.id,
        secret_hash=keys.secret_hash(key.secret),
        environment=trust.environment,
        created_at=work.at_text,
        scopes=trust.scopes,
        label=LABEL,
        expires_at=rfc3339(work.at + timedelta(minutes=trust.minutes)),
    )
    store.save_token(work.sql, new)
    store.use_trust(work.sql, trust.id, work.at_text)
    work.note(token=key.id, environment=place, scopes=list(trust.scopes), expires_at=new.expires_at, label=LABEL)
    work.note(secret=digest_bytes(new.secret_hash.encode()), trust=trust.id, issuer=trust.issuer, run=told(claims))
    return Given(key.text, account.id, trust.scopes, place, str(new.expires_at))


def _name(issuer: str, claims: Claims, token: str) -> str:
    """What tells one token from another: its id at the issuer, or all that it says; one token may have two signatures."""
    id = claims.get("jti")
    said = f"jti:{id}" if isinstance(id, str) and id else f"claims:{token.split('.')[1]}"
    return sha256(f"{issuer}\n{said}".encode(errors="replace")).hexdigest()
