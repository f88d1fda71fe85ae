"""The portable vectors of urllib3's unit tests: what they ask of it and what it answers, written down for `vectors` to ask of our core.

It runs the unit tests of an unpacked source package on urllib3 itself and records every call that a test makes, not those that urllib3 makes
of itself, of `parse_url`, `make_headers`, `encode_multipart_formdata`, and of the methods of `Retry`, `HTTPHeaderDict`, `RecentlyUsedContainer`
and `HTTPResponse`. Calls of a test that fails are forgotten, and so is what has no meaning outside of Python: wrong types, private names.

    python tests/upstream/vectors.py SOURCE_PACKAGE OUT.jsonl

A line of the output is a vector: `kind`, `name`, what was asked, what was answered, and in `difference` the reason that vectors-differences.toml
has for an answer of ours that is another. The first line says how many vectors there must be at least, and from how many tests they come.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from pathlib import Path

import pytest
from recording.containers import watch_containers, watch_headers
from recording.functions import watch_functions
from recording.recorder import Fields, Recorder
from recording.responses import watch_responses
from recording.retries import watch_retries

# The test modules, and the kinds of vectors that are theirs.
MODULES = {
    "test_util.py": {"url", "reference", "path", "make-headers"},
    "test_retry.py": {"retry"},
    "test_collections.py": {"headers", "lru"},
    "test_filepost.py": {"form"},
    "test_response.py": {"response"},
}
WATCHERS = [watch_functions, watch_retries, watch_headers, watch_containers, watch_responses]
DIFFERENCES = Path(__file__).with_name("vectors-differences.toml")


def mark(vectors: list[Fields], listed: list[Fields]) -> list[str]:
    """Writes the reasons of the listed differences to their vectors; gives back the rows that have none."""
    idle = []
    for row in listed:
        pattern = re.compile(row["match"])
        found = [vector for vector in vectors if vector["kind"] == row["kind"] and pattern.search(vector["name"])]
        for vector in found:
            vector["difference"] = row["reason"]
        if not found:
            idle.append(f"{row['kind']}: {row['match']}")
    return idle


def main(package: str, out: str) -> int:
    recorder = Recorder(MODULES, WATCHERS)
    out = os.path.abspath(out)
    os.chdir(package)
    sys.path.insert(0, os.getcwd())
    options = ["-q", "--no-header", "-p", "no:cacheprovider"]
    status = pytest.main([*options, *(f"test/{module}" for module in MODULES)], plugins=[recorder])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return int(status)
    listed = tomllib.loads(DIFFERENCES.read_text())
    idle = mark(recorder.vectors, listed["difference"])
    modules = {module: {"collected": count, "covered": len(recorder.covered[module])} for module, count in recorder.collected.items()}
    with open(out, "w") as file:
        for line in [{"floor": listed["floor"], "modules": modules}, *recorder.vectors]:
            file.write(json.dumps(line) + "\n")
    for row in idle:
        print(f"vectors: a listed difference has no vector: {row}", file=sys.stderr)
    return 1 if idle else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: vectors.py SOURCE_PACKAGE OUT.jsonl")
    sys.exit(main(*sys.argv[1:]))
