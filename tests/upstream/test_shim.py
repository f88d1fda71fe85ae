"""The shim translates and decides nothing: it stays small enough to be read for that."""

from __future__ import annotations

from pathlib import Path

SHIM = Path(__file__).resolve().parent / "shim"
MOST_LINES = 1500
# What would be needed to decide something in Python.
DECIDING = ("import random", "import select", "import time", "import zlib", "import socks", ".increment(", ".is_retry(", ".sleep(", "gzip")


def test_it_can_be_read_at_one_sitting() -> None:
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in SHIM.rglob("*.py"))
    assert lines < MOST_LINES


def test_it_has_nothing_to_decide_with() -> None:
    for file in SHIM.rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        assert [word for word in DECIDING if word in source] == [], file.name
