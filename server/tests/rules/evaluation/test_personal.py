"""Personal data by form and check digits: what is found, what only looks like it, and that no value is repeated."""

import json
import time

import pytest

from cuelight_server.evaluation.graders import grade, prepare, read


def said(text, given=None, **rule):
    made = {"type": "no_personal_data", "severity": "blocker", **rule}
    (one,) = grade((prepare(made, None),), read(text, input=given or {}))
    return one.message


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "write to Gwen.Jones+x@mail.example.co.uk."),
        ("phone", "call +44 20 7946 0958 now"),
        ("phone", "call (415) 555-0132"),
        ("phone", "call 415-555-0132"),
        ("card", "pay with 4111 1111 1111 1111"),
        ("card", "pay with 378282246310005"),
        ("iban", "to DE89 3704 0044 0532 0130 00 please"),
        ("iban", "to GB82WEST12345698765432"),
        ("us_ssn", "SSN 078-05-1120"),
        ("uk_nhs", "NHS 943 476 5919"),
        ("ip", "from 192.0.2.17."),
    ],
)
def test_what_has_the_form_and_the_check_digits_is_found(kind, text):
    assert said(text, kinds=[kind]) == f"the output holds personal data: 1 {kind}"
    assert said(json.dumps({"deep": [{"text": text}]}), kinds=[kind]) == f"the output holds personal data: 1 {kind}"


@pytest.mark.parametrize(
    "text",
    [
        "order 4111 1111 1111 1112, version 1.2.3, at 10:30",
        "GB82WEST12345698765433",
        "ISO 8601-2026, 0000 0000 0000 0000, F-1234",
        "see section 3.2.1.4.5 and build 999.1.2.3",
        "000-12-3456 or 666-12-3456",
        "943 476 5918",
        "1,250,000 units in 2026-11-24",
        "@mentions and user@localhost",
    ],
)
def test_what_only_looks_like_it_is_not(text):
    assert said(text) == ""


def test_the_values_are_not_in_the_message():
    assert "gwen" not in said("gwen@example.org and gwen@example.com")
    assert said("gwen@example.org and gwen@example.com").endswith("2 email")


def test_what_the_case_gave_may_be_allowed():
    given = {"contact": {"phone": "+44 (20) 7946-0958"}}
    assert said("call +44 20 7946 0958", given, allow_input=True) == ""
    assert said("call +44 20 7946 0958", given) != ""
    assert said("call +44 20 7946 0959", given, allow_input=True) != ""


def test_a_long_text_made_to_be_slow_is_quick():

    for text in ("a." * 100_000 + "@", "4" * 300_000, "DE89" + " A" * 200_000, "+1" + " 2" * 200_000, "1." * 200_000):
        began = time.monotonic()
        said(text)
        assert time.monotonic() - began < 2.0
    assert "nobody looks through" in said("x" * 1_000_001)
