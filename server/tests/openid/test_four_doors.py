"""Every role through all four doors: the command, the API with a person's token, a service key, a pipeline's key.

What a role may do is read from the written matrix; a right that differs by door is what this test is there to find.
"""

import contextlib
import io
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from cuelight.cli.main import main as cuelight
from cuelight_server.audit.duties import DUTIES
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.access import Wish, add_actor, issue, issue_token
from cuelight_server.control.members import admit, appoint_auditor
from cuelight_server.control.opening import create_desk
from cuelight_server.control.push import push
from cuelight_server.control.trusts import _NEVER, Wished, add_trust
from cuelight_server.control.verify import verify_desk
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.terms import ActorKind, Role
from server.tests.folders import OWNERS, PROMPT, edited, folder, workflow
from server.tests.openid.provider import CLIENT, SECRET, sign_in_there
from server.tests.openid.serving import serving
from server.tests.releasing import who
from server.tests.rules.test_permissions import MATRIX

OWNING = dict(zip("WDERS", OWNERS, strict=True))  # letter of the matrix -> role
ROLES = {**OWNING, "r": "reader", "m": "member", "a": "administrator", "p": "nobody in particular"}
PEOPLE = {
    **{letter: OWNERS[role] for letter, role in OWNING.items()},
    "r": "rae.reader",
    "m": "max.member",
    "a": "ada.admin",
    "p": "ivy.auditor",  # sees every workflow and holds nothing in one
}
MACHINES = tuple("WDERSrm")  # the places that a service account can be given
SUBJECT, NOBODY = "library.answer", "nobody.here"


@dataclass(frozen=True)
class Probe:
    """How one verb is asked for at the API and at the command line; where there is no command, `command` is None."""

    method: str
    path: str
    body: Callable[[str], Any] = lambda _: None  # of a word that no other request has
    command: tuple[str, ...] | None = None


def _release(**more):
    return lambda _: {"prompt": SUBJECT, **more}


def _titled(word):
    return {"bundle": folder(workflow=workflow(purpose=f"Readers get an answer, {word}."))}


def _drafted(word):
    draft = edited(PROMPT, "release_note", to=f"Tried by {word}.")
    return {"bundle": folder(labels={f"try_{word}": draft}), "as_drafts": True}


