"""Admin: everything that people do with a desk, over its HTTP API; the server decides, this only asks."""

# long because: one short method for each thing that the API can do

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote

import httpx2

from cuelight import __version__
from cuelight.contract.errors import KINDS, CuelightError, Denied, Invalid, NotFound, Unavailable, from_json

DEFAULT_URL = "http://127.0.0.1:7080"
_TIMEOUT = httpx2.Timeout(30.0, connect=5.0)
_PUSH_TIMEOUT = httpx2.Timeout(120.0, connect=5.0)  # a bundle may be 50 MB
_HINTS: dict[int, type[CuelightError]] = {401: Denied, 403: Denied, 404: NotFound, 413: Invalid, 422: Invalid}

Json = dict[str, Any]


class Admin:
    """A desk, as one person. Every method raises one of the six kinds of error; Unavailable where no server answers.

    `token` is a person's token; `as_` names a person and works on a demo desk only. Neither ever stands in a message.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        token: str | None = None,
        as_: str | None = None,
        *,
        once: str | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Connect on first use; Invalid where the URL is none. `transport` is for tests and for unusual networks.

        With `once`, a name that nobody else uses, approvals, releases, rollbacks and the like are asked again once
        where the connection was lost before the answer came: the desk does none of them twice.
        """
        self.url, self._once, self._asked = url.rstrip("/"), once, 0
        headers = {"User-Agent": f"cuelight/{__version__}", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {_sendable(token, 'the token')}"
        if as_:
            headers["Cuelight-As"] = _sendable(as_, "the name of the person")
        if not self.url.startswith(("http://", "https://")):
            raise Invalid(f"{self.url!r} is no address of a server", f"give it as {DEFAULT_URL}")
        try:
            self._http = httpx2.Client(
                base_url=f"{self.url}/api/v1",
                headers=headers,
                timeout=_TIMEOUT,
                transport=transport,
                trust_env=not _at_home(self.url),  # a proxy never stands between us and this machine
                # Plain http to this machine meets no certificate: reading the whole store of them would only take time.
                verify=not (self.url.startswith("http://") and _at_home(self.url)),
            )
        except httpx2.InvalidURL as bad:
            raise Invalid(f"{self.url!r} is no address of a server", f"give it as {DEFAULT_URL}") from bad

    def __repr__(self) -> str:
        """The address; never the token."""
        return f"Admin({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    # files
    def push(self, bundle: Json, *, as_drafts: bool = False, revive: Sequence[str] = ()) -> Json:
        """Push a folder's bundle; what was minted, unchanged, refused, and which rules are enforced.

        `revive` are full names of retired prompts that it may bring back.
        """
        body: Json = {"bundle": bundle, "as_drafts": as_drafts}
        return self._post("/push", {**body, "revive": list(revive)} if revive else body, timeout=_PUSH_TIMEOUT)

    def lint(self, bundle: Json) -> Json:
        """Findings, rules and digests of a bundle; nothing is written."""
        return self._post("/lint", {"bundle": bundle}, timeout=_PUSH_TIMEOUT)

    def diff(self, prompt: str, before: str, after: str, bundle: Json | None = None) -> Json:
        """What changes between two labels of a prompt; `production` is a label, too."""
        body: Json = {"prompt": prompt, "from": before, "to": after}
        return self._post("/diff", body if bundle is None else {**body, "bundle": bundle}, timeout=_PUSH_TIMEOUT)

    def export(self, workflow: str) -> Json:
        """A workflow as a bundle that gives the same digests when it is pushed."""
        return self._get(f"/export/{_step(workflow)}")

    # prompts
    def prompts(self, after: str = "", limit: int = 50) -> Json:
        """One page of prompts."""
        return self._get("/prompts", after=after, limit=limit)

    def prompt(self, name: str) -> Json:
        """A prompt's card."""
        return self._get(f"/prompts/{_step(name)}")

    def content(self, name: str, label: str) -> Json:
        """The content behind a label."""
        return self._get(f"/prompts/{_step(name)}/{_step(label)}")

    # knowledge
    def knowledge(self, workflow: str, after: str = "", limit: int = 50) -> Json:
        """One page of what a workflow knows."""
        return self._get(f"/knowledge/{_step(workflow)}", after=after, limit=limit)

    def knowledge_releases(self, workflow: str, name: str, before: int | str = "", limit: int = 50) -> Json:
        """One page of the releases of one knowledge, newest first."""
        return self._get(f"/knowledge/{_step(workflow)}/{_step(name)}/releases", before=before, limit=limit)

    def knowledge_release(
        self, workflow: str, name: str, number: int | None = None, after: int = 0, limit: int = 50
    ) -> Json:
        """One release with a page of its items; the newest without a number."""
        asked = "" if number is None else number
        return self._get(f"/knowledge/{_step(workflow)}/{_step(name)}", number=asked, after=after, limit=limit)

    def knowledge_diff(self, workflow: str, name: str, old: int, new: int) -> Json:
        """What differs from one release to another."""
        return self._get(f"/knowledge/{_step(workflow)}/{_step(name)}/diff", **{"from": old, "to": new})

    # providers
    def providers(self) -> Json:
        """The model providers that are set on the desk, without their keys."""
        return self._get("/providers")

    def set_provider(self, name: str, base_url: str, key: str | None, options: Json | None = None) -> Json:
        """Set where a provider answers and its key; None where it needs none."""
        asked = {"base_url": base_url, "key": key, "options": options or {}}
        return self._ask("PUT", f"/providers/{_step(name)}", json=asked)

    def remove_provider(self, name: str) -> Json:
        """Remove a provider and its key."""
        return self._ask("DELETE", f"/providers/{_step(name)}")

    # evaluation
    def start_evaluation(self, prompt: str, label: str, provider: str, baseline: str, **plan: Any) -> str:
        """Begin an evaluation; its id. `plan`: repeat, max_usd, max_calls, max_seconds, cache, max_age_days."""
        asked = {"prompt": prompt, "label": label, "provider": provider, "baseline": baseline, **plan}
        return str(self._post("/evaluations", asked)["id"])

    def evaluation(self, evaluation: str) -> Json:
        """How far an evaluation is, and its report once it is done."""
        return self._get(f"/evaluations/{_step(evaluation)}")

    def written_report(self, evaluation: str, form: str) -> str:
        """The report of an evaluation as a text: `markdown`, `junit` or `html`."""
        return str(self._get(f"/evaluations/{_step(evaluation)}/report", form=form)["text"])

    def evaluated_case(self, evaluation: str, case: str) -> Json:
        """One case of an evaluation, with the outputs of both versions side by side."""
        return self._get(f"/evaluations/{_step(evaluation)}/cases/{_step(case)}")

    def compare(self, prompt: str, before: str, after: str) -> Json:
        """How two versions did on the same test set."""
        return self._get("/compare", **{"prompt": prompt, "from": before, "to": after})

    def evaluations(self, prompt: str, before: str = "", limit: int = 50) -> Json:
        """The evaluations of a prompt, newest first."""
        return self._get("/evaluations", prompt=prompt, before=before, limit=limit)

    def cancel_evaluation(self, evaluation: str) -> Json:
        """End an evaluation before it is done."""
        return self._post(f"/evaluations/{_step(evaluation)}/cancel", {})

    def results(self, evaluation: str, after: str = "", limit: int = 200) -> Json:
        """One page of single results."""
        return self._get(f"/evaluations/{_step(evaluation)}/results", after=after, limit=limit)

    def try_out(self, prompt: str, labels: Sequence[str], **wish: Any) -> Json:
        """A few examples on one or several labels, answered at once; `wish` as the API takes it."""
        return self._post("/tries", {"prompt": prompt, "labels": list(labels), **wish}, timeout=_PUSH_TIMEOUT)

    def tries(self, prompt: str, before: str = "", limit: int = 50) -> Json:
        """One page of what was tried on a prompt, newest first."""
        return self._get("/tries", prompt=prompt, before=before, limit=limit)

    # blind reviews
    def open_review(
        self, evaluation: str, role: str, cases: int | None = None, named: Sequence[str] = (), question: str = ""
    ) -> Json:
        """Ask the holders of a role to read cases of a report blind."""
        asked = {"evaluation": evaluation, "role": role, "cases": cases, "named": list(named), "question": question}
        return self._post("/reviews", asked)

    def reviews(self, prompt: str = "", before: str = "", limit: int = 50) -> Json:
        """One page of reviews, newest first."""
        return self._get("/reviews", prompt=prompt, before=before, limit=limit)

    def review(self, id: str) -> Json:
        """How far one is with a review, and everything once one has signed it."""
        return self._get(f"/reviews/{_step(id)}")

    def open_case(self, id: str, number: int) -> Json:
        """Open one case of a review: its input and its outputs, blind."""
        return self._post(f"/reviews/{_step(id)}/cases/{number}", {})

    def answer_case(self, id: str, number: int, better: str, live: str = "", note: str = "") -> Json:
        """Answer one case of a review."""
        body = {"better": better, "live": live, "note": note}
        return self._ask("PUT", f"/reviews/{_step(id)}/cases/{number}", json=body)

    def sign_review(self, id: str) -> Json:
        """Sign all answers for good; the review as it is revealed then."""
        return self._post(f"/reviews/{_step(id)}/sign", {})

    # releases
    def approve(self, prompt: str, label: str, environment: str, role: str | None = None, note: str = "") -> Json:
        """Say yes to exactly what would be released now."""
        body: Json = {"prompt": prompt, "label": label, "environment": environment, "note": note}
        return self._post_once("/approvals", body if role is None else {**body, "role": role})

    def release_check(self, prompt: str, label: str, environment: str) -> Json:
        """The checklist of a release that nobody has asked for yet."""
        return self._get("/releases/check", prompt=prompt, label=label, environment=environment)

    def release(self, prompt: str, label: str, environment: str, note: str = "") -> Json:
        """Release; Blocked with the checklist in the details where something is missing."""
        asked = {"prompt": prompt, "label": label, "environment": environment, "note": note}
        return self._post_once("/releases", asked)

    def roll_back(self, prompt: str, environment: str, why: str, before: str | None = None) -> Json:
        """Back to the pinned last good version, or off where there is none."""
        body: Json = {"prompt": prompt, "environment": environment, "why": why}
        return self._post_once("/rollbacks", body if before is None else {**body, "from": before})

    def switch_off(self, prompt: str, environment: str, why: str) -> Json:
        """Serve nothing of a prompt in an environment; callers get the declared fallback."""
        return self._post_once("/off", {"prompt": prompt, "environment": environment, "why": why})

    def retire(self, prompt: str, why: str) -> Json:
        """Retire a prompt; its name stays with it."""
        return self._post_once("/retirements", {"prompt": prompt, "why": why})

    def models(self) -> Json:
        """Every model in use, and which are retired."""
        return self._get("/models")

    def retire_model(self, model: str, why: str) -> Json:
        """Record that a model is no longer offered."""
        return self._post("/models/retired", {"model": model, "why": why})

    def observed(self, environment: str, version: int) -> Json:
        """How many live clients follow a snapshot version, and which are silent."""
        return self._get("/runtime/observed", environment=environment, version=version)

    # people and keys
    def people(self, after: str = "", limit: int = 50) -> Json:
        """One page of everyone who is here."""
        return self._get("/people", after=after, limit=limit)

    def add_person(self, id: str, name: str, *, admin: bool = False, kind: str = "person") -> Json:
        """Add a person, a service or an agent."""
        return self._post("/people", {"id": id, "name": name, "admin": admin, "kind": kind})

    def invite(self, id: str) -> Json:
        """A one-time link for a person to set their password; whoever has it can."""
        return self._post(f"/people/{_step(id)}/invitation", {})

    def disable(self, id: str) -> Json:
        """From now on they neither come in nor act."""
        return self._post(f"/people/{_step(id)}/disable", {})

    def keys(self, after: str = "", limit: int = 50, *, ended: bool = False) -> Json:
        """One page of keys, without their secrets: those that work or ended within a day, or all that ever were."""
        return self._get("/keys", after=after, limit=limit, **({"ended": "true"} if ended else {}))

    def issue_key(self, holder: str, kind: str, wish: Json) -> Json:
        """A new key, shown once; `wish` holds environment, scopes, days and label where they were given."""
        return self._post("/keys", {"holder": holder, "kind": kind, **wish})

    def revoke_key(self, id: str) -> Json:
        """From now on the key opens nothing."""
        return self._post(f"/keys/{_step(id)}/revoke", {})

    def trusts(self, after: str = "", limit: int = 50) -> Json:
        """One page of the pipelines that are trusted."""
        return self._get("/trusts", after=after, limit=limit)

    def add_trust(self, service: str, wish: Json) -> Json:
        """Trust the tokens of a pipeline; `wish` holds issuer, audience, conditions, scopes, environment and minutes."""
        return self._post("/trusts", {"service": service, **wish})

    def end_trust(self, id: str) -> Json:
        """Trust a pipeline no longer."""
        return self._post(f"/trusts/{_step(id)}/end", {})

    # who decides
    def proposals(self, workflow: str = "", *, only_open: bool = True) -> Json:
        """What is proposed, newest first."""
        return self._get("/governance", workflow=workflow, only_open=str(only_open).lower(), limit=200)

    def proposal(self, id: str) -> Json:
        """One proposal: what it changes, whose yes is there and whose is missing."""
        return self._get(f"/governance/{_step(id)}")

    def approve_proposal(self, id: str, role: str | None = None, note: str = "") -> Json:
        """Say yes to exactly this change."""
        return self._post(f"/governance/{_step(id)}/approve", {"role": role, "note": note})

    def end_proposal(self, id: str, how: str, why: str) -> Json:
        """`decline` somebody's proposal, or `withdraw` one's own."""
        return self._post(f"/governance/{_step(id)}/{_step(how)}", {"why": why})

    def apply_proposal(self, id: str) -> Json:
        """Put it into force; Blocked with who is asked in the details while a yes is missing."""
        return self._post(f"/governance/{_step(id)}/apply", {})

    def undo_proposal(self, id: str, note: str = "") -> Json:
        """Propose what governed before; in tier low it is done at once."""
        return self._post(f"/governance/{_step(id)}/undo", {"note": note})

    def offer_handover(self, subject: str, role: str, to: str, why: str, before: str | None = None) -> Json:
        """Offer a role of a workflow or prompt to another person; the proposal that they have to accept."""
        body: Json = {"subject": subject, "role": role, "to": to, "why": why}
        return self._post("/handovers", body if before is None else {**body, "from": before})

    def accept_handover(self, id: str, note: str = "") -> Json:
        """Accept a role that is handed over to oneself."""
        return self._post(f"/handovers/{_step(id)}/accept", {"note": note})

    def decline_handover(self, id: str, why: str) -> Json:
        """Decline a role that is handed over to oneself."""
        return self._post(f"/handovers/{_step(id)}/decline", {"why": why})

    def owners(self, workflow: str = "") -> Json:
        """The ownership map, what is missing first."""
        return self._get("/owners", workflow=workflow)

    def owners_export(self, workflow: str, form: str) -> str:
        """The map as a page of Markdown (`md`) or as `csv`."""
        return str(self._get("/owners/export", workflow=workflow, form=form)["text"])

    def explain(self, who: str, verb: str, subject: str) -> Json:
        """Whether somebody may do something, why, and who could."""
        return self._get("/access/explain", who=who, verb=verb, subject=subject)

    def members(self, workflow: str) -> Json:
        """Who was let into a workflow."""
        return self._get(f"/workflows/{_step(workflow)}/members")

    def admit(self, workflow: str, account: str, role: str) -> Json:
        """Let somebody into a workflow."""
        return self._post(f"/workflows/{_step(workflow)}/members", {"account": account, "role": role})

    def dismiss(self, workflow: str, account: str, role: str) -> Json:
        """Take a place in a workflow away."""
        return self._ask("DELETE", f"/workflows/{_step(workflow)}/members/{_step(account)}/{_step(role)}")

    def exchange_token(self, token: str, service: str | None = None) -> Json:
        """A short key for a pipeline's own token, which counts once; needs no key."""
        body: Json = {"token": token}
        return self._post("/token-exchange", body if service is None else {**body, "service": service})

    # looking
    def status(self) -> Json:
        """What serves where."""
        return self._get("/status")

    def why(self, output: str, environment: str = "") -> Json:
        """Everything known about the call that made an output; "" looks in production first, then elsewhere."""
        return self._get(f"/calls/{_step(output)}/why", environment=environment)

    def calls(self, prompt: str, environment: str, before: str = "", limit: int = 50) -> Json:
        """Recorded calls of a prompt, newest first; `values` is null where the desk does not keep them."""
        return self._get("/calls", prompt=prompt, environment=environment, before=before, limit=limit)

    def audit(self, before: int | str = "", limit: int = 50, **asked: str) -> Json:
        """One page of the audit log, newest first, from below the line `before`.

        `asked` narrows it down: actor, verb, subject, since, until.
        """
        return self._get("/audit", order="newest", before=before, limit=limit, **asked)

    def audit_line(self, line: int) -> Json:
        """One line of the log with its proof."""
        return self._get(f"/audit/lines/{line}")

    def audit_checkpoints(self, after: int = 0, limit: int = 50) -> Json:
        """The checkpoints that were signed, oldest first, from above the size `after`."""
        return self._get("/audit/checkpoints", after=after, limit=limit)

    def audit_keys(self) -> Json:
        """The public keys that signed the log, oldest first."""
        return self._get("/audit/keys")

    def consistency(self, old: int, size: int) -> Json:
        """The proof that the log of `old` lines is the start of that of `size`."""
        return self._get("/audit/proof/consistency", old=old, size=size)

    def audit_export(self) -> Iterator[bytes]:
        """The whole log as `cuelight verify` reads it, piece by piece."""
        try:
            with self._http.stream("GET", "/audit/export", timeout=_PUSH_TIMEOUT) as answer:
                if answer.is_success:
                    yield from answer.iter_bytes()
                else:
                    answer.read()
                    self._read(answer)
        except (httpx2.TransportError, OSError) as gone:
            raise Unavailable(f"{self.url} did not send the whole log", "try again", answer="none") from gone

    def me(self) -> Json:
        """Who the desk thinks is asking."""
        return self._get("/me")

    def _get(self, path: str, **query: Any) -> Json:
        return self._ask("GET", path, params={key: value for key, value in query.items() if value != ""})

    def _post(self, path: str, body: Json, timeout: httpx2.Timeout = _TIMEOUT) -> Json:
        return self._ask("POST", path, json=body, timeout=timeout)

    def _post_once(self, path: str, body: Json) -> Json:
        """Post what must not happen twice; asked again where the connection broke and nobody knows what became of it."""
        if self._once is None:
            return self._post(path, body)
        self._asked += 1
        headers = {"Idempotency-Key": f"{self._once}-{self._asked}"}
        try:
            return self._ask("POST", path, json=body, headers=headers)
        except Unavailable as gone:
            if gone.details.get("answer") != "lost":
                raise
        return self._ask("POST", path, json=body, headers=headers)

    def _ask(self, method: str, path: str, **how: Any) -> Json:
        try:
            answer = self._http.request(method, path, **how)
        except httpx2.TimeoutException as late:
            raise Unavailable(
                f"{self.url} did not answer in time", "try again; is the server busy?", answer="late"
            ) from late
        except (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError) as lost:
            hint = "look at `cuelight status` and `cuelight audit` before you do it again"
            raise Unavailable(
                f"the connection to {self.url} was lost before the answer came", hint, answer="lost"
            ) from lost
        except (httpx2.TransportError, OSError) as gone:
            hint = "start one with: cuelight-server serve, or name another with --server or CUELIGHT_URL"
            raise Unavailable(f"no server answers at {self.url}", hint, answer="none") from gone
        return self._read(answer)

    def _read(self, answer: httpx2.Response) -> Json:
        try:
            body = answer.json()
        except ValueError:
            body = None
        if answer.is_success and isinstance(body, dict):
            return body
        if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
            error = from_json(body["error"])
            if body["error"].get("kind") not in KINDS:
                error.details["answer"] = "unreadable"
            if answer.status_code == httpx2.codes.UNAUTHORIZED and error.details.get("credentials") != "unfit":
                error.hint = "give your token with --token or CUELIGHT_TOKEN; on a demo desk --as <person> does"
            raise error
        kind = _HINTS.get(answer.status_code, Unavailable)
        raise kind(
            f"{self.url} answered {answer.status_code} without saying why",
            "is this a Cuelight server of this version?",
            answer="unreadable",
        )


def _at_home(url: str) -> bool:
    return httpx2.URL(url).host in ("127.0.0.1", "localhost", "::1")


def _step(name: str) -> str:
    return quote(name, safe="") or "-"


def _sendable(text: str, what: str) -> str:
    if not text.isascii() or not text.isprintable() or text.strip() != text:
        raise Invalid(f"{what} holds characters that cannot be sent", "copy it again, without spaces and line ends")
    return text
