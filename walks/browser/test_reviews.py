"""Reading outputs blind as a workflow owner does: case by case on a phone or a desk, signing, and what comes to light."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from cuelight.files import read_folder
from cuelight_server.control import releases
from cuelight_server.control.evaluation import run_pending, start
from cuelight_server.control.opening import create_desk
from cuelight_server.control.push import push
from cuelight_server.control.reviews import open_review
from cuelight_server.demo.stage import own_files
from cuelight_server.views.desk import person
from server.tests.reviewing import read_what_is_asked
from walks.browser.screens import NAMES, SCREENS, look

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "sales.research_summary"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo desk on which v1 serves, v3 is evaluated, and nobody has read it yet."""
    folder = tmp_path_factory.mktemp("reviews") / "desk"
    desk = create_desk(folder, demo=True, admin=("root", "Root"))
    bundle = read_folder(ROOT / "examples/sales").bundle
    versions = {label: made for label, made in bundle["prompts"]["research_summary"].items() if label in ("v1", "v3")}
    bundle["prompts"] = {"research_summary": versions}
    root = person(desk, "root")
    assert root is not None
    push(desk, root, bundle)
    for label in ("v1", "v3"):
        mei = person(desk, "mei.tanaka")
        assert mei is not None
        id = start(desk, mei, PROMPT, label, "recorded")
        assert run_pending(desk, {})
        if label == "v3":
            open_review(desk, mei, id, "workflow_owner")
            continue
        read_what_is_asked(desk, PROMPT, label)
        for item in releases.check(desk, PROMPT, label).items:
            if item.id.startswith("approval:") and not item.ok:
                who = person(desk, item.who[0].rpartition("(")[2].rstrip(")"))
                assert who is not None
                releases.approve(desk, who, PROMPT, label, role=item.id.split(":")[1])
        releases.release(desk, mei, PROMPT, label)
    desk.close()
    return folder


@pytest.fixture
def url(asked: Path, tmp_path: Path) -> Iterator[str]:
    """A server on a copy of it."""
    folder = shutil.copytree(asked, tmp_path / "desk")
    command = [sys.executable, "-m", "cuelight_server.cli", "serve", "--port", "0", "--data", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, env=own_files(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield line[line.index("http") :].split()[0].rstrip("/.,")
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=SCREENS, ids=NAMES)
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    scheme, size = request.param
    context = chromium.new_context(color_scheme=scheme, viewport=size, java_script_enabled=True)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def shot(page: Page, shots: str | None, request: pytest.FixtureRequest) -> Callable[[str], None]:
    def one(name: str) -> None:
        look(page, shots, name, request.node.callspec.id)
        assert page.locator("script").count() == 0

    return one


def test_the_workflow_owner_reads_signs_and_sees_which_was_which(page, url, shot):
    page.goto(f"{url}/signin")
    page.get_by_role("button", name="Priya Nandakumar").click()
    page.get_by_role("link", name="Reviews").click()
    page.get_by_text("Waits for you", exact=True).wait_for()
    shot("review-list")
    page.get_by_role("link", name="Read").click()
    page.get_by_text("0 of 5 cases answered").wait_for()
    shot("review-start")
    page.get_by_role("link", name="Begin").click()
    for number in range(1, 6):
        page.get_by_role("heading", level=1, name=f"Case {number}").wait_for()
        if number == 1:
            shot("review-case")
        if number == 2:  # a keyboard is enough
            page.get_by_label("A is better").focus()
            page.keyboard.press("Space")
            page.keyboard.press("Tab")
            page.get_by_label("Yes, of both").focus()
            page.keyboard.press("Space")
            page.get_by_label("A note, if you like").fill("B says more than the sources do.")
            page.get_by_role("button", name="Save").focus()
            page.keyboard.press("Enter")
            continue
        page.get_by_label("Both are fine").check()
        page.get_by_role("button", name="Save").click()
    page.get_by_text("5 of 5 cases answered").wait_for()
    shot("review-sign")
    page.get_by_role("button", name="Sign 5 answers").click()
    page.get_by_text("signed by Priya Nandakumar").wait_for()
    assert page.get_by_text("v3, new").count() == 5
    shot("review-revealed")
