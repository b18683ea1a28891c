"""May they? One pure answer from a verb, an actor and the roles that the actor holds now; the default is no."""

from collections.abc import Collection
from dataclasses import dataclass

from cuelight_server.audit.scopes import covers
from cuelight_server.audit.verbs import Verb
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.terms import ActorKind, Role


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether, why, and who could: plain words such as `engineering owner` or `an administrator`."""

    allowed: bool
    why: str
    who: tuple[str, ...]


def may(verb: Verb, actor: Actor, roles: Collection[Role]) -> Decision:
    """The decision for one actor with these roles in the subject's workflow.

    An app key never changes anything, and an administrator has no workflow role by being one.
    """
    who = who_may(verb)
    if not covers(actor.scopes, verb):
        return Decision(allowed=False, why="this key is not for that", who=who)
    if actor.kind in (ActorKind.SERVICE, ActorKind.AGENT) and verb is not Verb.DESK_READ:
        return Decision(allowed=False, why="a service or an agent only looks", who=who)
    if actor.kind is ActorKind.APP:
        return Decision(allowed=False, why="an app key reads its environment and changes nothing", who=who)
    if actor.kind is ActorKind.SYSTEM:
        return Decision(allowed=verb.rule.system, why="the desk itself", who=who)
    if verb.rule.anyone:
        return Decision(allowed=True, why="any person may", who=who)
    if verb.rule.admin and actor.admin:
        return Decision(allowed=True, why="an administrator", who=who)
    held = sorted(verb.rule.roles.intersection(roles))
    if held:
        return Decision(allowed=True, why=words(held[0]), who=who)
    return Decision(allowed=False, why=f"it takes {' or '.join(who)}", who=who)


def who_may(verb: Verb) -> tuple[str, ...]:
    """Everyone who could do it, in words, most usual first."""
    rule = verb.rule
    named = [f"the {words(role)}" for role in Role if role in rule.roles]
    flags = ((rule.anyone, "any person"), (rule.admin, "an administrator"), (rule.system, "the desk itself"))
    return tuple(named + [name for holds, name in flags if holds])


def phrase(verb: Verb) -> str:
    """`run an evaluation` for `evaluation.run`: the catalogue's sentence, as it stands behind "may not"."""
    plain = verb.rule.sentence.partition(";")[0].partition(", but")[0].rstrip(".")
    return plain[:1].lower() + plain[1:]


def words(role: Role) -> str:
    """`workflow owner` for `workflow_owner`."""
    return role.value.replace("_", " ")
