"""The end of a prompt: switched off for now, or retired with its name."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cuelight_server.access.model import Once
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import Work, act, enter
from cuelight_server.control.routing import publish, publish_everywhere
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Blocked, Conflict, Invalid, NotFound
from cuelight_server.kernel.terms import Environment, ReleaseState
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.model import Prompt
from cuelight_server.releases import store as releases
from cuelight_server.routing import rules as moves
from cuelight_server.routing import store as routing
from cuelight_server.routing.model import Deployment, Kill


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchedOff:
    """A prompt that is off in an environment; `previous` is the label that served, `no_op` says it was off before."""

    prompt: str
    environment: str
    previous: str | None
    snapshot_version: int
    no_op: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredPrompt:
    """A prompt that is retired; `snapshots` maps each environment to the version by which its clients hear of it."""

    prompt: str
    by: str
    at: str
    why: str
    snapshots: Mapping[str, int]


def switch_off(
    desk: Desk,
    actor: Actor,
    prompt: str,
    environment: str = Environment.PRODUCTION,
    why: str = "",
    *,
    once: Once | None = None,
) -> SwitchedOff:
    """Serve nothing of a prompt in an environment from now on: callers get the declared fallback.

    It needs a reason and nothing else; on again is a release. NotFound where it was never released.
    """
    place = moves.environment_of(environment)
    _reason(why, "switching off")
    enter(desk, actor, Verb.PROMPT_SWITCH_OFF, prompt)
    with act(desk, actor, Verb.PROMPT_SWITCH_OFF, prompt, once=once) as work:
        here = routing.deployment(work.sql, prompt, place)
        if here is None:
            raise NotFound(f"{prompt} was never released to {place}", "there is nothing to switch off")
        work.note(environment=place, why=why, previous=moves.label_of(here.live))
        done = _off_already(work, here) if here.kill is not None else _off_now(desk, work, here, why)
        work.answer(asdict(done))
    return done


def _off_already(work: Work, here: Deployment) -> SwitchedOff:
    work.note(no_op=True)
    version = routing.version(work.sql, here.environment)
    return SwitchedOff(
        prompt=here.prompt, environment=here.environment, previous=None, snapshot_version=version, no_op=True
    )


def _off_now(desk: Desk, work: Work, here: Deployment, why: str) -> SwitchedOff:
    after = _end(work, here, why, f"switched off: {why}")
    work.note(release=here.release, deployment=moves.told(after))
    version = publish(desk, work, here.environment, rolled_back=here.prompt).version
    previous = moves.label_of(here.live)
    return SwitchedOff(prompt=here.prompt, environment=here.environment, previous=previous, snapshot_version=version)


def retire(desk: Desk, actor: Actor, prompt: str, why: str, *, once: Once | None = None) -> RetiredPrompt:
    """Retire a prompt: apps that ask for it are told whom to ask, and its name stays with it.

    Blocked while it is live in production, NotFound and Conflict where there is nothing to retire (any more).
    """
    _reason(why, "retiring")
    enter(desk, actor, Verb.PROMPT_RETIRE, prompt)
    with act(desk, actor, Verb.PROMPT_RETIRE, prompt, once=once) as work:
        _refuse_live(work, _known(work, prompt))
        ended = dict[str, Any]()
        for here in filter(None, (routing.deployment(work.sql, prompt, place) for place in Environment)):
            if here.kill is None:
                after = _end(work, here, why, f"retired: {why}")
                ended[here.environment] = {"release": here.release, "deployment": moves.told(after)}
        prompts.mark_retired(work.sql, prompt, work.at_text)
        published = publish_everywhere(desk, work, ended=prompt)
        work.note(why=why, ended=ended)
        versions = {place: one.version for place, one in published.items()}
        done = RetiredPrompt(prompt=prompt, by=work.actor.id, at=work.at_text, why=why, snapshots=versions)
        work.answer(asdict(done))
    return done


def _end(work: Work, here: Deployment, why: str, words: str) -> Deployment:
    after = moves.off(here, Kill(reason=why, by=work.actor.id, at=work.at_text))
    routing.save(work.sql, after)
    if here.release is not None:
        releases.end(work.sql, here.release, ReleaseState.SUPERSEDED, work.at_text, words)
    return after


def _known(work: Work, prompt: str) -> Prompt:
    found = prompts.prompt(work.sql, prompt)
    if found is None:
        raise NotFound(f"there is no prompt {prompt}", "see the prompts with `cuelight status`")
    if found.retired_at is not None:
        raise Conflict(f"{prompt} is retired since {found.retired_at[:10]}", "nothing to do")
    return found


def _refuse_live(work: Work, prompt: Prompt) -> None:
    number = routing.served(work.sql, prompt.name, Environment.PRODUCTION)
    if number is not None:
        raise Blocked(
            f"{prompt.name}@{moves.label(number)} is live in production",
            f"switch it off first, so that its callers get the fallback: cuelight off {prompt.name} --why ...",
        )


def _reason(why: str, what: str) -> None:
    if not why.strip():
        raise Invalid(f"{what} needs a reason", 'give one: --why "..."')
