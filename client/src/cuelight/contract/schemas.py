"""JSON Schemas, compiled so that no pattern can hang a caller and nothing is fetched from elsewhere."""

from typing import Any

from cuelight.contract.circles import refuse_circles
from cuelight.contract.errors import Invalid
from cuelight.contract.expansion import refuse_expansion


def schema_validator(schema: Any, where: str, *, formats: bool = False) -> Any:
    """A compiled JSON Schema: patterns on a linear-time engine, no remote reference, none that multiplies or goes in a circle.

    With `formats`, `format: email` and the like are checked too. Invalid where it is not one.
    """
    import jsonschema_rs  # noqa: PLC0415 - costs 20 ms to load, and prompts without a schema never need it

    if not isinstance(schema, dict | bool):
        raise Invalid(f"the schema of {where} is not a JSON Schema but {schema!r:.80}", "was its file inlined?")
    refuse_expansion(schema, where)
    refuse_circles(schema, where)
    try:
        patterns = jsonschema_rs.RegexOptions()
        return jsonschema_rs.validator_for(
            schema, pattern_options=patterns, offline=True, validate_formats=formats or None
        )
    except (ValueError, jsonschema_rs.ReferencingError) as bad:
        first = (str(bad).splitlines() or ["it cannot be read"])[0]
        raise Invalid(
            f"the schema of {where} is not a JSON Schema that Cuelight can use: {first[:300]}",
            "check it against JSON Schema 2020-12; no remote $ref, no look-around or back-reference in patterns",
        ) from bad
