"""One managed call from the app's side: the prompt that was resolved, the call that was rendered, the checked result."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from cuelight.contract.authority import Authority, Decision, Mode
from cuelight.contract.canonical import digest_bytes
from cuelight.contract.content import Content, parse
from cuelight.contract.errors import Blocked, Invalid
from cuelight.contract.knowledge import KnowledgeUse, sources, uses
from cuelight.contract.output import Finding, OutputContract, Step, Validation, next_step
from cuelight.contract.rendering import Rendered, Renderer
from cuelight.contract.snapshot import Resolution
from cuelight.refresh import Held, Source
from cuelight.tracing import Happened, new_output_id, now, record, rfc3339

Keep = Callable[[str], None]


class Compiled:
    """One content made ready: its renderer now, its output contract when the first output is checked."""

    def __init__(self, document: Mapping[str, Any], digest: str | None) -> None:
        """Invalid where the content is not the one that `digest` names."""
        self.content: Content = parse(document)
        if digest is not None and self.content.digest != digest:
            raise Invalid("the snapshot carries other content than its digest says", "publish the version again")
        self.renderer = Renderer(self.content)
        self.tools = frozenset(tool["name"] for tool in self.content.tools)
        self.sources = sources(self.content)

    @cached_property
    def contract(self) -> OutputContract:
        """The output contract, compiled."""
        return OutputContract(self.content.output)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that the model or the app wants to do. `done` counts how often this task did the same before."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    done: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """A checked output. `value` is None unless the output kept its contract.

    `decisions` holds one authority decision for each attempted action, in the order given. `step` says what to do when
    the output broke its contract, or an action was refused: person (with the approver) or refuse; None when all is well.
    """

    id: str
    ok: bool
    value: Any
    findings: tuple[Finding, ...]
    decisions: tuple[Decision, ...]
    step: Step | None
    attempt: int

    def allowed(self, action: str) -> bool:
        """Whether every attempt at this action may go ahead; False for one that nobody attempted."""
        asked = [one.allowed for one in self.decisions if one.action == action]
        return bool(asked) and all(asked)


class Prompt:
    """What one request is served; read-only. `render` makes the call, unless the prompt is switched off."""

    __slots__ = ("_asked", "_compiled", "_held", "_keep", "_resolution", "age_s", "source")

    def __init__(
        self,
        resolution: Resolution,
        held: Held | None,
        compiled: Compiled | None,
        asked: tuple[str | None, str],
        source: Source,
        age_s: float | None,
        keep: Keep,
    ) -> None:
        """Made by `Client.prompt`. `asked` is (key, tenant)."""
        self._resolution, self._held, self._compiled, self._asked = resolution, held, compiled, asked
        self.source, self.age_s, self._keep = source, age_s, keep

    def __repr__(self) -> str:
        """Name, version and why."""
        return f"Prompt({self.name!r}, version={self.version!r}, reason={self.reason!r}, source={self.source.value!r})"

    @property
    def name(self) -> str:
        """`<workflow>.<prompt>`."""
        return self._resolution.prompt

    @property
    def version(self) -> str | None:
        """`v12`; None while the prompt is switched off or the caller's own fallback is used."""
        return self._resolution.version

    @property
    def digest(self) -> str | None:
        """Digest of the content; None while the prompt is switched off."""
        return self._resolution.digest

    @property
    def reason(self) -> str:
        """Why this one: kill_switch, tenant, experiment, rollout, stable, missing_key or fallback."""
        return str(self._resolution.reason)

    @property
    def off(self) -> bool:
        """Whether the kill switch is on."""
        return self._compiled is None

    @property
    def fallback(self) -> Any:
        """What the owners declared for the time that the prompt is off: {person}, {message} or {value}; else None."""
        return self._resolution.fallback

    def render(self, /, **values: Any) -> "Call":
        """The call for these variables. Blocked while the prompt is off; Invalid where a variable does not fit."""
        compiled = self._compiled
        if compiled is None:
            raise Blocked(
                f"{self.name} is switched off; its declared fallback is {self.fallback!r}",
                "look at prompt.off before rendering, and follow prompt.fallback",
                fallback=self.fallback,
            )
        at = now()
        renderer = compiled.renderer
        today = datetime.fromtimestamp(at, UTC).date() if renderer.needs_today else None
        return Call(self, compiled, renderer.render(values, today), at, today)


