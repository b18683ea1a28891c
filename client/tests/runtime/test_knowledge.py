"""A call says which release of knowledge each of its items came from, over a real socket."""

import pytest

from cuelight.contract.canonical import digest
from cuelight.contract.knowledge import index

ITEM = {"ref": "CL-1", "text": "Up to 400 sites."}
RELEASE = digest({"knowledge": "claims", "items": [ITEM]})
VARIABLES = [{"name": "lead", "type": "json", "trust": "internal", "source": "knowledge claims"}]


def known(tools, **changes):
    made = tools.prompt_content(variables=VARIABLES)
    version = {
        "digest": made.digest,
        "content": made.to_json(),
        "knowledge": {"claims": {"number": 2, "release": RELEASE}},
    }
    items = {ref: list(digests) for ref, digests in index({"items": [ITEM]}).items()}
    versions = {tools.PROMPT: {"v1": version}}
    return tools.document(**{"versions": versions, "knowledge": {RELEASE: items}, **changes})


@pytest.fixture
def told(server, open_client, tools):
    """What the server was told of one call with this value."""

    def one(value, document=None):
        server.publish(document or known(tools))
        client = open_client()
        call = client.prompt(tools.PROMPT).render(lead=value)
        call.finish('{"fit": 1}')
        tools.until(lambda: server.calls)
        return server.calls[-1], call

    return one


def test_a_call_names_the_release_and_every_item(told):
    sent, call = told([ITEM])
    item = {"known": True, "digest": digest(ITEM), "ref": "CL-1"}
    assert sent["knowledge"] == [
        {"variable": "lead", "name": "claims", "number": 2, "release": RELEASE, "items": [item]}
    ]
    assert all(one.known for one in call.knowledge)


def test_an_item_of_no_release_is_unknown_and_the_app_can_see_it_before_it_sends(told):
    sent, call = told([ITEM, {"ref": "CL-1", "text": "Up to 900 sites."}])
    assert [one["known"] for one in sent["knowledge"][0]["items"]] == [True, False]
    assert not all(one.known for one in call.knowledge)


@pytest.mark.parametrize("trace", [{"content": "hash_only"}, {"content": "redacted"}])
def test_without_leave_to_keep_values_only_digests_and_known_refs_are_told(told, tools, trace):
    document = known(tools)
    document["deployments"][tools.PROMPT][""]["trace"] = trace
    sent, _ = told([ITEM, {"ref": "a secret", "text": "another"}], document)
    assert "values" not in sent
    assert "secret" not in str(sent)
    assert len(sent["knowledge"][0]["items"]) == 2


def test_a_snapshot_that_knows_no_release_makes_everything_unknown(told, tools):
    document = known(tools, knowledge={})
    del document["versions"][tools.PROMPT]["v1"]["knowledge"]
    sent, _ = told([ITEM], document)
    assert sent["knowledge"] == [
        {"variable": "lead", "name": "claims", "items": [{"known": False, "digest": digest(ITEM)}]}
    ]


def test_a_release_too_large_for_the_snapshot_is_named_and_its_items_are_unknown(told, tools):
    sent, _ = told([ITEM], known(tools, knowledge={}))
    assert (sent["knowledge"][0]["number"], sent["knowledge"][0]["items"][0]["known"]) == (2, False)


def test_a_prompt_without_knowledge_tells_of_none(told, tools):
    sent, call = told("x", tools.document())
    assert ("knowledge" in sent, call.knowledge) == (False, ())
