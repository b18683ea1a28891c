"""Clinical, tier regulated: a version that cannot be traced is refused before it is one, and a fluent one fails the patients."""

from cuelight_server.demo.steps import Chapter

AUTHOR, RELEASER, INTAKE = "luca.romano", "ravi.menon", "clinical.intake_summary"
_CASES = ["C01", "C05", "C26"]
SIX = {
    "model_alias_not_pinned",
    "include_not_pinned",
    "settings_incomplete",
    "output_contract_loosened",
    "context_ref_missing",
    "endpoint_not_approved",
}


def play(chapter: Chapter) -> None:
    """Luca writes; Ravi releases; a nurse reads every draft beside the patient's own words."""
    tell = chapter.tell
    tell.act(
        "Clinical 1 · A draft for the nurse", "Tier regulated. Luca pushes the intake summary. No patient here is real."
    )
    chapter.bring("v1")
    pushed = chapter.push(AUTHOR)
    tell.check("one version was minted", holds=len(pushed["minted"]) == 1 and not pushed["refused"])
    chapter.passes(AUTHOR, f"{INTAKE}@v1")
    chapter.approve_and_release(RELEASER, f"{INTAKE}@v1", 4)
    with chapter.app() as app:
        last = chapter.served(app, {INTAKE: _CASES})
        words = "a call that tries to lower an urgency is refused by the authority table"
        chapter.never(app, INTAKE, _CASES[0], "urgency.lower", words)
        kept = chapter.why(AUTHOR, last)["rebuild"]["state"]
        tell.check("the desk keeps no patient's words, only their hashes: verifiable", holds=kept == "verifiable")
    _without_a_trail(chapter)
    _fluent(chapter)


def _without_a_trail(chapter: Chapter) -> None:
    tell = chapter.tell
    tell.act(
        "Clinical 2 · A shorter one, refused by name", "v2 is a third cheaper. It is refused before it is a version."
    )
    chapter.bring("v2")
    refused = chapter.push(AUTHOR)["refused"]
    found = {one["code"] for version in refused for one in version["findings"]}
    tell.show(f"    {', '.join(sorted(found))}")
    tell.check("v2 is refused with six findings", holds=found == SIX)
    drafts = {one["label"] for one in chapter.push(AUTHOR, "--drafts")["drafts"]}
    tell.check("it can be kept as a draft, which never serves anybody", holds="v2" in drafts)
    words = "says nothing that a nurse could trace"
    chapter.stopped(AUTHOR, f"{INTAKE}@v2", words, {"every_statement_traceable", "protocol_recorded"}, 31)


def _fluent(chapter: Chapter) -> None:
    tell = chapter.tell
    tell.act("Clinical 3 · A fluent one", "Luca takes that file out. v3 keeps its trail and reads well.")
    chapter.take_away("v2")
    chapter.bring("v3")
    pushed = chapter.push(AUTHOR)
    tell.check("v3 was minted", holds=[one["label"] for one in pushed["minted"]] == ["v3"])
    words = "names causes, suggests a dose and talks emergencies down"
    because = {"red_flag_never_missed", "red_flag_never_downgraded", "no_advice_or_cause", "no_treatment"}
    chapter.stopped(AUTHOR, f"{INTAKE}@v3", words, because, 10)
    chapter.refused(RELEASER, f"{INTAKE}@v3", "and it cannot be released")
