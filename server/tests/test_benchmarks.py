"""The benchmarks run, and each figure stands beside a peer; what they measure is measured by `make bench`, not here."""

import json

import pytest

from benchmarks import noise, places, run, store
from benchmarks.figures import NAMES, figure, in_turns
from benchmarks.peers import measured

STORE = ("store.commit_ms", "push.ms_per_prompt", "act.us", "snapshot.read_us", "audit.append_us", "verify.lines_per_s")


def test_every_figure_of_the_store_comes_with_its_peer_on_both_databases_or_says_what_is_missing(capsys):
    postgres = places.has_postgresql()
    found = list(store.on_both(postgres=postgres, times=2, prompts=2, pushes=1, lines=20))
    kinds = ["sqlite", "postgresql"] if postgres else ["sqlite"]
    assert {one["name"] for one in found} == {f"{name}.{kind}" for name in STORE for kind in kinds}
    for one in found:
        assert tuple(one) == NAMES
        assert one["peer"] > 0
        json.dumps(one, allow_nan=False)
    assert bool(capsys.readouterr().err) == (not postgres)


def test_the_rates_at_which_noise_blocks_stand_beside_those_of_counting_cases():
    found = {one["name"]: one for one in noise.figures(times=3)}
    assert len(found) == 18
    assert found["noise.found_10_points_pct.300x5"]["value"] == 100
    assert found["noise.blocked_unchanged_pct.300x3"]["peer"] == 100


def test_without_postgresql_its_figures_are_skipped_with_a_line_that_says_so(capsys):
    assert [one.name for one in places.every("store.*", durable=False, postgres=False)] == ["sqlite"]
    assert capsys.readouterr().err.startswith("skipped store.*: no PostgreSQL here")


def test_a_peer_that_is_not_installed_is_skipped_with_a_line_that_says_what_brings_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CUELIGHT_PEERS", str(tmp_path))
    assert measured("langfuse_prompts", "client.x", {}) is None
    said = capsys.readouterr()
    assert said.err == "skipped client.x: the peer langfuse_prompts is not installed: make peers\n"
    assert said.out == ""


def test_a_peer_that_fails_is_skipped_and_its_last_word_is_told(monkeypatch, tmp_path, capsys):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho 'ModuleNotFoundError: langfuse' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setenv("CUELIGHT_PEERS", str(tmp_path))
    assert measured("langfuse_prompts", "client.x", {}) is None
    assert "ModuleNotFoundError: langfuse" in capsys.readouterr().err


def test_a_part_that_there_is_not_is_refused(capsys):
    assert run.main("nothing") == 2
    assert "store" in capsys.readouterr().err


def test_two_things_are_measured_in_turns_and_each_is_tried_once_before():
    order = []
    mine, theirs = in_turns(lambda: order.append("a"), lambda: order.append("b"), 3)
    assert order == ["a", "b"] * 4
    assert mine > 0 < theirs


def test_a_figure_without_a_peer_is_no_figure():
    with pytest.raises(ZeroDivisionError):
        figure("x", 1.0, "us", 0.0)
    assert figure("x", 3.0, "us", 2.0) == {"name": "x", "value": 3.0, "unit": "us", "peer": 2.0, "ratio": 1.5}
