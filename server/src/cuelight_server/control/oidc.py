"""Signing in at an OpenID provider: there with a state, a nonce and a challenge of one's own, back with a code."""

import hmac
from dataclasses import dataclass

from cuelight_server.access import keys, oidc, store
from cuelight_server.access.claims import Wanted, check
from cuelight_server.access.fetching import Refused
from cuelight_server.access.issuers import Issuers, Metadata
from cuelight_server.access.jose import Unfit, unverified
from cuelight_server.access.model import Came, Flow, SessionRules
from cuelight_server.access.oidc import Known, Provider, Secrets
from cuelight_server.control import throttle
from cuelight_server.control.desk import Desk
from cuelight_server.control.failed_sign_ins import note_failed_sign_in
from cuelight_server.control.identities import account_for, connect
from cuelight_server.control.sessions import open_session
from cuelight_server.db.operational import operational
from cuelight_server.kernel import ids
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.clock import rfc3339
from cuelight_server.kernel.errors import CuelightError, Denied, Unavailable

OIDC = "oidc"  # how somebody came in
_SECRET_LENGTH, _MOST_CODE = 64, 4096
_AGAIN = "begin again at the sign-in page"
_SAID = {  # RFC 6749 4.1.2.1 and OpenID Connect Core 3.1.2.6, in words of ours: whatever else comes is not repeated
    "access_denied": "it was not allowed there",
    "login_required": "you are not signed in there",
    "consent_required": "you did not agree there",
    "interaction_required": "it needs you to do something there first",
    "temporarily_unavailable": "it is busy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleSignOn:
    """The provider of this desk, how it is asked, and the one address to which it sends people back."""

    provider: Provider
    issuers: Issuers
    redirect: str


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what its cookie holds until it is back."""

    address: str
    secret: str

    def __repr__(self) -> str:
        return "Begun()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a browser brings back in the address; empty where it brings none."""

    state: str = ""
    code: str = ""
    issuer: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """Who is in: `secret` of a new session, or None where somebody connected the account in which they are."""

    secret: str | None
    connected: str = ""


def begin(desk: Desk, sso: SingleSignOn, came: Came, actor: Actor | None = None) -> Begun:
    """The way to the provider; with `actor` somebody who is signed in connects their account. Unavailable."""
    metadata = sso.issuers.metadata(sso.provider.issuer)
    if not metadata.authorization_endpoint or not metadata.token_endpoint:
        raise Unavailable(f"nobody can sign in at {sso.provider.issuer}", "tell an administrator: it names no address")
    secret, now = ids.token_secret(), desk.clock()
    flow = Flow(
        hash=keys.secret_hash(secret),
        actor=actor.id if actor else None,
        source=came.source[:64],
        created_at=rfc3339(now),
        expires_at=rfc3339(now + oidc.FLOW_LASTS),
    )
    with operational(desk.registry) as sql:
        store.save_flow(sql, flow, oidc.MOST_FLOWS, oidc.MOST_FLOWS_OF_SOURCE)
    to = oidc.authorization(metadata.authorization_endpoint, sso.provider, oidc.secrets_of(secret), sso.redirect)
    return Begun(to, secret)


def finish(
    desk: Desk,
    sso: SingleSignOn,
    secret: str | None,
    sent: Returned,
    came: Came,
    *,
    rules: SessionRules,
    old: str | None = None,
    actor: Actor | None = None,
) -> Done:
    """Back from the provider: `secret` is what the cookie holds, `actor` who is signed in, `old` their session.

    Denied for whatever does not fit, with one line in the log and a wait for who fails often; Unavailable where the
    provider does not answer, which leaves no line.
    """
    try:
        flow = _flow(desk, secret, sent.state)
        who = _known(desk, sso, oidc.secrets_of(secret or ""), sent)
        if flow.actor is not None:
            return Done(None, _connected(desk, sso, flow, who, actor))
        account = account_for(desk, sso.provider, who)
        return Done(open_session(desk, account.id, OIDC, came, rules=rules, old=old))
    except Denied as refused:
        throttle.count(desk, None, came.source)
        note_failed_sign_in(desk, f"{OIDC} {refused.details.get('reason', 'refused')}", None, came.source)
        raise


def farewell(sso: SingleSignOn, back: str) -> str | None:
    """Where one signs out at the provider, too; None where it says no such address."""
    try:
        end = sso.issuers.metadata(sso.provider.issuer).end_session_endpoint
    except CuelightError:
        return None
    asked = {"client_id": sso.provider.client_id, "post_logout_redirect_uri": back}
    return oidc.with_query(end, asked) if end else None


def _flow(desk: Desk, secret: str | None, state: str) -> Flow:
    """The sign-in that this browser began; with that it is used up."""
    wanted = oidc.secrets_of(secret or "").state
    mine = len(secret or "") == _SECRET_LENGTH and hmac.compare_digest(wanted.encode(), state.encode(errors="replace"))
    flow = None
    if mine and secret:
        with operational(desk.registry) as sql:
            flow = store.take_flow(sql, keys.secret_hash(secret))
    if flow is None or rfc3339(desk.clock()) >= flow.expires_at:
        raise Unfit("state", "this sign-in did not begin in this browser, was used, or took too long", _AGAIN)
    return flow


def _known(desk: Desk, sso: SingleSignOn, secrets: Secrets, sent: Returned) -> Known:
    provider, metadata = sso.provider, sso.issuers.metadata(sso.provider.issuer)
    if (sent.issuer or metadata.names_itself) and sent.issuer != provider.issuer:
        raise Unfit("issuer", "the answer comes from another provider", _AGAIN)
    if sent.error:
        raise Unfit("provider", f"{provider.name} did not sign you in: {_SAID.get(sent.error, 'it refused')}", _AGAIN)
    if not 0 < len(sent.code) <= _MOST_CODE:
        raise Unfit("code", "the provider sent no code", _AGAIN)
    answer = _redeemed(sso, metadata, secrets, sent.code)
    token, access = answer.get("id_token"), answer.get("access_token")
    if not isinstance(token, str):
        raise Unfit("form", f"{provider.name} does not say who you are", "tell an administrator")
    claims = sso.issuers.claims(provider.issuer, token)
    wanted = Wanted(
        issuer=provider.issuer,
        audience=provider.client_id,
        now=desk.clock(),
        nonce=secrets.nonce,
        access_token=access if isinstance(access, str) else None,
        algorithm=str(unverified(token)[0]["alg"]),
    )
    check(claims, wanted)
    return oidc.known(_with_more(sso, metadata, claims, wanted.access_token), provider)


def _redeemed(sso: SingleSignOn, metadata: Metadata, secrets: Secrets, code: str) -> dict[str, object]:
    """What the provider gives for the code: once, and only to who knows the verifier."""
    provider = sso.provider
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": sso.redirect,
        "code_verifier": secrets.verifier,
        "client_id": provider.client_id,
    }
    basic = None
    if provider.client_secret is not None and metadata.basic:
        basic = (provider.client_id, provider.client_secret)
    elif provider.client_secret is not None:
        form["client_secret"] = provider.client_secret
    try:
        return sso.issuers.fetching.post(metadata.token_endpoint, form, basic=basic)
    except Refused as bad:
        if bad.details.get("status") in (400, 401, 403):
            raise Unfit("code", f"{provider.name} does not take the code back", _AGAIN) from bad
        raise


def _with_more(
    sso: SingleSignOn, metadata: Metadata, claims: dict[str, object], access_token: str | None
) -> dict[str, object]:
    """The claims, with those of the userinfo endpoint that are not among them: some providers tell groups only there."""
    wanted = {sso.provider.groups_claim, "email", "email_verified", "name", "preferred_username"}
    if not metadata.userinfo_endpoint or access_token is None or wanted <= claims.keys():
        return claims
    more = sso.issuers.fetching.get(metadata.userinfo_endpoint, bearer=access_token)
    if more.get("sub") != claims.get("sub"):  # OpenID Connect Core 5.3.2: else it may be about somebody else
        raise Unfit("subject", "the provider speaks of two different people", _AGAIN)
    # An address and whether it is verified come from one place together.
    taken = claims.keys() | ({"email", "email_verified"} if "email" in claims else set())
    return {**claims, **{name: value for name, value in more.items() if name not in taken}}


def _connected(desk: Desk, sso: SingleSignOn, flow: Flow, who: Known, actor: Actor | None) -> str:
    if actor is None or actor.id != flow.actor:
        raise Unfit("session", "you are no longer signed in as the one who began this", "sign in and begin again")
    return connect(desk, actor, sso.provider, who)
