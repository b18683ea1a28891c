"""One judge on one output, and what it hears."""

import json

from cuelight_server.evaluation.graders import grade, prepare, read
from cuelight_server.evaluation.graders.outside import Outside
from cuelight_server.providers.port import Completion

JUDGE = {"provider": "openai", "model": "m-judge-2026-06-01"}
RULE = {"type": "llm-rubric", "severity": "blocker", "value": "Is it kind to {{name}}?", "judge": JUDGE}


class Heard:
    """An outside whose judge answers from a list, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers, model=JUDGE["model"]):
        self.answers, self.model, self.asked = list(answers), model, []

    def __call__(self, asked):
        self.asked.append(asked)
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(said, Exception):
            raise said
        return Completion(text=said if isinstance(said, str) else json.dumps(said), model=self.model)


def verdict(passed, score=None, reason="because"):
    return {"reason": reason, "pass": passed, **({} if score is None else {"score": score})}


def said(rule, *answers, text="Dear Ada", given=None, model=JUDGE["model"], embed=None):
    heard = Heard(*answers, model=model)
    grader = prepare(rule, None, Outside(judge=heard, embed=embed))
    (one,) = grade((grader,), read(text, input={"name": "Ada", **(given or {})}))
    return one, heard
