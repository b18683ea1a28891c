"""A library of tier elevated with backups, and what tests of its governance do to it again and again."""

from copy import deepcopy
from typing import Any

from cuelight_server.control.access import add_actor
from cuelight_server.control.desk import Desk
from cuelight_server.control.proposals import show
from cuelight_server.control.push import push
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.prompts import store
from cuelight_server.prompts.model import Workflow
from server.tests.folders import OWNERS, folder, workflow
from server.tests.releasing import who

ANA, BEN, CHI, DEE, ELI = OWNERS.values()  # workflow, domain, engineering, risk, support
ANN, CY = "ann.backup", "cy.backup"
STRANGER, ADMIN = "zoe.stranger", "ada.admin"
EASIER = {"approvals": ["workflow_owner"]}


def rules(**changes: Any) -> dict[str, Any]:
    """The workflow document: the workflow owner and the engineering owner have backups."""
    made = workflow()
    made["owners"]["workflow_owner"]["backup"] = ANN
    made["owners"]["engineering_owner"]["backup"] = CY
    made["people"] += [{"id": one, "name": one.title()} for one in (ANN, CY)]
    return deepcopy({**made, **changes})


def library(desk: Desk, **changes: Any) -> None:
    """Push it; everyone has an account, and so have a stranger and an administrator."""
    add_actor(desk, SYSTEM, ANA, "Ana Reyes")
    add_actor(desk, SYSTEM, STRANGER, "Zoe Stranger")
    add_actor(desk, SYSTEM, ADMIN, "Ada Admin", admin=True)
    push(desk, who(desk, ANA), folder(workflow=rules(**changes)))


def proposed(desk: Desk, by: str = DEE, authority: dict[str, Any] | None = None, **changes: Any) -> str:
    """The id of what a push with these changes proposes."""
    more = {} if authority is None else {"authority": authority}
    done = push(desk, who(desk, by), folder(workflow=rules(**(changes or {"tier": "standard"})), **more)).to_json()
    assert done["governance"] in ("proposed", "waiting"), done["governance"]
    return str(done["proposal"]["id"])


def needs(desk: Desk, id: str) -> dict[str, str | None]:
    """Role -> who has said yes."""
    return {one.role: one.given_by for one in show(desk, id).needs}


def now(desk: Desk) -> Workflow:
    """What governs."""
    with reading(desk.registry) as sql:
        found = store.workflow(sql, "library")
    assert found is not None
    return found


def actor(desk: Desk, id: str) -> Actor:
    """Somebody, as they come in."""
    return who(desk, id)
