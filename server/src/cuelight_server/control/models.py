"""Models that are no longer offered: recording that one is."""

from cuelight_server.audit.verbs import Verb
from cuelight_server.control.belonging import held_in
from cuelight_server.control.desk import Desk
from cuelight_server.control.door import act
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import Conflict, Invalid
from cuelight_server.kernel.page import MAX_SIZE
from cuelight_server.kernel.terms import Role
from cuelight_server.prompts import store
from cuelight_server.prompts.model import RetiredModel


def retire_model(desk: Desk, actor: Actor, model: str, why: str) -> RetiredModel:
    """Record that a model is no longer offered: nothing new is minted on it; what serves goes on, and is listed.

    For an administrator and the engineering owner of any workflow, a service account too. Conflict when recorded already.
    """
    if not model.strip() or not why.strip():
        raise Invalid("retiring a model needs its name and a reason", 'give one: --why "..."')
    with act(desk, actor, Verb.MODEL_RETIRE, model, workflow=_workflow_of(desk, actor)) as work:
        if model in store.retired_models(work.sql):
            raise Conflict(f"{model} is retired already", "nothing to do")
        new = RetiredModel(model=model, actor=work.actor.id, why=why, created_at=work.at_text)
        store.save_retired_model(work.sql, new)
        work.note(why=why)
    return new


def _workflow_of(desk: Desk, actor: Actor) -> str:
    """A workflow whose engineering owner this is; the door looks at it again. Empty where there is none."""
    after = ""
    with reading(desk.registry) as sql:
        while True:
            page = store.workflows(sql, after, MAX_SIZE)
            for name in page.items:
                if Role.ENGINEERING_OWNER in held_in(desk, sql, actor, name, store.owners_of(sql, name)):
                    return name
            if page.next is None:
                return ""
            after = page.next