class Call:
    """One rendered call: send `messages`, `settings` and `tools` with any library, then `finish` with the output."""

    __slots__ = (
        "_at",
        "_attempts",
        "_broken",
        "_compiled",
        "_done",
        "_id",
        "_knowledge",
        "_prompt",
        "_today",
        "rendered",
    )

    def __init__(self, prompt: Prompt, compiled: Compiled, rendered: Rendered, at: float, today: date | None) -> None:
        """Made by `Prompt.render`."""
        self._prompt, self._compiled, self.rendered, self._at, self._today = prompt, compiled, rendered, at, today
        self._id = ""
        self._attempts = self._broken = 0
        self._done: dict[str, int] | None = None
        self._knowledge: tuple[KnowledgeUse, ...] | None = None

    @property
    def id(self) -> str:
        """Id of the output, `out_...`, sorts by time. A retry's output has an id of its own, in its Result."""
        if not self._id:
            self._id = new_output_id(self._at)
        return self._id

    @property
    def messages(self) -> tuple[dict[str, Any], ...]:
        """{role, content} in order."""
        return self.rendered.messages

    @property
    def settings(self) -> Mapping[str, Any]:
        """Model and settings, as released."""
        return self.rendered.settings

    @property
    def tools(self) -> tuple[dict[str, Any], ...]:
        """The tools that the model may be shown."""
        return self.rendered.tools

    @property
    def knowledge(self) -> tuple[KnowledgeUse, ...]:
        """Which release of knowledge each value came from, for the variables whose source is knowledge.

        Told by digest against what the version was released with; an item is `known` only word for word. Look before
        you send, where unknown knowledge must not reach a model: `all(one.known for one in call.knowledge)`.
        """
        if self._knowledge is None:
            self._knowledge = self._looked_up()
        return self._knowledge

    def _looked_up(self) -> tuple[KnowledgeUse, ...]:
        prompt, declared = self._prompt, self._compiled.sources
        held = prompt._held  # noqa: SLF001 - two classes, one thing in two steps
        if not declared:
            return ()
        known = held.snapshot.knowledge(prompt.name, prompt.version) if held and prompt.version else {}
        return uses(declared, self.rendered.values, known)

    def finish(
        self,
        output_text: str | None,
        *,
        actions: Iterable[Action] = (),
        tool_calls: Iterable[Action] = (),
        facts: Mapping[str, Any] | None = None,
        model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        latency_ms: float | None = None,
    ) -> Result:
        """Check one output against its contract and each attempted action against the authority table; record it.

        `actions` are what the app's own code wants to do with the output, `tool_calls` what the model asked for; both
        come before they are done. `facts` are what the app vouches for, `$facts.x` in conditions. An output of None or
        "" is fine only beside tool calls. `model` is the model that answered. Waits for nothing: neither network nor
        disk.
        """
        asked, called = tuple(actions), tuple(tool_calls)
        documents = {"input": self.rendered.values, "facts": dict(facts or {}), "latency_ms": latency_ms}
        validation = self._validate(output_text, documents, mid_task=bool(called))
        self._attempts += 1
        self._broken += not validation.ok
        decisions = self._decide(asked, called, validation, documents)
        result = Result(
            id=self.id if self._attempts == 1 else new_output_id(now()),
            ok=validation.ok,
            value=validation.value if validation.ok else None,
            findings=validation.findings,
            decisions=decisions,
            step=_after(decisions)
            if validation.ok
            else next_step(self._compiled.content.output["on_invalid"], self._broken),
            attempt=self._attempts,
        )
        usage = {"input_tokens": input_tokens, "output_tokens": output_tokens}
        self._record(result, output_text, response_model=model, usage=usage, latency_ms=latency_ms)
        return result

    def failed(self, error: BaseException | str, *, latency_ms: float | None = None) -> None:
        """Record that the model gave no output: a provider's error or a timeout."""
        self._attempts += 1
        id = self.id if self._attempts == 1 else new_output_id(now())
        nothing = Result(id, ok=False, value=None, findings=(), decisions=(), step=None, attempt=self._attempts)
        self._record(nothing, None, error=error, latency_ms=latency_ms)

    def _validate(self, text: str | None, documents: Mapping[str, Any], *, mid_task: bool) -> Validation:
        if not text and mid_task:
            return Validation(None)
        if not isinstance(text, str):
            return Validation(None, (Finding("no_output", "there is no output and no tool call"),))
        return self._compiled.contract.validate(text, documents)

    def _decide(
        self, actions: tuple[Action, ...], called: tuple[Action, ...], validation: Validation, given: Mapping[str, Any]
    ) -> tuple[Decision, ...]:
        """Decisions in order; nothing is allowed on the word of an output that broke its contract."""
        if not actions and not called:
            return ()
        document = {**given, "output": validation.value if validation.ok else None}
        authority, done = self._authority(), self._done or {}
        decisions = []
        for calls, (one, tools) in enumerate(
            [*((a, None) for a in actions), *((c, self._compiled.tools) for c in called)]
        ):
            before = one.done + done.get(one.name, 0)
            decision = authority.decide(
                one.name,
                arguments=one.arguments,
                document=document,
                done=before,
                calls=max(0, calls - len(actions)),
                tools=tools,
            )
            if not validation.ok and decision.allowed:
                reason = f"the output broke its contract, so {one.name} may not follow from it"
                decision = Decision(one.name, decision.mode, allowed=False, reason=reason, approver=decision.approver)
            if decision.allowed:
                done = {**done, one.name: done.get(one.name, 0) + 1}
            decisions.append(decision)
        self._done = done
        return tuple(decisions)

    def _authority(self) -> Authority:
        held, (_, tenant) = self._prompt._held, self._prompt._asked  # noqa: SLF001 - two classes, one thing in two steps
        if held is None:
            return Authority({})
        rules = held.snapshot.governed(self._prompt.name, tenant)
        if rules.digest not in held.authorities:
            held.authorities[rules.digest] = Authority(rules.authority)
        return held.authorities[rules.digest]

    def _record(
        self, result: Result, output: str | None, *, error: BaseException | str | None = None, **more: Any
    ) -> None:
        prompt = self._prompt
        held, (key, tenant), resolution = prompt._held, prompt._asked, prompt._resolution  # noqa: SLF001 - as above
        facts = {
            "id": result.id,
            "at": rfc3339(self._at),
            "prompt": resolution.prompt,
            "version": resolution.version,
            "digest": resolution.digest,
            "reason": str(resolution.reason),
            "source": prompt.source.value,
            "age_s": prompt.age_s,
            "release": resolution.release,
            "tenant": tenant or None,
            "snapshot_version": held.snapshot.version if held else None,
            "key_digest": digest_bytes(key.encode(errors="replace")) if key else None,
            "today": self._today.isoformat() if self._today else None,
            "rendered_digest": self.rendered.digest,
            "settings": dict(self.rendered.settings),
            "model": self.rendered.settings.get("model"),
            "ok": None if error is not None else result.ok,
            "decisions": [asdict(one) for one in result.decisions],
            "attempts": result.attempt,
            "knowledge": [one.to_json() for one in self.knowledge] or None,
            **more,
        }
        full = held is not None and held.snapshot.governed(prompt.name, tenant).trace == "full"
        values = self.rendered.values
        prompt._keep(  # noqa: SLF001 - as above
            record(
                Happened(facts=facts, values=values, output=output, findings=result.findings, error=error), full=full
            )
        )


def _after(decisions: tuple[Decision, ...]) -> Step | None:
    """What follows a good output: nothing, or a person for an action that needs one, or a plain refusal."""
    refused = [one for one in decisions if not one.allowed]
    if not refused:
        return None
    person = next((one for one in refused if one.mode is Mode.NEEDS_HUMAN_APPROVAL), None)
    return Step("person", target=person.approver or "the workflow owner") if person else Step("refuse")
