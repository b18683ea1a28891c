"""A schema that refers to itself without a step into the value accepts everything, so it is refused."""

import pytest

from cuelight.contract.errors import Invalid
from cuelight.contract.schemas import schema_validator

A_TO_B = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"$ref": "#"}, id="to itself"),
        pytest.param(A_TO_B, id="by way of another"),
        pytest.param({"allOf": [{"$ref": "#"}]}, id="through allOf"),
        pytest.param({"anyOf": [{"type": "string"}, {"oneOf": [{"$ref": "#"}]}]}, id="through anyOf and oneOf"),
        pytest.param({"not": {"$ref": "#"}}, id="through not"),
        pytest.param({"$id": "x.json", "$ref": "x.json"}, id="by its own id"),
        pytest.param({"$anchor": "top", "then": {"$ref": "#top"}, "if": True}, id="by an anchor"),
        pytest.param({"properties": {"a": {"$ref": "#/properties/a"}}}, id="a property to itself"),
        pytest.param({"dependentSchemas": {"a": {"$dynamicRef": "#"}}}, id="through dependentSchemas"),
    ],
)
def test_a_circle_without_a_step_is_refused(schema):
    with pytest.raises(Invalid, match="refers to itself") as refused:
        schema_validator(schema, "here")
    assert refused.value.hint


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"properties": {"child": {"$ref": "#"}}}, id="through properties"),
        pytest.param({"type": "array", "items": {"$ref": "#"}}, id="through items"),
        pytest.param({"$defs": {"a": {}}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}, id="twice"),
        pytest.param({"properties": {"not": {"$ref": "#"}, "allOf": {"type": "string"}}}, id="properties named so"),
        pytest.param({"const": {"$ref": "#"}}, id="a plain value"),
    ],
)
def test_a_schema_may_refer_to_itself_below_a_step(schema):
    assert schema_validator(schema, "here") is not None
