"""Looking at proposals to change what governs: what differs, whose yes is there, and whose is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cuelight.contract.condition import same
from cuelight_server.access import store as access
from cuelight_server.access.model import Account
from cuelight_server.control.belonging import sees
from cuelight_server.control.desk import Desk
from cuelight_server.db.engine import Connection, reading
from cuelight_server.governance import rules, store
from cuelight_server.governance.model import RECEIVER, Facts, Need, Proposal, State
from cuelight_server.kernel.actor import Actor
from cuelight_server.kernel.errors import NotFound
from cuelight_server.kernel.page import DEFAULT_SIZE, MAX_SIZE, Page
from cuelight_server.kernel.sight import EVERYTHING, Sight
from cuelight_server.kernel.terms import ActorKind, Role
from cuelight_server.prompts import store as prompts
from cuelight_server.prompts.governed import changes, governance_digest, merged, touched
from cuelight_server.prompts.model import Workflow
from cuelight_server.releases import policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalShown:
    """One proposal with everything that it takes; `needs` is empty for one that has ended. Times are RFC 3339.

    `changes` say what differs from what governed when it was made; `stale`: something else governs by now.
    """

    id: str
    workflow: str
    kind: str
    state: str
    author: str
    note: str
    receiver: str | None
    changes: tuple[str, ...]
    needs: tuple[Need, ...]
    stale: bool
    created_at: str
    ended_at: str | None
    ended_by: str | None
    ended_why: str | None

    @property
    def ready(self) -> bool:
        """Whether it could be put into force now."""
        return self.state == State.OPEN and not self.stale and all(one.given_by for one in self.needs)

    def to_json(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {**asdict(self), "ready": self.ready}


def show(desk: Desk, id: str, sight: Sight = EVERYTHING) -> ProposalShown:
    """One proposal; NotFound, also for what is not there for whoever asks."""
    with reading(desk.registry) as sql:
        found = store.proposal(sql, id)
        if found is None or not sight.sees(found.workflow):
            raise no_proposal(id)
        return _shown(sql, found)


def listing(
    desk: Desk,
    workflow: str = "",
    before: str | None = None,
    size: int = DEFAULT_SIZE,
    sight: Sight = EVERYTHING,
    *,
    only_open: bool = False,
) -> Page[ProposalShown]:
    """Proposals in sight, newest first, from below the cursor `before`; of one workflow where it is named."""
    if workflow:
        sight.enter(workflow)
    among = None if sight.everything else sight.workflows
    with reading(desk.registry) as sql:
        page = store.proposals(sql, workflow, before, size, among=among, only_open=only_open)
        return Page(tuple(_shown(sql, one) for one in page.items), page.next)


def gather(sql: Connection, one: Proposal) -> Facts:
    """The facts about a proposal, as they are now."""
    now = workflow_now(sql, one.workflow)
    rules_then = one.document["governed"]
    required = policy.for_governance(
        now.document,
        touched(now.document, rules_then),
        authority=not same(dict(now.authority), one.document["authority"]),
    )
    given = tuple(
        yes for yes in store.consents(sql, one.id) if yes.role != RECEIVER or any(_present(sql, [yes.person]))
    )
    holders = {role: tuple(_present(sql, _named(now.document, role))) for role in required}
    admins = tuple(account.id for account in _accounts(sql) if account.admin)
    everyone = {
        one.author,
        *(who for held in holders.values() for who in held),
        *admins,
        *(yes.person for yes in given),
    }
    everyone |= {one.receiver} if one.receiver else set()
    return Facts(
        proposal=one,
        now=governance_digest(now.document, now.authority),
        required=required,
        holders=holders,
        admins=admins,
        given=given,
        person_of={who: person_of(sql, who) for who in everyone},
    )


def person_of(sql: Connection, account: str) -> str:
    """The person behind an account: two accounts of one person are one pair of eyes."""
    found = access.account(sql, account)
    return found.actor().who if found is not None else account


def place_of_proposal(desk: Desk, actor: Actor, id: str) -> str:
    """The workflow of a proposal; NotFound where there is none, or where it is not there for them."""
    with reading(desk.registry) as sql:
        found = store.proposal(sql, id)
        if found is None or not sees(desk, sql, actor, found.workflow):
            raise no_proposal(id)
    return found.workflow


def no_proposal(id: str) -> NotFound:
    """The one answer about a proposal that is not there for somebody."""
    return NotFound(f"there is no proposal {id}", "see the open ones: cuelight govern list")


def stored(sql: Connection, id: str) -> Proposal:
    """The proposal as it is; NotFound."""
    found = store.proposal(sql, id)
    if found is None:
        raise no_proposal(id)
    return found


def workflow_now(sql: Connection, name: str) -> Workflow:
    """The workflow at its newest revision; NotFound."""
    found = prompts.workflow(sql, name)
    if found is None:
        raise NotFound(f"there is no workflow {name}", "see the workflows with `cuelight status`")
    return found


def _shown(sql: Connection, one: Proposal) -> ProposalShown:
    facts = gather(sql, one)
    is_open = one.state is State.OPEN
    return ProposalShown(
        id=one.id,
        workflow=one.workflow,
        kind=one.kind.value,
        state=one.state.value,
        author=one.author,
        note=one.note,
        receiver=one.receiver,
        changes=_lines(sql, one),
        needs=rules.needs(facts) if is_open else (),
        stale=is_open and facts.now != one.base,
        created_at=one.created_at,
        ended_at=one.ended_at,
        ended_by=one.ended_by,
        ended_why=one.ended_why,
    )


def _lines(sql: Connection, one: Proposal) -> tuple[str, ...]:
    base = prompts.workflow_at(sql, one.workflow, one.base_revision)
    if base is None:
        return ()
    after = merged(base.document, {**one.document["governed"], "people": one.document["people"]})
    return changes(base.document, base.authority, after, one.document["authority"])


def _named(document: Mapping[str, Any], role: Role) -> list[str]:
    """Who holds the role: of the workflow, or where it has none, of any of its prompts."""
    tables = [document.get("owners", {}), *(one.get("owners", {}) for one in document.get("prompts", {}).values())]
    owners = [table[role.value] for table in tables if role.value in table]
    first = owners[:1] if role.value in tables[0] else owners
    held = [who[part] for who in first for part in ("person", "backup") if who.get(part)]
    return list(dict.fromkeys(held))


def _present(sql: Connection, people: list[str]) -> Iterator[str]:
    """Those who can act: known here, a person, not disabled."""
    for one in people:
        account = access.account(sql, one)
        if account is not None and account.disabled_at is None and account.kind is ActorKind.PERSON:
            yield one


def _accounts(sql: Connection) -> Iterator[Account]:
    after: str | None = ""
    while after is not None:
        page = access.accounts(sql, after, MAX_SIZE)
        yield from (one for one in page.items if one.disabled_at is None and one.kind is ActorKind.PERSON)
        after = page.next
