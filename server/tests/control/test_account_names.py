"""Names of accounts at the door: what nobody can see, what reads like another's, and what would be code elsewhere."""

import pytest

from cuelight_server.access import store
from cuelight_server.control.access import Wish, add_actor, authenticate, issue_key, issue_token
from cuelight_server.control.push import push
from cuelight_server.db.engine import reading
from cuelight_server.kernel.actor import SYSTEM
from cuelight_server.kernel.errors import Conflict, Invalid
from cuelight_server.kernel.terms import Environment
from server.tests import folders


@pytest.fixture
def ada(person):
    return person("ada.admin", admin=True)


@pytest.fixture
def mei(person):
    return person("mei.tanaka")


def token_of(desk, text):
    with reading(desk.registry) as sql:
        return store.token(sql, text.split("_")[2])


@pytest.mark.parametrize(
    "name",
    [
        "\u202eMei",
        "Mei\x00",
        "Mei\nTanaka",
        "Mei\u200bTanaka",
        "",
        "   ",
        "\u0301",
        "...",
        "x" * 121,
        "Mei\ud800",
        "Mei\u2028",
    ],
)
def test_a_name_with_what_nobody_can_see_or_with_no_letter_is_refused(desk, ada, name):
    with pytest.raises(Invalid):
        add_actor(desk, ada, "new.one", name)


def test_a_name_is_kept_in_one_form(desk, ada):
    assert add_actor(desk, ada, "rene.roy", "  Rene\u0301   Roy ").name == "Ren\u00e9 Roy"
    assert add_actor(desk, ada, "li.wei", "\u674e\u5a01").name == "\u674e\u5a01"


@pytest.mark.parametrize(
    "name",
    [
        "Mei Tanaka",
        "mei  TANAKA",
        "\u041c\u0435i T\u0430naka",
        "M\u00e9i Tanaka",
        "\uff2dei Tanaka",
        "Me1 Tanaka",
        "Mei-Tanaka",
        "mei.tanaka",
    ],
)
def test_a_name_that_a_reader_takes_for_anothers_is_refused(desk, ada, mei, name):
    with pytest.raises(Conflict, match="Mei Tanaka"):
        add_actor(desk, ada, "another", name)
    assert add_actor(desk, ada, "another", "Mei Tanaka, Osaka").id == "another"


def test_names_of_others_are_no_hindrance(desk, ada, mei):
    add_actor(desk, ada, "mai.tanaka", "Mai Tanaka")
    issue_key(desk, ada, "mei.tanaka", Environment.STAGING)  # an app of that name is no person


def test_a_text_that_would_be_sql_or_a_template_is_kept_as_text(desk, ada):
    for at, text in enumerate(("Robert'); DROP TABLE actor;--", "{{7*7}} {% raw %}", "<b>Bo</b>", "%s %(x)s :y")):
        assert add_actor(desk, ada, f"person{at}", text).name == text
        key = issue_key(desk, ada, f"app{at}", Environment.STAGING, Wish(label=text))
        assert token_of(desk, key).label == text
    for id in ("x'; DROP TABLE token;--", "{{7*7}}", "\u0430da"):
        with pytest.raises(Invalid):
            add_actor(desk, ada, id, "Somebody")
        with pytest.raises(Invalid):
            issue_key(desk, ada, id, Environment.STAGING)
    assert authenticate(desk, issue_token(desk, SYSTEM, "ada.admin")) == ada


@pytest.mark.parametrize("name", ["M\u0435i Tanaka", "mei-tanaka", "Mei\u202eTanaka"])
def test_a_push_brings_nobody_in_who_reads_like_another(desk, ada, mei, name):
    bundle = folders.folder()
    bundle["workflow"]["people"][-1]["name"] = name
    with pytest.raises(Conflict if "\u202e" not in name else Invalid):
        push(desk, ada, bundle)
    assert push(desk, ada, folders.folder())
