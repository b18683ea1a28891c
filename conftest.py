"""What every test run shares: in CI a skipped test is a failed run, for a skip there hides a missing piece."""

import os
from collections.abc import Iterator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count skips."""
    config.pluginmanager.register(SkipCount(config), "skip-count")


class SkipCount:
    """Collects skips as they are reported; under xdist only the controller judges them."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that was skipped; an expected failure is not a skip."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a whole file that was skipped."""
        if report.skipped:
            self.skipped.append(report.nodeid)

    @property
    def judged(self) -> bool:
        """Whether skips fail this run: in CI, outside an xdist worker."""
        return os.environ.get("CI") == "true" and bool(self.skipped) and not hasattr(self.config, "workerinput")

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Turn a green run with skips into a failed one, before the summary is written."""
        if self.judged and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        yield

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say why the run failed."""
        if self.judged:
            terminalreporter.write_line(
                f"CI=true and {len(self.skipped)} skipped: a skip in CI is a failure.", red=True
            )
