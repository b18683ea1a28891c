"""What each address gives: what OpenAPI does not know, in the words of the views; a test compares it with real answers."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from cuelight_server.api.runtime import SentAck
from cuelight_server.audit.model import Event, Issued, Proof, SigningKey
from cuelight_server.control.ending import RetiredPrompt, SwitchedOff
from cuelight_server.control.explaining import Explained
from cuelight_server.control.proposals import ProposalShown
from cuelight_server.control.releases import Released
from cuelight_server.control.reviews import BlindCase
from cuelight_server.docs_reference.markdown import codes
from cuelight_server.governance.model import Consent, Membership
from cuelight_server.prompts.model import RetiredModel
from cuelight_server.releases.model import Approval
from cuelight_server.telemetry.wire import SentCall
from cuelight_server.vault.model import SetProvider
from cuelight_server.views.audit import LineDetail
from cuelight_server.views.calls import CallLine
from cuelight_server.views.comparison import Measured
from cuelight_server.views.desk import Me, Row, Status
from cuelight_server.views.evaluation import EvaluationLine, ResultLine
from cuelight_server.views.knowledge import KnowledgeLine
from cuelight_server.views.knowledge import ReleaseLine as KnowledgeReleaseLine
from cuelight_server.views.models import ModelLine
from cuelight_server.views.ownership import Ownership
from cuelight_server.views.people import AccountLine, KeyLine
from cuelight_server.views.prompts import Card, LabelledContent, PromptLine
from cuelight_server.views.releases import ReleaseLine
from cuelight_server.views.report import CaseSeen
from cuelight_server.views.reviews import ReviewLine
from cuelight_server.views.runtime import Observed
from cuelight_server.views.traces import Why
from cuelight_server.views.tries import TriedLine
from cuelight_server.views.trusts import TrustLine

_PUSHED = (
    "workflow minted unchanged refused drafts suites knowledge prices recordings governance proposal rules ignored"
    " findings dependants knowledge_dependants"
)
_RELEASE = "workflow name number digest description items actor at intact rules shown next"
_COMPARED = "workflow name from to changes added removed changed about left_out"
_DIFF = "prompt from to change_class summary parts"
_CHECKLIST = "prompt label environment ok binding items bound"
_ROLLED_BACK = "prompt environment from to switched_off snapshot_version no_op words"
_APPLIED = "id workflow revision changes voided"
_BUNDLE = "workflow authority prompts suites knowledge prices recordings ignored"


def _of(kind: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


_PROPOSAL = (*_of(ProposalShown), "ready")
_REVIEW = (*_of(ReviewLine), "answered", "revealed")

# Address -> the keys of its answer.
KEYS: Mapping[str, tuple[str, ...]] = {
    "POST /api/v1/push": tuple(_PUSHED.split()),
    "POST /api/v1/lint": ("findings", "rules", "digests"),
    "POST /api/v1/diff": tuple(_DIFF.split()),
    "GET /api/v1/prompts/{name}": _of(Card),
    "GET /api/v1/prompts/{name}/{label}": _of(LabelledContent),
    "GET /api/v1/export/{workflow}": tuple(_BUNDLE.split()),
    "GET /api/v1/knowledge/{workflow}/{name}": tuple(_RELEASE.split()),
    "GET /api/v1/knowledge/{workflow}/{name}/diff": tuple(_COMPARED.split()),
    "POST /api/v1/evaluations": ("id",),
    "GET /api/v1/evaluations/{id}": (*_of(EvaluationLine), "report", "reviews"),
    "GET /api/v1/evaluations/{id}/cases/{case}": _of(CaseSeen),
    "POST /api/v1/evaluations/{id}/cancel": _of(EvaluationLine),
    "POST /api/v1/tries": ("prompt", "kept", "tries"),
    "POST /api/v1/reviews": ("id", "cases", "role", "question"),
    "GET /api/v1/reviews/{id}": _REVIEW,
    "POST /api/v1/reviews/{id}/cases/{number}": _of(BlindCase),
    "PUT /api/v1/reviews/{id}/cases/{number}": ("review", "number"),
    "POST /api/v1/reviews/{id}/sign": _REVIEW,
    "GET /api/v1/compare": ("prompt", "suite_digest", "from", "to"),
    "POST /api/v1/approvals": _of(Approval),
    "GET /api/v1/releases/check": tuple(_CHECKLIST.split()),
    "POST /api/v1/releases": _of(Released),
    "POST /api/v1/rollbacks": tuple(_ROLLED_BACK.split()),
    "POST /api/v1/off": _of(SwitchedOff),
    "POST /api/v1/retirements": _of(RetiredPrompt),
    "POST /api/v1/models/retired": _of(RetiredModel),
    "PUT /api/v1/providers/{name}": _of(SetProvider),
    "DELETE /api/v1/providers/{name}": ("provider",),
    "POST /api/v1/people": _of(AccountLine),
    "POST /api/v1/people/{id}/invitation": ("link", "purpose", "expires_at"),
    "POST /api/v1/people/{id}/disable": _of(AccountLine),
    "POST /api/v1/people/{id}/person": _of(AccountLine),
    "POST /api/v1/people/{id}/email": _of(AccountLine),
    "POST /api/v1/keys": ("key", *_of(KeyLine)),
    "POST /api/v1/keys/{id}/revoke": _of(KeyLine),
    "POST /api/v1/trusts": _of(TrustLine),
    "POST /api/v1/trusts/{id}/end": _of(TrustLine),
    "GET /api/v1/governance/{id}": _PROPOSAL,
    "POST /api/v1/governance/{id}/approve": _of(Consent),
    "POST /api/v1/governance/{id}/decline": _PROPOSAL,
    "POST /api/v1/governance/{id}/withdraw": _PROPOSAL,
    "POST /api/v1/governance/{id}/apply": tuple(_APPLIED.split()),
    "POST /api/v1/governance/{id}/undo": ("applied", "proposal"),
    "POST /api/v1/handovers": _PROPOSAL,
    "POST /api/v1/handovers/{id}/accept": _PROPOSAL,
    "POST /api/v1/handovers/{id}/decline": _PROPOSAL,
    "POST /api/v1/workflows/{workflow}/members": _of(Membership),
    "DELETE /api/v1/workflows/{workflow}/members/{account}/{role}": ("workflow", "account", "role"),
    "GET /api/v1/owners": _of(Ownership),
    "GET /api/v1/evaluations/{id}/report": ("form", "text"),
    "GET /api/v1/owners/export": ("form", "text"),
    "GET /api/v1/access/explain": _of(Explained),
    "POST /api/v1/token-exchange": ("key", "account", "scopes", "environment", "expires_at"),
    "GET /api/v1/status": _of(Status),
    "GET /api/v1/me": _of(Me),
    "GET /api/v1/runtime/observed": _of(Observed),
    "GET /api/v1/audit/lines/{seq}": _of(LineDetail),
    "GET /api/v1/audit/proof/inclusion": _of(Proof),
    "GET /api/v1/audit/proof/consistency": _of(Proof),
    "GET /api/v1/health": ("ok", "version", "log"),
    "GET /api/v1/calls/{id}/why": (*_of(Why), "approvals"),
}
# Address -> the keys of each item of the page that it gives.
ITEMS: Mapping[str, tuple[str, ...]] = {
    "GET /api/v1/calls": _of(CallLine),
    "GET /api/v1/prompts": _of(PromptLine),
    "GET /api/v1/knowledge/{workflow}": _of(KnowledgeLine),
    "GET /api/v1/knowledge/{workflow}/{name}/releases": _of(KnowledgeReleaseLine),
    "GET /api/v1/evaluations": _of(EvaluationLine),
    "GET /api/v1/evaluations/{id}/results": _of(ResultLine),
    "GET /api/v1/tries": _of(TriedLine),
    "GET /api/v1/reviews": (*_of(ReviewLine), "answered"),
    "GET /api/v1/models": _of(ModelLine),
    "GET /api/v1/providers": _of(SetProvider),
    "GET /api/v1/releases": _of(ReleaseLine),
    "GET /api/v1/people": _of(AccountLine),
    "GET /api/v1/keys": _of(KeyLine),
    "GET /api/v1/trusts": _of(TrustLine),
    "GET /api/v1/audit": _of(Event),
    "GET /api/v1/audit/checkpoints": _of(Issued),
    "GET /api/v1/audit/keys": _of(SigningKey),
    "GET /api/v1/governance": _PROPOSAL,
    "GET /api/v1/workflows/{workflow}/members": _of(Membership),
}


def _told() -> Iterable[tuple[str, str]]:
    yield (
        "GET /api/v1/audit/export",
        "lines of JSON: a head, keys, checkpoints, the log, what it is held against, an end",
    )
    for name, keys in KEYS.items():
        rows = f"; each of `rows` has {codes(_of(Row))}" if name == "GET /api/v1/status" else ""
        rows += f"; each side has {codes(_of(Measured))}" if name == "GET /api/v1/compare" else ""
        yield name, codes(keys) + rows
    for name, keys in ITEMS.items():
        yield name, f"a page of items with {codes(keys)}"


GIVES: Mapping[str, str] = dict(_told())
TAKES: Mapping[str, Any] = {"POST /runtime/v1/acks": SentAck, "POST /runtime/v1/calls": SentCall}
# Address outside OpenAPI -> who may, what it does, what it takes and gives.
OTHERS: Mapping[str, str] = {
    "GET /runtime/v1/snapshot": "An app's key. Gives the snapshot of the key's environment: every prompt that is served "
    "there, with content, weights, rules of authority and fallback. `ETag` is its digest; with `If-None-Match` the "
    "answer is 304 while nothing changed.",
    "POST /runtime/v1/acks": "An app's key. A client says which snapshot version it serves; with `bye` that it ends. "
    "422 for a version or epoch that is not here. Gives `ok`.",
    "POST /runtime/v1/calls": "An app's key. Takes `calls`, a list of at most 500 calls; a call that is known by its `id` "
    "is not stored twice. Gives `new` and `known`, two counts. Each call takes:",
    "GET /healthz": "Everyone. Gives `ok` and `version`.",
    "GET /": "A person who is signed in. The page with what serves where, as HTML.",
    "GET /audit": "A person who is signed in. The log, searched by `actor`, `verb`, `subject`, `since` and `until`, as HTML.",
    "GET /audit/{seq:int}": "A person who is signed in. One line of the log with its proof, as HTML.",
    "POST /audit/verify": "A person who is signed in. Recomputes everything and says what does not fit, as HTML.",
    "GET /evaluations": "A person who is signed in. The evaluations, newest first, of `prompt` where it is named, as HTML.",
    "GET /evaluations/{id}": "A person who is signed in. The report of an evaluation, as HTML.",
    "GET /evaluations/{id}/report.html": "A person who is signed in. The same as one file that needs nothing else.",
    "GET /evaluations/{id}/cases/{case}": "A person who is signed in. One case with both outputs side by side, as HTML.",
    "GET /reviews": "A person who is signed in. The blind reviews that wait for them, and the others.",
    "GET /reviews/{id}": "A person who is signed in. How far they are with a review, and everything once they have signed it.",
    "GET /reviews/{id}/{number:int}": "A holder of the review's role. One case, blind; from then on it counts as opened.",
    "POST /reviews/{id}/{number:int}": "A holder of the review's role, by the form on that page. Answers the case.",
    "POST /reviews/{id}/sign": "A holder of the review's role, by the form on its page. Signs all answers for good.",
    "GET /owners": "A person who is signed in. The ownership map, and what waits for a yes; `workflow` for one of them.",
    "GET /access": "A person who is signed in. Asks whether `who` may do `verb` on `subject`, and says why.",
    "GET /signin": "Everyone. The page to sign in.",
    "POST /signin": "Everyone. Takes the form fields `id` and `password`, or `as` on a demo desk; sets the session's "
    "cookie. 403 for a wrong pair, 429 with `Retry-After` for who has to wait.",
    "POST /signout": "A person who is signed in. Ends the session.",
    "GET /invitation/{code}": "Whoever has a one-time link. The page to set a password; looking does not use it up.",
    "POST /invitation/{code}": "Whoever has a one-time link. Takes `password` twice (`again`), and of the first owner "
    "`id` and `name`; sets the password, uses the link up and signs in.",
    "GET /people": "A person who is signed in. The page with people and keys.",
    "POST /people/add": "An administrator, by the form on that page. Adds a person and shows their link once.",
    "POST /people/invite": "An administrator, by the form on that page. Shows a new link once.",
    "POST /people/disable": "An administrator, by the form on that page. Disables an account.",
    "POST /keys/issue": "An administrator, by the form on that page. Shows a new key once.",
    "POST /trusts/end": "An administrator, by the form on that page. Trusts a pipeline no longer.",
    "POST /keys/revoke": "An administrator, or whose key it is, by a form. Revokes a key.",
    "GET /account": "A person who is signed in. Their own sessions, password and tokens.",
    "POST /account/password": "A person who is signed in, by the form on that page. Changes their password.",
    "POST /account/sessions/end": "A person who is signed in, by the form on that page. Ends one of their sessions.",
    "POST /account/sessions/end-all": "A person who is signed in, by the form on that page. Ends all of their sessions.",
    "POST /account/token": "A person who is signed in, by the form on that page. Shows a new token of theirs once.",
    "GET /signin/oidc": "Everyone, where the desk has a sign-in provider. Sends the browser there, with a cookie that only "
    "the way back needs.",
    "GET /signin/oidc/callback": "Whoever comes back from the provider. Takes `state` and `code`, `iss` where the provider "
    "names itself, or `error`; sets the session's cookie. 403 for what does not fit, 429 with `Retry-After` for who has to "
    "wait, 503 where the provider does not answer.",
    "GET /signin/oidc/out": "Everyone, where the desk has a sign-in provider. Sends the browser there to sign out.",
    "POST /account/connect": "A person who is signed in, by the form on their account's page. Connects the account with "
    "who they are at the provider.",
    "GET /static": "Everyone. Styles and pictures of the pages.",
}
