"""Runs urllib3's own tests against the component: what `make upstream` does once setup.sh has brought everything.

First the suite runs against urllib3 itself and is traced: what fails or skips there is the environment's, and rule.py says from the
trace which of the rest another implementation can run. Those are run again with our classes in place of urllib3's. The arguments go to
pytest, to run some of the tests only; then nothing is compared with the floor.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from plugin import rule

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = (ROOT / os.environ.get("CARGO_TARGET_DIR", "target")).resolve() / "upstream"

SUITES = [f"test/with_dummyserver/test_{name}.py" for name in (
    "poolmanager", "proxy_poolmanager", "connectionpool", "https", "chunked_transfer", "socketlevel")] + ["test/contrib/test_socks.py"]
SELECTED = "PQS"
MOST_ROWS = 15

TEST_SECONDS = 20
# For everything together: `make upstream` promises to end within ten minutes.
DEADLINE = time.monotonic() + 540

Outcomes = dict[str, dict[str, Any]]


def pytest(name: str, directory: Path, plugins: list[str], arguments: list[str], selected: list[str] | None = None) -> Outcomes:
    """Runs pytest, again for what is left where a test took the process down, and returns each test's outcome."""
    results, selection, log = (TARGET / f"{name}{suffix}" for suffix in (".jsonl", ".selected.json", ".log"))
    results.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default", f"--timeout={TEST_SECONDS}",
               # Parsing sources for a traceback can fail in CPython 3.11 while the collector runs finalisers.
               "--tb=native",
               f"--upstream-results={results}"]
    for plugin in ["report", *plugins]:
        command += ["-p", f"plugin.{plugin}"]
    # CI is what makes the suite patient with slow machines.
    environment = os.environ | {"CI": "true", "PYTHONPATH": str(HERE), "PYTHONPYCACHEPREFIX": str(TARGET / "pycache")}
    outcomes: Outcomes = {}
    with open(log, "wb") as output:
        while True:
            left = arguments
            if selected is not None:
                selection.write_text(json.dumps([test for test in selected if test not in outcomes]), encoding="utf-8")
                left = [f"--upstream-select={selection}", *arguments]
            status: int | str
            try:
                seconds = max(DEADLINE - time.monotonic(), 1)
                status = subprocess.run([*command, *left], cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                        stderr=output, timeout=seconds, check=False).returncode
            except subprocess.TimeoutExpired:
                status = "no time left"
            outcomes, before = read(results), len(outcomes)
            if outcomes.pop("", None):
                return outcomes
            if isinstance(status, str) or selected is None or len(outcomes) == before:
                print(log.read_text(encoding="utf-8", errors="replace")[-4000:], file=sys.stderr)
                print(f"upstream: {name}: pytest ended with {status}; the log is {log}", file=sys.stderr, flush=True)
                passed = sum(entry["outcome"] == "passed" for entry in outcomes.values())
                print(f"upstream: {passed} passed, 1 failed, 0 skipped, {len(outcomes)} selected")
                sys.exit(1)


def read(results: Path) -> Outcomes:
    """The last line of each test; one that started and never ended took the process with it."""
    outcomes: Outcomes = {}
    if results.exists():
        for line in results.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            outcomes[entry.pop("id")] = entry
    for entry in outcomes.values():
        if entry["outcome"] == "started":
            entry.update(outcome="failed", reason="the process ended while it ran, or it never returned", seconds=0)
    return outcomes


def baseline(suite: Path) -> Outcomes:
    """Each test's outcome on urllib3 itself, with its class and the reasons for that."""
    files = [Path(__file__), HERE / "requirements.txt", HERE / "urllib3.txt", *sorted((HERE / "plugin").glob("*.py"))]
    key = hashlib.sha256(sys.version.encode() + b"".join(file.read_bytes() for file in files)).hexdigest()
    cache = TARGET / "baseline.json"
    if cache.exists() and "CI" not in os.environ:
        known = json.loads(cache.read_text(encoding="utf-8"))
        if known["key"] == key:
            return known["tests"]

    touches = TARGET / "baseline.touches.json"
    tests = pytest("baseline", suite, ["hypercorn_extensions", "trace"], [f"--upstream-touches={touches}", *SUITES])
    traced = json.loads(touches.read_text(encoding="utf-8"))
    # What did not run here is like the same function elsewhere: with other parameters, or in a sister class.
    alike: dict[str, set[str]] = {}
    for entry in traced.values():
        if entry["ran"]:
            alike.setdefault(entry["function"], set()).update(entry["touches"])
    for test, entry in traced.items():
        known = set(entry["touches"])
        if not entry["ran"]:
            known |= alike.get(entry["function"], set())
        tests[test]["class"], tests[test]["why"] = rule.classify(known)
    cache.write_text(json.dumps({"key": key, "tests": tests}, indent=1), encoding="utf-8")
    return tests


def differences(tests: Outcomes) -> tuple[int, dict[str, str], list[str]]:
    """The floor, the reason of each test that is chosen not to pass, and what is wrong with the list."""
    listed = tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    reasons: dict[str, str] = {}
    wrong: list[str] = []
    rows = listed.get("difference", [])
    if len(rows) > MOST_ROWS:
        wrong.append(f"{len(rows)} rows are more than {MOST_ROWS}")
    for row in rows:
        if f"| {row['row']} |" not in readme:
            wrong.append(f"the README's table has no row {row['row']!r}")
        for name in row["tests"]:
            named = [test for test in tests if test == name or test.startswith(f"{name}[")]
            if not named:
                wrong.append(f"there is no test {name!r}")
            reasons |= dict.fromkeys(named, f"{row['reason']} ({row['row']})")
    return listed["floor"], reasons, wrong


