"""Approving, releasing and rolling back: each one act, all or nothing."""

from dataclasses import asdict, dataclass
from typing import Any

from cuelight.contract.canonical import digest
from cuelight_server.access.model import Once
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act, enter
from cuelight_server.control.evidence import gather, look
from cuelight_server.control.routing import UNREADABLE, publish, restorable
from cuelight_server.control.standing import Looked
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Conflict, CuelightError, Invalid, NotFound
from cuelight_server.kernel.terms import Environment, ReleaseState, Role
from cuelight_server.releases import checklist, rules, store
from cuelight_server.releases.model import Approval, Checklist, Facts, Release
from cuelight_server.releases.rules import Back
from cuelight_server.routing import rules as moves
from cuelight_server.routing import store as routing
from cuelight_server.routing.model import Deployment, Kill, Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A release that is live now; labels are `v2`."""

    id: str
    prompt: str
    label: str
    environment: str
    previous: str | None
    binding: str
    snapshot_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """A rollback: from which version to which, None = nothing is served and callers get the declared fallback.

    `no_op` says that it was done before; `snapshot_version` is what clients have to follow in either case. `words` tell
    what else there is to know, such as a version that was passed over; empty where it all went as one would think.
    """

    prompt: str
    environment: str
    from_: str | None
    to: str | None
    switched_off: bool
    snapshot_version: int
    no_op: bool = False
    words: str = ""

    def to_json(self) -> dict[str, Any]:
        """The result as it goes over the wire."""
        return {
            "prompt": self.prompt,
            "environment": self.environment,
            "from": self.from_,
            "to": self.to,
            "switched_off": self.switched_off,
            "snapshot_version": self.snapshot_version,
            "no_op": self.no_op,
            "words": self.words,
        }


def approve(
    desk: Desk,
    actor: Actor,
    prompt: str,
    label: str,
    environment: str = Environment.PRODUCTION,
    role: str | None = None,
    note: str = "",
    *,
    once: Once | None = None,
) -> Approval:
    """A person's yes to exactly this content, target, governance, suite and evidence.

    `role` is needed only to choose among several. Blocked, Denied, Invalid and Conflict as in `releases.rules.role_for`.
    """
    place, asked = moves.environment_of(environment), _role(role)
    enter(desk, actor, Verb.RELEASE_APPROVE, f"{prompt}@{label}")
    looked = _looked(desk, prompt, label, place)
    with act(desk, actor, Verb.RELEASE_APPROVE, f"{prompt}@{label}", once=once) as work:
        facts = gather(desk, work.sql, prompt, label, place, looked)
        chosen = rules.role_for(facts, work.actor.id, asked)
        approval = _approval(desk, work, facts, chosen, note)
        store.save_approval(work.sql, approval)
        work.note(id=approval.id, environment=place, role=chosen.value, binding=approval.binding, note=note)
        work.note(bound=dict(facts.bound))
        work.answer(asdict(approval))
    return approval


def check(desk: Desk, prompt: str, label: str, environment: str = Environment.PRODUCTION) -> Checklist:
    """The checklist as it stands; nothing is changed."""
    place = moves.environment_of(environment)
    with reading(desk.registry) as sql:
        return checklist.check(gather(desk, sql, prompt, label, place))


def release(
    desk: Desk,
    actor: Actor,
    prompt: str,
    label: str,
    environment: str = Environment.PRODUCTION,
    note: str = "",
    *,
    once: Once | None = None,
) -> Released:
    """Serve this version to everyone in the environment, from now on.

    Everything is checked again inside the transaction that applies it. Blocked names every missing item and who can
    provide it, with the checklist in details.checklist; Conflict when it is live already.
    """
    place = moves.environment_of(environment)
    enter(desk, actor, Verb.RELEASE_OPEN, f"{prompt}@{label}")
    looked = _looked(desk, prompt, label, place)
    with act(desk, actor, Verb.RELEASE_OPEN, f"{prompt}@{label}", once=once) as work:
        facts = gather(desk, work.sql, prompt, label, place, looked)
        if facts.number is not None and facts.number == facts.live:
            raise Conflict(f"{prompt}@{label} is live in {place} already", "nothing to do")
        checked = checklist.check(facts)
        if not checked.ok or facts.number is None or checked.binding is None:
            raise rules.refused(checked)
        stored = checklist.check(checklist.by_id(facts))
        opened = _opened(desk, work, facts, facts.number, stored, note)
        published = _apply(desk, work, opened)
        done = Released(
            id=opened.id,
            prompt=prompt,
            label=label,
            environment=place,
            previous=moves.label_of(opened.previous),
            binding=opened.binding,
            snapshot_version=published.version,
        )
        work.answer(asdict(done))
    return done


def roll_back(
    desk: Desk,
    actor: Actor,
    prompt: str,
    environment: str = Environment.PRODUCTION,
    why: str = "",
    from_label: str | None = None,
    *,
    once: Once | None = None,
) -> RolledBack:
    """One switch to the pinned last good version, or off with the declared fallback where there is none.

    It needs a reason and nothing else: no report, no approval. `from_label` is what the caller saw as live: when that
    was rolled back already nothing happens, when something else serves it is a Conflict. Without it a second rollback
    after the first changes nothing. A target that was never live through a release is passed over.
    """
    place, asked = moves.environment_of(environment), _number(from_label)
    if not why.strip():
        raise Invalid("a rollback needs a reason", 'give one: --why "..."')
    with act(desk, actor, Verb.RELEASE_ROLL_BACK, prompt, once=once) as work:
        here = routing.deployment(work.sql, prompt, place)
        if here is None:
            raise NotFound(f"{prompt} was never released to {place}", "nothing to roll back")
        before = store.rolled_back(work.sql, prompt, asked, place) if asked is not None else None
        earlier = store.taken_back(work.sql, prompt, place, here.since)
        back = rules.way_back(
            here.live,
            here.rollback_target,
            asked,
            asked_was_rolled_back=before is not None,
            rolled_back_from=earlier,
        )
        work.note(environment=place, why=why, **{"from": moves.label_of(here.live)})
        if back is Back.DONE_ALREADY:
            work.note(no_op=True)
            done = _unchanged(work, here, from_label or moves.label_of(earlier))
        else:
            done = _went_back(desk, work, here, back, why)
        work.answer(done.to_json())
    return done


def _went_back(desk: Desk, work: Work, here: Deployment, back: Back, why: str) -> RolledBack:
    good, passed_over = _target(work, here) if back is Back.TO_TARGET else (None, ())
    after = _switched(work, here, good, why)
    published = publish(desk, work, here.environment, rolled_back=here.prompt)
    work.note(to=moves.label_of(after.live), release=here.release, passed_over=list(passed_over))
    work.note(revived=good.id if good else None, deployment=moves.told(after))
    words = "; ".join((*passed_over, *_carried_over(work)))
    return RolledBack(
        prompt=here.prompt,
        environment=here.environment,
        from_=moves.label_of(here.live),
        to=moves.label_of(after.live),
        switched_off=after.live is None,
        snapshot_version=published.version,
        words=words,
    )


def _looked(desk: Desk, prompt: str, label: str, place: str) -> Looked:
    with reading(desk.registry) as sql:
        return look(sql, prompt, label, place)


def _approval(desk: Desk, work: Work, facts: Facts, role: Role, note: str) -> Approval:
    assert facts.number is not None and facts.binding is not None  # noqa: S101, PT018  role_for refused otherwise
    return Approval(
        id=desk.new_id("apr"),
        prompt=facts.prompt,
        number=facts.number,
        environment=facts.environment,
        binding=facts.binding,
        role=role,
        person=work.actor.id,
        note=note,
        created_at=work.at_text,
    )


def _opened(desk: Desk, work: Work, facts: Facts, number: int, checked: Checklist, note: str) -> Release:
    assert checked.binding is not None  # noqa: S101  `release` refused otherwise
    return Release(
        id=desk.new_id("rel"),
        prompt=facts.prompt,
        number=number,
        environment=facts.environment,
        previous=facts.live,
        binding=checked.binding,
        checklist=checked.to_json(),
        state=ReleaseState.LIVE,
        actor=work.actor.id,
        note=note,
        created_at=work.at_text,
    )


def _apply(desk: Desk, work: Work, opened: Release) -> Published:
    """Move the deployment, end the release before it, store this one, publish."""
    fresh = Deployment(prompt=opened.prompt, environment=opened.environment)
    here = routing.deployment(work.sql, opened.prompt, opened.environment) or fresh
    after = moves.move(here, opened.number, release=opened.id, at=work.at_text)
    routing.save(work.sql, after)
    if here.release is not None and here.live is not None:
        store.end(work.sql, here.release, ReleaseState.SUPERSEDED, work.at_text, f"superseded by {opened.id}")
    store.save(work.sql, opened)
    work.note(
        id=opened.id, environment=opened.environment, previous=moves.label_of(opened.previous), binding=opened.binding
    )
    work.note(note=opened.note, bound=dict(opened.checklist["bound"]))
    work.note(checklist=digest(dict(opened.checklist)), deployment=moves.told(after))
    return publish(desk, work, opened.environment)


def _target(work: Work, here: Deployment) -> tuple[Release | None, tuple[str, ...]]:
    """The release to go back to, None = off, and who was passed over and why: first the pinned one, then the older."""
    passed_over = list[str]()
    for number in dict.fromkeys((here.rollback_target, *store.once_live(work.sql, here.prompt, here.environment))):
        if number is None or number == here.live:
            continue
        try:
            return restorable(work.sql, here.prompt, number, here.environment), tuple(passed_over)
        except UNREADABLE as bad:
            why = bad.message if isinstance(bad, CuelightError) else "its release cannot be read"
            passed_over.append(f"{moves.label(number)} was passed over: {why}")
    return None, tuple(passed_over)


def _carried_over(work: Work) -> tuple[str, ...]:
    lost = work.facts.get("carried_over", {})
    return tuple(f"{name} cannot be read and goes on as it was: run `cuelight-server verify`" for name in lost)


def _switched(work: Work, here: Deployment, good: Release | None, why: str) -> Deployment:
    """The deployment after the switch, stored, with the bad release closed and the good one live again."""
    if here.release is not None:
        store.end(work.sql, here.release, ReleaseState.ROLLED_BACK, work.at_text, why)
    if good is None:
        after = moves.killed(here, Kill(reason=why, by=work.actor.id, at=work.at_text))
    else:
        store.revive(work.sql, good.id)
        to, further = good.number, _next_target(work, good)
        after = moves.rolled_back(here, to, release=good.id, next_target=further, at=work.at_text)
    routing.save(work.sql, after)
    return after


def _next_target(work: Work, good: Release) -> int | None:
    """Where the good version would go back to: what was live before it, unless that was rolled back since."""
    if good.previous is None:
        return None
    bad = store.rolled_back(work.sql, good.prompt, good.previous, good.environment)
    return None if bad else good.previous


def _unchanged(work: Work, here: Deployment, from_label: str | None) -> RolledBack:
    to = moves.label_of(here.live)
    further = f"already rolled back from {from_label} to {to}; to go further back name what serves: --from {to}"
    return RolledBack(
        prompt=here.prompt,
        environment=here.environment,
        from_=from_label,
        to=to,
        switched_off=here.live is None,
        snapshot_version=routing.version(work.sql, here.environment),
        no_op=True,
        words=further if to else "already switched off",
    )


def _role(text: str | None) -> Role | None:
    if text is not None and text not in list(Role):
        raise Invalid(f"there is no role {text}", f"one of {', '.join(Role)}")
    return Role(text) if text else None


def _number(text: str | None) -> int | None:
    number = moves.number_of(text) if text else None
    if text and number is None:
        raise Invalid(f"{text} is no version", "give one like v2")
    return number
