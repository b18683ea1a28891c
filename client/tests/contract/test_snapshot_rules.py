"""The rules that a snapshot gives one prompt: its own, or none at all."""

import pytest

from cuelight.contract.errors import Invalid
from cuelight.contract.snapshot import Governed, parse

TABLE = {"actions": [{"action": "a", "mode": "may_execute"}]}


def document(deployment=None, **changes):
    made = {"weights": [["v1", 100_000]], "seed": "r", "algorithm": "b1", "release": "r", "kill": None}
    return {
        "format": "cuelight/snapshot@1",
        "environment": "production",
        "epoch": "e",
        "version": 1,
        "versions": {"s.a": {"v1": {"digest": "sha256:x", "content": {}}}},
        "deployments": {"s.a": {"": made | (deployment or {})}},
        "authorities": {"sha256:t": TABLE},
        **changes,
    }


def test_a_prompt_has_the_rules_that_its_deployment_names():
    read = parse(document({"authority": "sha256:t", "trace": {"content": "full"}}))
    assert read.governed("s.a") == read.governed("s.a", "acme") == Governed("sha256:t", TABLE, "full")


def test_where_nothing_is_said_nothing_is_allowed_and_nothing_kept():
    assert parse(document()).governed("s.a") == Governed() == parse(document()).governed("s.b")


@pytest.mark.parametrize("changes", [{"authorities": {}}, {"authorities": None}])
def test_a_table_that_is_named_and_not_there_makes_the_snapshot_invalid(changes):
    with pytest.raises(Invalid):
        parse(document({"authority": "sha256:t"}, **changes))