KEY = "0" * 16
PROBES = {
    Verb.WORKFLOW_PUSH: Probe("POST", "/push", _titled),
    Verb.DRAFT_SAVE: Probe("POST", "/push", _drafted),
    Verb.EVALUATION_RUN: Probe(  # one that is there would be waited for
        "POST", "/evaluations", _release(label="v9"), ("eval", f"{SUBJECT}@v9")
    ),
    Verb.RELEASE_APPROVE: Probe(
        "POST", "/approvals", _release(label="v1"), ("approve", f"{SUBJECT}@v1", "--to", "production")
    ),
    Verb.RELEASE_OPEN: Probe(
        "POST", "/releases", _release(label="v1"), ("release", f"{SUBJECT}@v1", "--to", "production")
    ),
    Verb.RELEASE_ROLL_BACK: Probe("POST", "/rollbacks", _release(why="x"), ("rollback", SUBJECT, "--why", "x")),
    Verb.PROMPT_SWITCH_OFF: Probe(
        "POST",
        "/off",
        _release(why="x", environment="staging"),
        ("off", SUBJECT, "--environment", "staging", "--why", "x"),
    ),
    Verb.PROMPT_RETIRE: Probe(
        "POST",
        "/retirements",
        lambda _: {"prompt": "library.nothing", "why": "x"},
        ("retire", "library.nothing", "--why", "x"),
    ),
    Verb.MODEL_RETIRE: Probe(
        "POST", "/models/retired", lambda _: {"model": "m-old", "why": "x"}, ("models", "retire", "m-old", "--why", "x")
    ),
    Verb.GOVERNANCE_APPROVE: Probe("POST", "/governance/{gov}/approve", lambda _: {}, ("govern", "approve", "{gov}")),
    Verb.GOVERNANCE_APPLY: Probe("POST", "/governance/{gov}/apply", command=("govern", "apply", "{gov}")),
    Verb.HANDOVER_OFFER: Probe(
        "POST",
        "/handovers",
        lambda _: {"subject": "library", "role": "risk_owner", "to": NOBODY, "why": "x"},
        ("handover", "offer", "library", "--role", "risk_owner", "--to", NOBODY, "--why", "x"),
    ),
    Verb.MEMBER_ADMIT: Probe(
        "POST",
        "/workflows/library/members",
        lambda _: {"account": NOBODY, "role": "reader"},
        ("access", "admit", "library", NOBODY),
    ),
    Verb.MEMBER_DISMISS: Probe(
        "DELETE", f"/workflows/library/members/{NOBODY}/reader", command=("access", "dismiss", "library", NOBODY)
    ),
    Verb.ACTOR_DISABLE: Probe("POST", f"/people/{NOBODY}/disable", command=("people", "disable", NOBODY, "--yes")),
    Verb.INVITATION_ISSUE: Probe("POST", f"/people/{NOBODY}/invitation", command=("people", "invite", NOBODY)),
    Verb.TOKEN_REVOKE: Probe("POST", f"/keys/{KEY}/revoke", command=("keys", "revoke", KEY)),
    Verb.TRUST_END: Probe("POST", f"/trusts/{KEY}/end", command=("trusts", "end", KEY, "--yes")),
    Verb.PROVIDER_REMOVE: Probe("DELETE", "/providers/openai", command=("providers", "remove", "openai")),
    Verb.DESK_READ: Probe("GET", "/prompts/library.answer", command=("card", SUBJECT)),
}
BY_EVERYBODY = {  # a command costs ten times what a request does
    Verb.EVALUATION_RUN,
    Verb.RELEASE_APPROVE,
    Verb.RELEASE_OPEN,
    Verb.RELEASE_ROLL_BACK,
    Verb.GOVERNANCE_APPROVE,
    Verb.MEMBER_ADMIT,
    Verb.TOKEN_REVOKE,
    Verb.DESK_READ,
}
NO_COMMAND = {
    Verb.WORKFLOW_PUSH: "`cuelight push` sends the same folder to the same address; its own tests hold it to that",
    Verb.DRAFT_SAVE: "the same, with --drafts",
}
BY_DESIGN = {  # what a kind of account never does, whatever role it was given: the one way in which doors may differ
    "service": "a service account works for people and never decides for them",
    "pipeline": "no pipeline ever gets a scope that lets people in or says yes for them",
}


def job(letter: str) -> str:
    """The service account that has this place."""
    return ROLES[letter].replace("_", "-")


class Door:
    """One way in: `ask` says whether the right is there, whatever else stands in the way of what was asked."""

    def __init__(self, url: str, keys: dict[str, str], gov: str) -> None:
        self.url, self.keys, self.gov, self.asked = url, keys, gov, 0
        self.http = httpx2.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=20)

    def api(self, letter: str, verb: Verb) -> bool:
        probe, self.asked = PROBES[verb], self.asked + 1
        head = {"Authorization": f"Bearer {self.keys[letter]}"}
        path = probe.path.format(gov=self.gov)
        answer = self.http.request(probe.method, path, headers=head, json=probe.body(f"n{id(self)}x{self.asked}"))
        assert answer.status_code not in (401, 500), answer.text
        return _has_the_right(answer.status_code == 403, answer.text)

    def command(self, letter: str, verb: Verb) -> bool:
        words = [one.format(gov=self.gov) for one in PROBES[verb].command or ()]
        self.asked += 1
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            cuelight([*words, "--server", self.url, "--token", self.keys[letter]])
        said = err.getvalue() + out.getvalue()
        assert ended.value.code != 29, said
        return _has_the_right(ended.value.code == 23, said)


