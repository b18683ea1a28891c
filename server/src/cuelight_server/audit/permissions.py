"""May they? One pure answer from a verb, an actor and what the actor holds now; the default is no."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cuelight_server.audit.scopes import covers
from cuelight_server.audit.verbs import Rule, Verb
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.terms import ActorKind, Held, Member, Role

_NEVER = {
    ActorKind.APP: "an app key reads its environment and changes nothing",
    ActorKind.SERVICE: "a service account works for people and never decides for them",
    ActorKind.AGENT: "an agent drafts and proposes; it never approves, releases or moves a deployment",
    ActorKind.PERSON: "this is no person's work",
    ActorKind.SYSTEM: "the desk itself does no person's work",
}
KINDS = {
    ActorKind.PERSON: "person",
    ActorKind.SERVICE: "service account",
    ActorKind.AGENT: "agent",
    ActorKind.APP: "app",
    ActorKind.SYSTEM: "the desk itself",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One question on the way to the answer: `kind`, `scope` or `role`, whether it was passed, and why in words."""

    name: str
    ok: bool
    words: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether, why, and who could: plain words such as `the engineering owner` or `an administrator`."""

    allowed: bool
    why: str
    who: tuple[str, ...]
    steps: tuple[Step, ...] = ()


def may(verb: Verb, actor: Actor, held: Collection[Held]) -> Decision:
    """The decision for one actor who holds these roles in the subject's workflow.

    What kind of account it is comes first, then what its key is narrowed to, then what it holds: each can only take
    away. An administrator has no workflow role by being one.
    """
    steps: list[Step] = []
    for step in (_kind(verb.rule, actor), _scope(verb, actor), _role(verb, actor, held)):
        steps.append(step)
        if not step.ok:
            break
    return Decision(steps[-1].ok, steps[-1].words, who_may(verb), tuple(steps))


def who_may(verb: Verb) -> tuple[str, ...]:
    """Everyone who could do it, in words, most usual first."""
    return tuple(_who(verb.rule))


def phrase(verb: Verb) -> str:
    """`run an evaluation` for `evaluation.run`: the catalogue's sentence, as it stands behind "may not"."""
    plain = verb.rule.sentence.partition(";")[0].partition(", but")[0].partition(":")[0].rstrip(".")
    return plain[:1].lower() + plain[1:]


def words(role: Held) -> str:
    """`workflow owner` for `workflow_owner`."""
    return role.value.replace("_", " ")


def _kind(rule: Rule, actor: Actor) -> Step:
    if rule.open:
        return Step("kind", ok=True, words="no account is asked for")
    if actor.kind is ActorKind.SYSTEM:
        return Step("kind", ok=rule.system, words="the desk itself" if rule.system else _NEVER[actor.kind])
    ok = actor.kind in rule.kinds and not (rule.system and not (rule.roles or rule.admin or rule.anyone))
    return Step("kind", ok=ok, words=f"a {KINDS[actor.kind]} can" if ok else _refused(rule, actor))


def _refused(rule: Rule, actor: Actor) -> str:
    if actor.kind is ActorKind.PERSON and rule.kinds == frozenset({ActorKind.APP}):
        return "this door is for apps"
    if actor.kind is ActorKind.PERSON:
        return f"it takes {' or '.join(_who(rule))}"
    return _NEVER[actor.kind]


def _scope(verb: Verb, actor: Actor) -> Step:
    if actor.scopes is None or verb.rule.open:
        return Step("scope", ok=True, words="nothing narrows it")
    if covers(actor.scopes, verb):
        return Step("scope", ok=True, words="the key covers it")
    listed = ", ".join(sorted(actor.scopes)) or "nothing"
    return Step("scope", ok=False, words=f"its key is for {listed} only, not for {verb.value}")


def _role(verb: Verb, actor: Actor, held: Collection[Held]) -> Step:
    rule = verb.rule
    if rule.open or rule.anyone or actor.kind is ActorKind.SYSTEM:
        return Step("role", ok=True, words=_plain(rule, actor))
    roles = [one for one in (*Role, *Member) if one in held and (one in rule.roles or one in rule.members)]
    if roles:
        return Step("role", ok=True, words=words(roles[0]))
    if rule.admin and actor.admin:
        return Step("role", ok=True, words="an administrator")
    return Step("role", ok=False, words=f"it takes {' or '.join(_who(rule))}")


def _plain(rule: Rule, actor: Actor) -> str:
    if actor.kind is ActorKind.SYSTEM:
        return "the desk itself"
    return "nobody is asked" if rule.open else f"any {KINDS[actor.kind]} may"


def _who(rule: Rule) -> Iterator[str]:
    yield from (f"the {words(role)}" for role in Role if role in rule.roles)
    yield from (f"a {words(member)}" for member in Member if member in rule.members)
    if rule.anyone:
        yield "an app" if rule.kinds == frozenset({ActorKind.APP}) else "any person"
    flags = ((rule.admin, "an administrator"), (rule.system, "the desk itself"), (rule.open, "anybody"))
    yield from (name for holds, name in flags if holds)
