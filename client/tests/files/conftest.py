"""A small workflow folder that each test may spoil in its own way."""

import json
from pathlib import Path

import pytest

WORKFLOW = """\
workflow: shop
title: Shop
purpose: Answer shoppers.
tier: low
owners:
  workflow_owner: {person: mei.tanaka}
prompts:
  greeting:
    use_case: Greets shoppers.
    fallback:
      message: Hello.
"""
AUTHORITY = "actions: []\n"
PROMPT = """\
release_note: First.
messages:
  - role: system
    content: |
      Greet {{name}}.
variables:
  - name: name
    type: string
settings:
  model: example-small-2026-06-01
output:
  schema: schemas/greeting.json
evaluation:
  suite: greeting
  gate:
    min_pass_rate: 1
"""
SUITE = """\
suite: greeting
graders:
  - type: json_only
    severity: blocker
cases:
  - id: G01
    category: normal
    title: a name
    input:
      name: Ada
"""
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}}


class Shop:
    """The folder; `write` replaces a file, `remove` takes one away."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self

    def edit(self, name, old, new):
        text = (self.path / name).read_text()
        assert old in text
        return self.write(name, text.replace(old, new, 1))

    def remove(self, name):
        (self.path / name).unlink()
        return self


@pytest.fixture
def shop(tmp_path):
    made = Shop(tmp_path / "shop")
    made.write("workflow.yaml", WORKFLOW).write("authority.yaml", AUTHORITY)
    made.write("prompts/greeting/v1.yaml", PROMPT).write("suites/greeting.yaml", SUITE)
    return made.write("schemas/greeting.json", json.dumps(SCHEMA, indent=1))
