"""A fragment that changes names the versions that stay behind."""

from cuelight.contract.canonical import digest_bytes
from cuelight_server.prompts.fragments import Dependant, dependants, includes
from server.tests.folders import content, prompt

OLD, NEW = (digest_bytes(one.encode()) for one in ("Call us.\n", "Call or write.\n"))


def including(text, name="contact"):
    part = {"include": f"{name}@{digest_bytes(text.encode())}", "text": text}
    return content(prompt(messages=[{"role": "system", "parts": [part, part]}]))


def have(label, text, prompt="library.answer", name="contact"):
    return list(includes(prompt, label, including(text, name)))


def test_a_content_includes_a_fragment_once_however_often_it_says_so():
    assert have("v1", "Call us.\n") == [Dependant("library.answer", "v1", "contact", OLD)]
    assert list(includes("library.answer", "v1", content())) == []


def test_everyone_with_an_older_text_is_named_across_prompts():
    known = [
        *have("v1", "Call us.\n"),
        *have("v4", "Write.\n", prompt="library.greet"),
        *have("v1", "Hello.\n", name="hello"),
    ]
    (changed,) = dependants([*have("v1", "Call us.\n"), *have("v2", "Call or write.\n")], known)
    assert (changed.fragment, changed.digest) == ("contact", NEW)
    assert [(one.prompt, one.label) for one in changed.behind] == [("library.answer", "v1"), ("library.greet", "v4")]


def test_a_text_that_is_known_or_wholly_new_has_nobody_behind_it():
    assert dependants(have("v2", "Call us.\n"), have("v1", "Call us.\n")) == []
    assert dependants(have("v1", "Call us.\n"), []) == []
