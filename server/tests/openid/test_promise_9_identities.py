"""Promise 9: who somebody is elsewhere and which pipelines are trusted can be changed behind our back, but not unseen."""

import pytest

from cuelight_server.access import store
from cuelight_server.access.oidc import Known, Newcomers, Provider
from cuelight_server.audit import store as audit
from cuelight_server.control.access import add_actor, disable_actor
from cuelight_server.control.erasing import erase_person
from cuelight_server.control.identities import account_for, connect, link_identity, unlink_identity
from cuelight_server.control.members import appoint_auditor, dismiss_auditor
from cuelight_server.control.persons import verify_email
from cuelight_server.control.trusts import Wished, add_trust, end_trust
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import reading
from cuelight_server.governance import store as governance
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Conflict, Denied, Invalid, NotFound
from server.tests import tampering

ISSUER = "https://login.example.org"
PROVIDER = Provider(
    issuer=ISSUER,
    client_id="desk",
    newcomers=Newcomers.ADD,
    trusts_email=True,
    admin_groups=frozenset({"boss"}),
    auditor_groups=frozenset({"audit"}),
)


def who(subject, *groups, email=None, name="Ben Okoro", username="ben"):
    return Known(issuer=ISSUER, subject=subject, email=email, name=name, username=username, groups=frozenset(groups))


def wished(**more):
    plain = {"issuer": ISSUER, "audience": "desk", "conditions": {"repository": "acme/x"}, "scopes": ["read"]}
    return Wished(**{**plain, **more})


@pytest.fixture
def lived(desk, person):
    """A desk on which everything happened that can."""
    account_for(desk, PROVIDER, who("s-ben", "boss", email="ben@example.org"))
    account_for(desk, PROVIDER, who("s-ben2"))
    person("mei.tanaka")
    link_identity(desk, SYSTEM, "mei.tanaka", ISSUER, "s-mei")
    connect(desk, person("mei.oncall"), PROVIDER, who("s-mei"))
    account_for(desk, PROVIDER, who("s-gone", "boss", name="Gone Girl", username="gone"))
    unlink_identity(desk, SYSTEM, "gone", ISSUER, "s-gone")
    account_for(desk, PROVIDER, who("s-ivy", "audit", "boss", name="Ivy Audit", username="ivy"))
    account_for(desk, PROVIDER, who("s-ivy", "audit", name="Ivy Audit", username="ivy"))
    account_for(desk, PROVIDER, who("s-rex", "audit", name="Rex Audit", username="rex"))
    account_for(desk, PROVIDER, who("s-rex", name="Rex Audit", username="rex"))
    add_trust(desk, SYSTEM, "ci", wished())
    end_trust(desk, SYSTEM, add_trust(desk, SYSTEM, "ci", wished(minutes=5)).id)
    return desk


def test_promise_9_an_honest_desk_with_identities_and_trusts_has_no_problems(lived):
    assert verify_desk(lived).problems == ()
    with reading(lived.registry) as sql:
        assert [store.account(sql, id).admin for id in ("ben", "ben-2", "gone")] == [True, False, False]
        assert store.account(sql, "mei.oncall").person_id == store.account(sql, "mei.tanaka").person_id
        names = [store.account(sql, id).name for id in ("ben", "ben-2")]
    assert names == ["Ben Okoro", "Ben Okoro (ben-2)"]


@pytest.mark.parametrize(
    ("word", "statement"),
    [
        ("actor is mei.tanaka", "UPDATE identity SET actor = 'mei.tanaka' WHERE subject = 's-ben'"),
        ("is there, and no line", "UPDATE identity SET subject = 'eve' WHERE subject = 's-ben'"),
        ("is there, and no line", "UPDATE identity SET issuer = 'https://evil.example' WHERE subject = 's-ben'"),
        ("is gone", "DELETE FROM identity WHERE subject = 's-mei'"),
        ("is there, and no line", f"INSERT INTO identity VALUES ('{ISSUER}', 'eve', 'ben', 'x', 'y', '[]')"),
        ("what groups give it", "UPDATE identity SET gave = '[]' WHERE subject = 's-ben'"),
        ("what groups give it is unreadable", "UPDATE identity SET gave = '{' WHERE subject = 's-ben'"),
        ("account ben-2: whether an administrator", "UPDATE actor SET admin = (1 = 1) WHERE id = 'ben-2'"),
        ("account ben: whether an administrator", "UPDATE actor SET admin = (1 = 0) WHERE id = 'ben'"),
        ("what groups give it", "UPDATE identity SET gave = '[\"admin\", \"auditor\"]' WHERE subject = 's-ivy'"),
        ("place * ivy auditor is gone", "DELETE FROM membership WHERE account = 'ivy'"),
        ("place * rex auditor is there", "INSERT INTO membership VALUES ('*', 'rex', 'auditor', 'system', 'x')"),
        ("conditions is", 'UPDATE trust SET conditions = \'{"repository": "evil/x"}\''),
        ("conditions is unreadable", "UPDATE trust SET conditions = 'x'"),
        ("scopes is", "UPDATE trust SET scopes = '[\"push\"]'"),
        ("issuer is", "UPDATE trust SET issuer = 'https://evil.example'"),
        ("audience is", "UPDATE trust SET audience = 'other'"),
        ("minutes is", "UPDATE trust SET minutes = 500"),
        ("whether it is over", "UPDATE trust SET ended_at = NULL"),
        ("is gone", "DELETE FROM trust WHERE ended_at IS NULL"),
        ("when it was last used", "UPDATE trust SET last_used_at = '2026-01-05T09:00:00Z'"),
    ],
)
def test_promise_9_an_identity_or_a_trust_that_is_not_what_the_log_tells_is_named(lived, word, statement):
    tampering.behind_our_back(lived, statement)
    found = verify_desk(lived).problems
    assert any(word in one for one in found), found
    assert not any("cannot be" in one for one in found), found