def judge(tests: Outcomes, outcomes: Outcomes, reasons: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What report.json says of each test of the suite."""
    report: dict[str, dict[str, Any]] = {}
    for test, known in tests.items():
        said: dict[str, Any] = {"outcome": "deselected", "class": known["class"], "reason": ", ".join(known["why"])}
        if known["outcome"] != "passed":
            said |= {"outcome": "environment", "reason": f"{known['outcome']} on urllib3 itself: {known.get('reason', '')}"}
        elif test in outcomes:
            found = outcomes[test]
            said |= {"outcome": found["outcome"], "reason": found.get("reason", ""), "seconds": found["seconds"]}
            if test in reasons and found["outcome"] == "passed":
                said |= {"outcome": "failed", "reason": "it is listed in differences.toml, and passes"}
            elif test in reasons:
                said |= {"outcome": "skipped", "reason": reasons[test], "failure": found.get("reason", "")}
            elif found["outcome"] == "skipped":
                said |= {"outcome": "failed", "reason": f"skipped, though it passes on urllib3 itself: {found['reason']}"}
        elif known["class"] in SELECTED:
            said |= {"outcome": "not run", "reason": "not among what the arguments select"}
        report[test] = said
    return report


def vectors(suite: Path) -> bool:
    """Records what urllib3's unit tests ask of urllib3, and asks the component's core the same."""
    recorded = TARGET / "vectors.jsonl"
    ask = ["cargo", "run", "-q", "--bin", "vectors", "--features", "urlpool-core/sim", "--", str(recorded), str(TARGET / "vectors.json")]
    commands = [[sys.executable, str(HERE / "vectors.py"), str(suite), str(recorded)], ask]
    return all(subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, timeout=600, check=False).returncode == 0 for command in commands)


def summary(outcomes: dict[str, dict[str, Any]]) -> str:
    """The failures, one a line, for whoever reads the output."""
    lines = []
    for test, entry in outcomes.items():
        if entry["outcome"] == "failed":
            reason = (entry.get("reason") or "").strip().replace("\n", " ")
            lines.append(f"FAILED {test}: {reason[:200]}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Runs everything and says how it went."""
    TARGET.joinpath("report.json").unlink(missing_ok=True)
    suite = next(path for path in TARGET.glob("urllib3-*") if path.is_dir())
    tests = baseline(suite)
    passing = [test for test, entry in tests.items() if entry["outcome"] == "passed"]
    selected = [test for test in passing if tests[test]["class"] in SELECTED]
    classes = Counter(tests[test]["class"] for test in passing)
    print(f"upstream: {len(passing)} of {len(tests)} tests pass on urllib3 itself here:",
          ", ".join(f"{classes[letter]} {letter}" for letter in rule.ORDER), flush=True)

    floor, reasons, wrong = differences(tests)
    ours = sorted(str(path) for path in HERE.glob("test_*.py"))
    files = [argument for argument in arguments if argument.partition("::")[0].endswith(".py")]
    options = [argument for argument in arguments if argument not in files]
    suites = [file for file in files if file.startswith("test/")]
    if files:
        ours = [str(ROOT / file) for file in files if file.startswith("tests/")]

    outcomes: Outcomes = {}
    if suites or not files:
        outcomes = pytest("judged", suite, ["hypercorn_extensions", "replace"], [*options, *(suites or SUITES)], selected)
        if not arguments:
            outcomes |= {test: {"outcome": "failed", "reason": "it did not run", "seconds": 0} for test in selected if test not in outcomes}
    report = judge(tests, outcomes, reasons)
    own = pytest("own", HERE, ["hypercorn_extensions"], [*options, "--rootdir", str(HERE), *ours]) if ours else {}

    TARGET.joinpath("report.json").write_text(json.dumps({"tests": report, "own": own}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    found = Counter(report[test]["outcome"] for test in outcomes)
    if own:
        counts = Counter(entry["outcome"] for entry in own.values())
        print(f"own: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
        if counts["passed"] < len(own):
            wrong.append(f"{len(own) - counts['passed']} of our own tests did not pass; see {TARGET / 'own.log'}")
    if not outcomes and not own:
        wrong.append("the arguments select no test")
    if not arguments:
        if not own:
            wrong.append("none of our own tests ran")
        if not vectors(suite):
            wrong.append(f"the vectors failed; see {TARGET / 'vectors.json'}")
        if found["passed"] < floor:
            wrong.append(f"{found['passed']} passed, and the floor is {floor}")

    failures = "\n".join(filter(None, [summary(own), summary(report)]))
    if failures:
        print(f"{failures}\nThe log is {TARGET / 'judged.log'}")
    for complaint in wrong:
        print(f"upstream: {complaint}", file=sys.stderr)
    sys.stderr.flush()
    print(f"upstream: {found['passed']} passed, {found['failed']} failed, {found['skipped']} skipped, {len(outcomes)} selected", flush=True)
    return 1 if wrong or found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
