"""What the lines of a log mean: which version they let serve where, on whose yes and on which evidence; pure."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight.contract.canonical import digest
from cuelight.contract.errors import Invalid
from cuelight.contract.log import Finding, Tampering

Place = tuple[str, str, str]  # prompt, environment, tenant
BOUND = ("content", "prompt", "number", "environment", "revision", "suite", "prices", "knowledge", "evidence")
_APPROVAL, _REVIEW = "approval:", "human_review:"
_POINTS = ("weights", "rollback_target", "kill", "release", "revision")


def binding(bound: Mapping[str, object]) -> str:
    """The digest that an approval is bound to: content, target, governance, suite, prices, knowledge, evidence together.

    The number of an evaluation or a revision is for people; what counts are the digests.
    """
    return digest({name: bound[name] for name in BOUND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A release as its line tells it, with the yeses that stood in the log before it."""

    seq: int
    prompt: str
    content: str
    binding: str
    checklist: str | None
    approvals: tuple[tuple[str, str], ...]  # (role, person)
    reviews: tuple[tuple[str, str], ...]  # (role, person) of every blind review of this report that was signed
    authors: frozenset[str]


@dataclass(slots=True)
class Meaning:
    """Reads line after line, oldest first, and keeps what they add up to; `findings` is what they could not have meant."""

    findings: list[Finding] = field(default_factory=list)
    _minted: dict[tuple[str, int], str] = field(default_factory=dict)
    _authors: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    _evidence: dict[str, tuple[str, str]] = field(default_factory=dict)  # digest -> prompt, verdict
    _yes: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    _read: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    _released: dict[tuple[str, str], set[int]] = field(default_factory=lambda: defaultdict(set))
    _opened: dict[str, Opened] = field(default_factory=dict)
    _serves: dict[Place, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    _published: dict[str, tuple[int, int, str]] = field(default_factory=dict)  # environment -> line, version, digest

    def read(self, seq: int, body: str) -> None:
        """One line; what cannot be read as a line of Cuelight is a finding."""
        try:
            line = json.loads(body)
            verb, subject, actor, facts = line["verb"], line["subject"], line["actor"], line["facts"]
            if facts.get("no_op"):
                return
            prompt, _, label = subject.partition("@")
            match verb:
                case "prompt.mint":
                    self._minted[prompt, _number(label)] = facts["digest"]
                    self._authors[prompt, facts["digest"]].add(actor)
                case "draft.save":
                    self._authors[prompt, facts["digest"]].add(actor)
                case "evaluation.finish":
                    if isinstance(facts["evidence"], str):
                        self._evidence[facts["evidence"]] = prompt, facts["verdict"]
                case "release.approve":
                    self._yes[facts["binding"]].append((facts["role"], actor))
                case "review.sign":
                    self._read[facts["content"], facts["evidence"]].append((facts["role"], actor))
                case "release.open":
                    self._open(seq, prompt, _number(label), facts)
            if verb != "refused":
                ended = facts["ended"] if verb == "prompt.retire" else {}  # other lines end links and sessions
                self._moved(seq, prompt, line["at"], facts, ended)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError, Invalid):
            self._say(seq, f"line {seq} cannot be read as a line of Cuelight")

    def _moved(self, seq: int, prompt: str, at: str, facts: Mapping[str, Any], ends: Mapping[str, Any]) -> None:
        """What serves and what was published after a line: in one environment, or in each that it names."""
        if "deployment" in facts:
            self._move(seq, (prompt, facts["environment"], facts.get("tenant", "")), at, facts["deployment"])
        for environment, ended in ends.items():
            self._move(seq, (prompt, environment, ""), at, ended["deployment"])
        published = {facts["environment"]: facts["snapshot"]} if "snapshot" in facts else facts.get("snapshots", {})
        for environment, made in published.items():
            self._published[environment] = seq, made["version"], made["digest"]

    def against(
        self,
        serves: Mapping[Place, Mapping[str, Any]],
        checklists: Mapping[str, Any],
        published: Mapping[str, tuple[int, str]],
    ) -> None:
        """Hold what the lines add up to against what the desk says that it serves, released on, and published."""
        for place, (seq, told) in self._serves.items():
            if place not in serves:
                self._say(seq, f"{_named(place)} serves nothing on record; line {seq} let it serve")
            else:
                self._point(place, seq, told, serves[place])
        for place in serves.keys() - self._serves.keys():
            self._say(None, f"{_named(place)} serves, and no line of the log let it")
        for id, one in self._opened.items():
            self._promoted(id, one, checklists.get(id))
        for environment, (seq, version, made) in self._published.items():
            if published.get(environment) != (version, made):
                self._say(seq, f"the newest snapshot of {environment} is not the one that line {seq} published")

    def _open(self, seq: int, prompt: str, number: int, facts: Mapping[str, Any]) -> None:
        """A release: of a minted version, bound to exactly its content, on a report that passed."""
        name, bound = f"line {seq} released {prompt}@v{number}", facts["bound"]
        content = self._minted.get((prompt, number))
        if content is None:
            self._say(seq, f"{name}, which was never minted")
        elif (bound["content"], bound["prompt"], bound["number"]) != (content, prompt, number):
            self._say(seq, f"{name}, but what was approved is another content")
        if binding(bound) != facts["binding"] or bound["environment"] != facts["environment"]:
            self._say(seq, f"{name}, but its approvals are bound to something else")
        if self._evidence.get(bound["evidence"]) != (prompt, "pass"):
            self._say(seq, f"{name} without a report that passed")
        self._released[prompt, facts["environment"]].add(number)
        self._opened[facts["id"]] = Opened(
            seq=seq,
            prompt=f"{prompt}@v{number}",
            content=bound["content"],
            binding=facts["binding"],
            checklist=facts.get("checklist"),
            approvals=tuple(self._yes[facts["binding"]]),
            reviews=tuple(self._read[bound["content"], bound["evidence"]]),
            authors=frozenset(self._authors[prompt, bound["content"]]),
        )

    def _move(self, seq: int, place: Place, at: str, after: Mapping[str, Any]) -> None:
        """What serves changes: only to versions that were released there before."""
        strange = [number for number, _ in after["weights"] if number not in self._released[place[:2]]]
        for number in strange:
            self._say(seq, f"line {seq} lets {place[0]}@v{number} serve in {place[1]}, where it was never released")
        self._serves[place] = seq, {**{name: after[name] for name in _POINTS}, "since": at}

    def _point(self, place: Place, seq: int, told: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
        for name, wanted in told.items():
            if name not in stored or stored[name] != wanted:
                words = {"weights": "what it serves", "kill": "its kill switch"}.get(name, name.replace("_", " "))
                self._say(seq, f"{_named(place)}: {words} is not what line {seq} left; it was moved past the log")

    def _promoted(self, id: str, one: Opened, checklist: Any) -> None:
        """A release has its checklist, and every role on it a yes by another person, none of them an author."""
        name = f"line {one.seq} released {one.prompt}"
        try:
            if checklist is None or (one.checklist is not None and digest(checklist) != one.checklist):
                self._say(one.seq, f"{name}: the checklist of {id} is not the one it was opened with")
                return
            items = checklist["items"]
            roles = [item["id"].removeprefix(_APPROVAL) for item in items if item["id"].startswith(_APPROVAL)]
            readers = [item["id"].removeprefix(_REVIEW) for item in items if item["id"].startswith(_REVIEW)]
            if not all(item["ok"] is True for item in items):
                self._say(one.seq, f"{name} although its checklist does not hold")
        except (LookupError, TypeError, AttributeError, Invalid):
            self._say(one.seq, f"{name}: the checklist of {id} cannot be read")
            return
        read = {role for role, who in one.reviews if who not in one.authors}
        unread = [role for role in readers if role not in read]
        if unread:
            self._say(one.seq, f"{name} without a signed review by the {', '.join(unread).replace('_', ' ')}")
        could = {role: {who for asked, who in one.approvals if asked == role} - one.authors for role in roles}
        missing = _unfilled(roles, could)
        if missing:
            self._say(one.seq, f"{name} without the yes of the {', '.join(missing).replace('_', ' ')}")

    def _say(self, seq: int | None, words: str) -> None:
        self.findings.append(Finding(Tampering.MOVE, seq, words))


def _unfilled(roles: list[str], could: Mapping[str, set[str]]) -> list[str]:
    """The roles that no person is left for when each person fills one (augmenting paths, Kuhn's algorithm)."""
    taken = dict[str, str]()

    def fill(role: str, tried: set[str]) -> bool:
        for person in sorted(could[role] - tried):
            tried.add(person)
            if person not in taken or fill(taken[person], tried):
                taken[person] = role
                return True
        return False

    return [role for role in roles if not fill(role, set())]


def places(rows: Iterator[Mapping[str, Any]]) -> dict[Place, dict[str, Any]]:
    """What the desk says that it serves, from the rows of an export; Invalid for what is none."""
    found = dict[Place, dict[str, Any]]()
    for row in rows:
        try:
            read = {
                **row,
                "weights": json.loads(row["weights"]),
                "kill": json.loads(row["kill"]) if row["kill"] else None,
            }
            found[row["prompt"], row["environment"], row["tenant"]] = read
        except (LookupError, TypeError, ValueError, RecursionError):
            place = tuple(str(row.get(name)) for name in ("prompt", "environment", "tenant"))
            found[place[0], place[1], place[2]] = {"weights": "unreadable"}
    return found


def _number(label: str) -> int:
    return int(label.removeprefix("v"))


def _named(place: Place) -> str:
    return f"{place[0]} in {place[1]}" + (f" for {place[2]}" if place[2] else "")
