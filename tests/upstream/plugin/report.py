"""Keeps a run to the tests that were selected and writes each outcome as a line of JSON, at once, so that a crash loses nothing.

A test that starts is a line too: where the process dies, the runner knows which one killed it. The line without a name is the end.
"""

from __future__ import annotations

import faulthandler
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

# Well after pytest-timeout, whose alarm waits until the interpreter runs again: a call that never returns ends the process.
_LAST_RESORT = 45
# Where pytest does not capture yet.
_STDERR = os.dup(2)


class Plugin:
    """Selects and reports."""

    def __init__(self, results: str, selected: str | None) -> None:
        self._results = open(results, "a", encoding="utf-8", buffering=1)
        self._selected = None
        if selected is not None:
            with open(selected, encoding="utf-8") as file:
                self._selected = set(json.load(file))
        self._entry: dict[str, Any] = {}

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if self._selected is None:
            return
        dropped = [item for item in items if item.nodeid not in self._selected]
        items[:] = [item for item in items if item.nodeid in self._selected]
        if dropped:
            config.hook.pytest_deselected(items=dropped)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._write({"id": item.nodeid, "outcome": "started"})
        self._entry = {"id": item.nodeid, "outcome": "passed", "seconds": 0.0}
        faulthandler.dump_traceback_later(_LAST_RESORT, exit=True, file=_STDERR)
        try:
            result = yield
        finally:
            faulthandler.cancel_dump_traceback_later()
        self._entry["seconds"] = round(self._entry["seconds"], 3)
        self._write(self._entry)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        entry = self._entry
        entry["seconds"] += report.duration
        if report.failed:
            entry["outcome"] = "failed"
            entry.setdefault("reason", _reason(report))
        elif report.skipped and entry["outcome"] == "passed":
            entry["outcome"] = "skipped"
            entry["reason"] = _reason(report)
        elif hasattr(report, "wasxfail"):
            entry["outcome"] = "skipped"
            entry["reason"] = "expected to fail"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
            self._write({"id": "", "outcome": "finished"})

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        self._results.close()
        config.get_terminal_writer().flush()
        # A test that failed may have left a thread that never ends, for which the interpreter would wait.
        os._exit(0)

    def _write(self, entry: dict[str, Any]) -> None:
        self._results.write(json.dumps(entry) + "\n")


def _reason(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "expected to fail"
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return f"{report.when}: {text}"[:600]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--upstream-results", help="where to write the outcomes, one line each")
    parser.addoption("--upstream-select", help="a JSON list of the tests to run; all without it")


def pytest_configure(config: pytest.Config) -> None:
    plugin = Plugin(config.getoption("--upstream-results"), config.getoption("--upstream-select"))
    config.pluginmanager.register(plugin, "upstream-report")