def auditors(desk):
    with reading(desk.registry) as sql:
        return {id for id in ("ben", "ivy", "rex", "by.hand") if governance.is_auditor(sql, id)}


def test_who_is_an_auditor_by_their_group_is_one_no_longer_without_it_and_by_hand_one_stays_it(lived, person):
    assert auditors(lived) == {"ivy"}
    person("by.hand")
    appoint_auditor(lived, SYSTEM, "by.hand")
    link_identity(lived, SYSTEM, "by.hand", ISSUER, "s-hand")
    for groups in (("audit",), ()):
        account_for(lived, PROVIDER, who("s-hand", *groups))
    unlink_identity(lived, SYSTEM, "ivy", ISSUER, "s-ivy")
    assert auditors(lived) == {"by.hand"}
    assert verify_desk(lived).problems == ()


def test_an_auditor_by_their_group_whom_somebody_dismisses_is_one_again_only_with_the_next_sign_in(lived):
    dismiss_auditor(lived, SYSTEM, "ivy")
    assert (auditors(lived), verify_desk(lived).problems) == (set(), ())
    account_for(lived, PROVIDER, who("s-ivy", name="Ivy Audit", username="ivy"))
    assert auditors(lived) == set()
    account_for(lived, PROVIDER, who("s-ivy", "audit", name="Ivy Audit", username="ivy"))
    assert (auditors(lived), verify_desk(lived).problems) == ({"ivy"}, ())


def test_the_log_holds_neither_subject_nor_address(lived):
    with reading(lived.registry) as sql:
        told = str([one.facts for one in audit.readable(sql)])
    for secret in ("s-ben", "s-mei", "ben@example.org"):
        assert secret not in told


def test_after_an_erasure_nobody_is_told_who_that_was_at_the_provider(lived):
    disable_actor(lived, SYSTEM, "ben")
    erase_person(lived, SYSTEM, "ben")
    with reading(lived.registry) as sql:
        assert store.identity(sql, ISSUER, "s-ben") is None
        assert store.identity(sql, ISSUER, "s-ben2") is not None
    assert verify_desk(lived).problems == ()
    tampering.behind_our_back(lived, f"INSERT INTO identity VALUES ('{ISSUER}', 's-ben', 'ben', 'x', 'y', '[]')")
    assert any("is there, and no line" in one for one in verify_desk(lived).problems)


def test_links_that_cannot_be_are_refused(lived, person):
    for bad, error in (
        (lambda: link_identity(lived, SYSTEM, "nobody", ISSUER, "x"), NotFound),
        (lambda: link_identity(lived, SYSTEM, "service:ci", ISSUER, "x"), Invalid),
        (lambda: link_identity(lived, SYSTEM, "ben", ISSUER, "s-mei"), Conflict),
        (lambda: link_identity(lived, SYSTEM, "ben", ISSUER, ""), Invalid),
        (lambda: link_identity(lived, SYSTEM, "ben", ISSUER, "x" * 256), Invalid),
        (lambda: link_identity(lived, SYSTEM, "ben", ISSUER, "\u200b"), Invalid),
        (lambda: link_identity(lived, person("pia.lund"), "pia.lund", ISSUER, "x"), Denied),
        (lambda: unlink_identity(lived, SYSTEM, "ben", ISSUER, "s-mei"), NotFound),
        (lambda: connect(lived, person("mei.oncall"), PROVIDER, who("s-mei")), Conflict),
    ):
        with pytest.raises(error):
            bad()
    assert verify_desk(lived).problems == ()


def test_the_desks_own_name_is_no_newcomers(desk):
    made = account_for(desk, PROVIDER, who("s-system", name="System", username="system"))
    assert made.id == "system-2"


def test_two_accounts_with_one_address_are_asked_which_and_are_one_person_already(desk, person):
    for id in ("ben.one", "ben.two"):
        person(id)
        verify_email(desk, SYSTEM, id, "ben@example.org")
    with pytest.raises(Denied, match="several accounts"):
        account_for(desk, PROVIDER, who("s-ben", email="ben@example.org"))


def test_where_groups_give_nothing_any_more_the_right_goes_at_once(desk):
    made = account_for(desk, PROVIDER, who("s-ben", "boss"))
    with reading(desk.registry) as sql:
        actor = store.account(sql, made.id).actor()
    assert actor.admin
    account_for(desk, PROVIDER, who("s-ben"))
    with pytest.raises(Denied):
        add_actor(desk, actor, "eve.new", "Eve New")
