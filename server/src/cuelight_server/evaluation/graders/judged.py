"""Graders under promptfoo's names that ask a model, a service or a person; what is not in the table has not run."""

from collections.abc import Mapping

from cuelight_server.evaluation.graders.asked import Assertion

TABLE: Mapping[str, Assertion] = {}
