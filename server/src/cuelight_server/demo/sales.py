"""Sales, the longest chapter: three prompts from nothing to production, three bad improvements, and a bad moment undone."""

from cuelight_server.demo.app import App
from cuelight_server.demo.steps import DENIED, PASS, Chapter

AUTHOR, RELEASER, SUPPORT, SAFE = "leon.abara", "mei.tanaka", "dana.kim", "research_summary"
_EACH = 5
_PEOPLE = {"research_summary": 1, "lead_qualification": 3, "outreach_draft": 3}
_BREAKS = {
    "research_summary": ("breaks the format the CRM reads", {"json_only", "schema"}),
    "lead_qualification": ("discards real buyers", {"ninety_percent_rule", "buyer_never_discarded"}),
    "outreach_draft": (
        "writes as if things were sent and approved",
        {"never_speaks_as_sent_or_approved", "opt_out_line", "tools_allowed"},
    ),
}


def play(chapter: Chapter) -> None:
    """Leon writes, Mei releases, Dana takes back."""
    first_versions(chapter)
    with chapter.app() as app:
        serve_calls(chapter, app)
        improvements(chapter)
        safe_wording(chapter, app)
        bad_moment(chapter, app)


def first_versions(chapter: Chapter) -> None:
    """Push, evaluate, approve and release every v1; nothing goes live one step earlier."""
    tell = chapter.tell
    tell.act("Sales 1 · Three prompts come to the desk", "Leon, the domain expert, pushes the first version of each.")
    chapter.bring("v1")
    pushed = chapter.push(AUTHOR)
    tell.check("three versions were minted", holds=len(pushed["minted"]) == len(_BREAKS) and not pushed["refused"])
    tell.act("Sales 2 · Nothing goes live on a good feeling", "Mei tries to release at once.")
    words = "refused: there is no evaluation and no approval"
    chapter.refused(RELEASER, "sales.lead_qualification@v1", words, show=True)
    tell.act(
        "Sales 3 · Evidence, then people",
        "The server runs each test set. Then the people whom the workflow names say yes.",
    )
    for prompt in _BREAKS:
        chapter.passes(RELEASER, f"sales.{prompt}@v1")
    own = chapter.stage.cuelight(AUTHOR, "approve", "sales.lead_qualification@v1", "--to", "production")
    tell.check("Leon wrote it, so his own yes does not count", holds=own.code == DENIED)
    for prompt in _BREAKS:
        chapter.approve_and_release(RELEASER, f"sales.{prompt}@v1", _PEOPLE[prompt])


def serve_calls(chapter: Chapter, app: App) -> None:
    """The app serves real tasks; every output is checked and gets an id."""
    chapter.tell.act(
        "Sales 4 · The app works",
        "One process with the Cuelight client. It keeps running until the end of this chapter.",
    )
    chapter.served(app, {prompt: list(cases)[:_EACH] for prompt, cases in app.inputs.items()})
    words = "a call that tries to send mail is refused by the authority table"
    chapter.never(app, "sales.outreach_draft", "O16", "outreach.send_email", words)


def improvements(chapter: Chapter) -> None:
    """Three changes that look better are each stopped for their own reason."""
    tell = chapter.tell
    tell.act("Sales 5 · Three improvements arrive", "Each reads well, and two are cheaper. Leon pushes them.")
    chapter.bring("v2")
    pushed = chapter.push(AUTHOR)
    tell.check("three versions v2 were minted, none serves anybody", holds=len(pushed["minted"]) == len(_BREAKS))
    for prompt, (words, graders) in _BREAKS.items():
        chapter.stopped(AUTHOR, f"sales.{prompt}@v2", words, graders)
    chapter.refused(RELEASER, "sales.outreach_draft@v2", "and none can be released")


def safe_wording(chapter: Chapter, app: App) -> None:
    """A change of wording passes, is approved, and the running app follows."""
    tell = chapter.tell
    name = f"sales.{SAFE}"
    tell.act("Sales 6 · A safe change of wording goes live", "One tone sentence is kinder; nothing else changes.")
    chapter.bring("v3", SAFE)
    chapter.push(AUTHOR)
    diff = chapter.stage.as_json(AUTHOR, "diff", f"{name}@v1", f"{name}@v3").json
    tell.check("the desk computes the class of the change: wording", holds=diff["change_class"] == "wording")
    chapter.passes(RELEASER, f"{name}@v3")
    with app.following(name, "v3") as followed:
        chapter.approve_and_release(RELEASER, f"{name}@v3", _PEOPLE[SAFE])
    tell.check("the running app serves v3, without a restart", holds=followed.seconds is not None)


def bad_moment(chapter: Chapter, app: App) -> None:
    """The format breaks, support takes the release back, and one output id explains it."""
    tell, stage = chapter.tell, chapter.stage
    name = f"sales.{SAFE}"
    tell.act(
        "Sales 7 · A bad moment", "The model begins to wrap its answers in code fences. The CRM could not read them."
    )
    version, result = app.serve(name, "S01", fenced=True)
    step = result.step.kind if result.step else "nothing"
    tell.show(f"    {'; '.join(finding.message for finding in result.findings)}; next: {step}")
    tell.check(f"the output of {version} was caught before it reached the CRM", holds=not result.ok)
    tell.act("Sales 8 · Taken back", "Dana from support needs no version number, no gate and no approval.")
    with app.following(name, "v1") as followed:
        back = stage.cuelight(SUPPORT, "rollback", name, "--why", "code fences break the CRM form", "--yes")
    chapter.excerpt(back)
    words = f"the same running app serves v1 again {_in(followed.seconds)} after the command was typed"
    tell.check(words, holds=back.code == PASS and followed.seconds is not None)
    tell.act("Sales 9 · What happened?", "One output id answers.")
    rebuilt = chapter.why(SUPPORT, result.id)["rebuild"]["state"]
    chapter.excerpt(stage.cuelight(SUPPORT, "why", result.id), 16)
    tell.check("the prompt was rebuilt to identical bytes", holds=rebuilt == "identical")


def _in(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
