"""Which of two gates is the stricter, field by field: a candidate can never loosen what production asks for."""

from collections.abc import Callable, Mapping
from typing import Any

from cuelight_server.evaluation.model import Json

_MOST = ("blocker_failures_max", "newly_failing_max")  # none is allowed where the gate does not say
_LEAST = ("min_cases", "min_pass_rate")


def with_defaults(gate: Json) -> dict[str, Any]:
    """The gate with what it leaves out: no blocker may fail, nothing may newly fail."""
    return {**dict.fromkeys(_MOST, 0), **gate}


def stricter(candidate: Json, production: Json) -> dict[str, Any]:
    """The stricter of both for every limit; limits that only one of them has count as well."""
    left, right = with_defaults(candidate), with_defaults(production)
    made: dict[str, Any] = {}
    for name in _MOST:
        _put(made, name, _both(left, right, name, min))
    for name in (*_LEAST, "internal_examples"):
        _put(made, name, _both(left, right, name, max))
    for name in ("min_pass_rate_by_category", "min_pass_rate_by_tag"):
        _put(made, name, _merged(left.get(name, {}), right.get(name, {}), max))
    for name in ("cost", "latency"):
        _put(made, name, _merged(left.get(name, {}), right.get(name, {}), min))
    _put(made, "repeat", _repeat(left.get("repeat"), right.get("repeat")))
    _put(made, "metrics", _metrics(left.get("metrics", []), right.get("metrics", [])))
    _put(made, "comparison", _comparison(left.get("comparison"), right.get("comparison")))
    _put(made, "human_review", _review(left.get("human_review"), right.get("human_review")))
    return made


def lifted(gate: Json, floor: Json) -> dict[str, Any]:
    """The gate, in what a tier's floor speaks of no less strict than the floor."""
    chosen = {**dict.fromkeys(_MOST, min), **dict.fromkeys(_LEAST, max)}
    whole = with_defaults(gate)
    return {**whole, **{name: _both(whole, floor, name, chosen[name]) for name in floor}}


def raised(gate: Json, floor: Json) -> list[str]:
    """What the floor makes stricter in the gate, in words; empty where the gate asks for as much by itself."""
    before, after = with_defaults(gate), lifted(gate, floor)
    return [f"{name} {after[name]:g}" for name in floor if after[name] != before.get(name)]


def majors_needed(repeat: Json, samples: int) -> int:
    """In how many of `samples` outputs the major graders must pass: majors_min, scaled up where there are fewer."""
    asked: int = repeat.get("samples", 1)
    needed: int = min(repeat.get("majors_min", asked), asked)
    return min(samples, max(1, -(-samples * needed // asked)))


def _put(made: dict[str, Any], name: str, value: Any) -> None:
    if value not in (None, {}, []):
        made[name] = value


def _both(left: Json, right: Json, name: str, choose: Callable[[Any, Any], Any]) -> Any:
    if name in left and name in right:
        return choose(left[name], right[name])
    return left.get(name, right.get(name))


def _merged(left: Json, right: Json, choose: Callable[[Any, Any], Any]) -> dict[str, Any]:
    return {name: _both(left, right, name, choose) for name in {**left, **right}}


def _repeat(left: Json | None, right: Json | None) -> Json | None:
    given = [one for one in (left, right) if one is not None]
    if not given:
        return None
    samples = max(one["samples"] for one in given)
    made: dict[str, Any] = {"samples": samples, "majors_min": max(majors_needed(one, samples) for one in given)}
    conditions = [one["every_sample_if"] for one in given if "every_sample_if" in one]
    if conditions:
        made["every_sample_if"] = _either(conditions[0], conditions[-1])
    return made


def _either(left: Json, right: Json) -> Json:
    """A condition that holds where one of the two does."""
    parts = [*left["any"]] if "any" in left else [left]
    parts += [part for part in (right.get("any", [right])) if part not in parts]
    return parts[0] if len(parts) == 1 else {"any": parts}


def _metrics(left: list[Json], right: list[Json]) -> list[dict[str, Any]]:
    """All of both; limits of the same metric, the same in what it counts, are joined."""
    made: list[dict[str, Any]] = [dict(one) for one in left]
    for metric in right:
        twin = next((one for one in made if _counts(one) == _counts(metric)), None)
        if twin is None:
            made.append(dict(metric))
        else:
            twin.update(_limits(twin, metric))
    return made


def _counts(metric: Json) -> Mapping[str, Any]:
    return {name: value for name, value in metric.items() if name not in ("min", "max", "max_shift", "margin", "note")}


def _limits(left: Json, right: Json) -> dict[str, Any]:
    chosen = {"min": max, "max": min, "max_shift": min, "margin": min}
    return {name: _both(left, right, name, choose) for name, choose in chosen.items() if name in left or name in right}


def _comparison(left: Json | None, right: Json | None) -> Json | None:
    """The smaller margin, the higher confidence; required or strict if one of them is, lenient only if both are."""
    if left is None or right is None:
        return left if right is None else right
    made = {**left, **right}
    for name, choose in (("margin", min), ("confidence", max)):
        if name in left or name in right:
            made[name] = _both(left, right, name, choose)
    if "required" in (left.get("rule"), right.get("rule")):
        made["rule"] = "required"
    if "strict" in made:
        made["strict"] = left.get("strict", False) or right.get("strict", False)
    for name in ("allow_underpowered", "stop_early"):
        if name in made:
            made[name] = left.get(name, False) and right.get(name, False)
    return made


def _review(left: Json | None, right: Json | None) -> Json | None:
    if left is None or right is None:
        return left if right is None else right
    roles = [*left["roles"], *(role for role in right["roles"] if role not in left["roles"])]
    made = {**right, **left, "roles": roles, "min_cases": max(left["min_cases"], right["min_cases"])}
    usual = {"reviewers": (max, 1), "unacceptable_max": (min, 0)}
    for name in usual.keys() & {*left, *right}:
        choose, default = usual[name]
        made[name] = choose(left.get(name, default), right.get(name, default))
    return made
