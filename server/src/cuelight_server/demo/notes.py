"""Notes, the light path: one person, nobody's yes, and the test set all the same; the next version waits for its release."""

from cuelight_server.demo.steps import Chapter

NORA, SUMMARY = "nora.blum", "notes.meeting_summary"
_CASES = ["N01", "N02", "N03"]


def play(chapter: Chapter) -> None:
    """Nora does all of it."""
    tell = chapter.tell
    tell.act("Notes 1 · The light path", "Tier low: the minutes of one team. Nora writes, and nobody else is asked.")
    chapter.bring("v1")
    pushed = chapter.push(NORA)
    tell.check("one version was minted", holds=len(pushed["minted"]) == 1 and not pushed["refused"])
    chapter.refused(NORA, f"{SUMMARY}@v1", "without its evaluation it does not go live here either")
    chapter.passes(NORA, f"{SUMMARY}@v1")
    chapter.approve_and_release(NORA, f"{SUMMARY}@v1", 0)
    with chapter.app() as app:
        chapter.served(app, {SUMMARY: _CASES})
    tell.act("Notes 2 · A warmer sentence", "v2 passes, and Nora goes home. It waits for her: the desk shows Standby.")
    chapter.bring("v2")
    chapter.push(NORA)
    diff = chapter.stage.as_json(NORA, "diff", f"{SUMMARY}@v1", f"{SUMMARY}@v2").json
    tell.check("the desk computes the class of the change: wording", holds=diff["change_class"] == "wording")
    chapter.passes(NORA, f"{SUMMARY}@v2")
