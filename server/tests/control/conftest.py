"""A shelf to evaluate from: a desk with one workflow and one prompt, filled past the door."""

import pytest

from cuelight.contract.canonical import canonical_text, digest
from cuelight.contract.content import parse
from cuelight_server.control.evaluation import run_pending, start
from cuelight_server.db.engine import Intent, transaction
from cuelight_server.evaluation.plan import AS_ALWAYS
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.model import Draft, Numbered, Prompt, Version
from cuelight_server.routing import store as routing
from cuelight_server.routing.model import Deployment
from cuelight_server.views import evaluation as view

AT = "2026-01-05T09:00:00.000000Z"
GATE = {"min_pass_rate": 0.5, "cost": {"mean_increase_max_pct": 10}, "latency": {"p95_increase_max_pct": 10}}
PRICES = {"models": [{"model": "m-1", "input_per_1k": 0.001, "output_per_1k": 0.002}]}


def content(words="hello", gate=GATE, **parts):
    document = {
        "messages": [{"role": "user", "content": words + " {{topic}}"}],
        "variables": [{"name": "topic", "type": "string", "trust": "internal"}],
        "settings": {"model": "m-1"},
        "evaluation": {"suite": "main", "gate": gate},
    }
    return parse({**document, **parts})


def suite_document(count=3, **more):
    cases = [
        {"id": f"C{n}", "category": "edge", "title": f"Case {n}", "input": {"topic": f"t{n}"}}
        for n in range(1, count + 1)
    ]
    graders = [
        {"type": "json_only", "severity": "blocker"},
        {"type": "equals", "severity": "major", "path": "ok", "value": True},
    ]
    return {"suite": "main", "graders": graders, "cases": cases, **more}


class Shelf:
    """A desk with one workflow `shop` and one prompt `shop.talk`, filled past the door."""

    GATE = GATE

    def __init__(self, desk, mei):
        self.desk, self.mei = desk, mei

    @staticmethod
    def content(words="hello", gate=GATE, **parts):
        return content(words, gate, **parts)

    @staticmethod
    def cases(count=3, **more):
        return suite_document(count, **more)

    @staticmethod
    def all_say(text, cases=3, samples=1):
        return all_say(text, cases, samples)

    def put(self, save, *rows):
        with transaction(self.desk.registry, Intent.WRITE) as sql:
            save(sql, *rows)

    def suite(self, document, number=1):
        row = Numbered(
            workflow="shop",
            name="main",
            number=number,
            digest=digest(document),
            document=document,
            actor="x",
            created_at=AT,
        )
        self.put(prompts.save_suite, row)
        return row.digest

    def prices(self, document, number=1):
        self.put(
            prompts.save_prices,
            Numbered(
                workflow="shop",
                name="",
                number=number,
                digest=digest(document),
                document=document,
                actor="x",
                created_at=AT,
            ),
        )

    def version(self, number, made):
        row = Version(
            prompt="shop.talk",
            number=number,
            digest=made.digest,
            content=made.to_json(),
            author="x",
            release_note="",
            created_at=AT,
        )
        self.put(prompts.save_version, row)
        return made.digest

    def draft(self, label, made):
        row = Draft(
            prompt="shop.talk", label=label, digest=made.digest, content=made.to_json(), author="x", updated_at=AT
        )
        self.put(prompts.save_draft, row)

    def serve(self, number):
        row = Deployment(
            prompt="shop.talk",
            environment="production",
            tenant="",
            weights=((number, 100000),),
            rollback_target=None,
            kill=None,
            release=None,
            revision=1,
            since=AT,
        )
        self.put(routing.save, row)

    def record(self, made, outputs, **facts):
        """outputs: (case, sample) -> text."""
        known = {"model": "m-1", "input_tokens": 100, "output_tokens": 10, "latency_ms": 500}
        rows = {
            (made.digest, case, number): canonical_text(
                {
                    "content": made.digest,
                    "case": case,
                    "sample": number,
                    "output": text,
                    "provenance": "test",
                    **known,
                    **facts,
                }
            )
            for (case, number), text in outputs.items()
        }
        self.put(prompts.save_recordings, "shop", rows, {})

    def run(self, label, provider="recorded", providers=None, baseline="production", plan=AS_ALWAYS, **how):
        id = start(self.desk, self.mei, "shop.talk", label, provider, baseline, plan)
        assert run_pending(self.desk, providers or {}, **how)
        return view.show(self.desk, id)


def all_say(text, cases=3, samples=1):
    return {(f"C{n}", s): text for n in range(1, cases + 1) for s in range(1, samples + 1)}


def _shelf_on(desk, person, workflow):
    mei = person("mei.tanaka", of=desk)
    workflow("shop", workflow_owner="mei.tanaka", of=desk)
    made = Shelf(desk, mei)
    made.put(prompts.save_prompt, Prompt(name="shop.talk", workflow="shop", created_at=AT))
    return made


@pytest.fixture
def shelf(desk, person, workflow):
    made = _shelf_on(desk, person, workflow)
    made.suite(suite_document())
    made.prices(PRICES)
    return made


@pytest.fixture
def shelf_on(person, workflow):
    """`shelf_on(desk)`: a shelf on another desk, with the same suite and prices."""

    def make(desk):
        made = _shelf_on(desk, person, workflow)
        made.suite(suite_document())
        made.prices(PRICES)
        return made

    return make