def _has_the_right(refused: bool, said: str) -> bool:
    """A refusal by the process (an author may not approve) is none of the right: that says who may, or for what a key is."""
    return not (refused and re.search(r"may not|is not for|for administrators", said))


def workload_token(idp: Any, back: str) -> Callable[[], str]:
    """Tokens of Canaille for one account of it, each by a whole authorization code flow through its own pages."""
    browser = httpx2.Client(follow_redirects=True, trust_env=False, timeout=20)
    asked = {"response_type": "code", "client_id": CLIENT, "redirect_uri": back, "scope": "openid"}

    def another(number: list[int] = [0]) -> str:  # noqa: B006  it counts
        number[0] += 1
        page = browser.get(f"{idp.issuer}/oauth/authorize", params={**asked, "nonce": f"n{number[0]}", "state": "s"})
        end = sign_in_there(browser, page, "pipeline")
        code = parse_qs(urlsplit(str(end.url)).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        answer = browser.post(f"{idp.issuer}/oauth/token", data=form, auth=(CLIENT, SECRET))
        return str(answer.json()["id_token"])

    return another


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, idp: Any) -> Iterator[dict[str, Door]]:
    """One desk, one server, and everybody with their key for each door."""
    desk = create_desk(tmp_path_factory.mktemp("doors") / "desk")
    add_actor(desk, SYSTEM, "pat.pusher", "Pat Pusher")
    for letter, id in PEOPLE.items():
        add_actor(desk, SYSTEM, id, id.replace(".", " ").title(), admin=letter == "a")
    appoint_auditor(desk, SYSTEM, PEOPLE["p"])
    push(desk, who(desk, "pat.pusher"), folder())  # so that no owner is an author
    proposal = push(desk, who(desk, OWNERS["risk_owner"]), folder(workflow=workflow(tier="standard"))).to_json()
    ana = who(desk, OWNERS["workflow_owner"])
    for letter in "rm":
        admit(desk, ana, "library", PEOPLE[letter], ROLES[letter])
    tokens = {letter: issue_token(desk, SYSTEM, id) for letter, id in PEOPLE.items()}
    services = {letter: issue(desk, SYSTEM, job(letter), ActorKind.SERVICE, None, Wish()) for letter in MACHINES}
    for letter in MACHINES:
        admit(desk, ana, "library", f"service:{job(letter)}", ROLES[letter])
    try:
        with serving(desk) as at:
            pipelines = dict(_pipelines(desk, idp, at))
            gov = proposal["proposal"]["id"]
            keys = {"command": tokens, "API": tokens, "service": services, "pipeline": pipelines}
            yield {name: Door(at.url, held, gov) for name, held in keys.items()}
        assert verify_desk(desk).problems == ()
    finally:
        desk.close()


def _pipelines(desk: Any, idp: Any, at: Any) -> Iterator[tuple[str, str]]:
    """A key for each place, in exchange for a token of the provider."""
    back = f"{at.url}/healthz"
    idp.add_client(back, back)
    idp.add_person("pipeline", "The Pipeline", "pipeline@example.org")
    scopes = [verb.value for verb in PROBES if verb not in _NEVER]
    token = workload_token(idp, back)
    for letter in MACHINES:
        service = job(letter)
        trusted = Wished(issuer=idp.issuer, audience=CLIENT, conditions={"sub": "pipeline"}, scopes=scopes)
        add_trust(desk, SYSTEM, service, trusted, plain_at_home=True)
        sent = {"token": token(), "service": service}
        answer = httpx2.post(f"{at.url}/api/v1/token-exchange", json=sent, trust_env=False)
        assert answer.status_code == 200, answer.text
        yield letter, answer.json()["key"]


