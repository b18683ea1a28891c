"""Tutoring, where children listen: four people say yes, what they enjoy is no evidence, and a better turn may cost too much."""

from cuelight_server.demo.steps import Chapter

AUTHOR, RELEASER, TURN = "martin.hale", "elif.demir", "tutoring.lesson_turn"
_CASES = ["T01", "T03", "T05", "T08"]


def play(chapter: Chapter) -> None:
    """Martin, a teacher, writes; Elif releases once four people said yes."""
    tell = chapter.tell
    tell.act(
        "Tutoring 1 · A voice tutor for children", "Tier high. Martin, a teacher, pushes one spoken turn of a lesson."
    )
    chapter.bring("v1")
    pushed = chapter.push(AUTHOR)
    tell.check("one version was minted", holds=len(pushed["minted"]) == 1 and not pushed["refused"])
    chapter.passes(AUTHOR, f"{TURN}@v1")
    chapter.approve_and_release(RELEASER, f"{TURN}@v1", 4)
    with chapter.app() as app:
        chapter.served(app, {TURN: _CASES})
        words = "a turn that asks a child for contact details is refused by the authority table"
        chapter.never(app, TURN, _CASES[0], "contact.share_or_collect_details", words)
    tell.act("Tutoring 2 · Two improvements arrive", "One is more fun. One is right every time.")
    chapter.bring("v2")
    chapter.bring("v3")
    pushed = chapter.push(AUTHOR)
    tell.check("two versions were minted, none serves anybody", holds=len(pushed["minted"]) == 2)
    fun = {"teaching_turns_are_grounded", "never_final_answer", "no_private_data_in_note"}
    words = "teaches beside the lesson, gives answers away and stores private data"
    chapter.stopped(AUTHOR, f"{TURN}@v2", words, fun, 14)
    chapter.stopped(AUTHOR, f"{TURN}@v3", "is right in every case and costs too much", {"cost +46%", "p95 +21%"}, 0)
    chapter.refused(RELEASER, f"{TURN}@v3", "and a bill that nobody agreed to does not go live")