def wanted(door: str, letter: str, verb: Verb) -> bool:
    """What the matrix says; a machine does what its place and its kind both allow."""
    allowed = letter in MATRIX[verb.value]
    if door in ("command", "API"):
        return allowed
    service = allowed and "v" in MATRIX[verb.value]
    return service and not (door == "pipeline" and verb in _NEVER)


def cases() -> Iterator[tuple[str, str, Verb]]:
    """Door, role and verb: every one at the API; at the command line all roles for some verbs, two for the others."""
    for verb in PROBES:
        for door, letters in (("command", ROLES), ("API", ROLES), ("service", MACHINES), ("pipeline", MACHINES)):
            if door != "command" or verb in BY_EVERYBODY:
                yield from ((door, letter, verb) for letter in letters)
            elif verb not in NO_COMMAND:
                one_of_each = {letter in MATRIX[verb.value]: letter for letter in ROLES}
                yield from ((door, letter, verb) for letter in one_of_each.values())


def differing(doors: dict[str, Door]) -> list[str]:
    """Every combination in which a door does not answer as the matrix says."""
    found = []
    for door, letter, verb in cases():
        ask = doors[door].command if door == "command" else doors[door].api
        if ask(letter, verb) != wanted(door, letter, verb):
            found.append(f"{verb.value} as {ROLES[letter]} by {door}: should be {wanted(door, letter, verb)}")
    return found


def test_each_role_may_the_same_through_the_command_the_api_a_service_key_and_a_pipelines_key(doors, capsys):
    assert differing(doors) == []
    tried = list(cases())
    table = {door: [wanted(*one) for one in tried if one[0] == door] for door in doors}
    counts = ", ".join(f"{door} {len(told)} ({sum(told)} may)" for door, told in table.items())
    with capsys.disabled():
        sys.stdout.write(f"\n{len(tried)} combinations of door, role and verb: {counts}\n")
    assert sum(door.asked for door in doors.values()) >= len(tried)
    assert {door: len(told) for door, told in table.items()} == {
        "command": 92,
        "API": 180,
        "service": 140,
        "pipeline": 140,
    }


def test_each_role_has_something_that_it_may_and_something_that_it_may_not_at_every_door():
    for door, letter in {(door, letter) for door, letter, _ in cases()}:
        told = {wanted(door, letter, verb) for one, other, verb in cases() if (one, other) == (door, letter)}
        assert told == {True, False}, (door, ROLES[letter])


def test_the_rights_behind_each_owners_duty_are_asked_for_at_the_doors():
    pushed = {Verb.PROMPT_MINT, Verb.SUITE_PUSH, Verb.KNOWLEDGE_PUSH, Verb.PRICES_PUSH, Verb.RECORDING_PUSH}
    ended = {Verb.PROMPT_REVIVE, Verb.WORKFLOW_GOVERN, Verb.GOVERNANCE_PROPOSE, Verb.GOVERNANCE_DECLINE}
    read = {Verb.REVIEW_OPEN, Verb.REVIEW_ANSWER, Verb.REVIEW_SIGN, Verb.PROMPT_TRY, Verb.EVALUATION_CANCEL}
    for role in Role:  # what is pushed is one folder; what ends a thing would end it for the role that comes next
        assert set(DUTIES[role].rights) - set(PROBES) <= pushed | ended | read, role


def test_where_a_machine_may_less_than_a_person_of_the_same_role_there_is_a_reason():
    less = {
        (door, verb)
        for door, letter, verb in cases()
        if door in BY_DESIGN and letter in MATRIX[verb.value] and not wanted(door, letter, verb)
    }
    assert {verb for _, verb in less} == {
        Verb.RELEASE_APPROVE,
        Verb.GOVERNANCE_APPROVE,
        Verb.GOVERNANCE_APPLY,
        Verb.HANDOVER_OFFER,
        Verb.MEMBER_ADMIT,
        Verb.MEMBER_DISMISS,
    }
    assert all(ActorKind.SERVICE not in verb.rule.kinds for _, verb in less)
