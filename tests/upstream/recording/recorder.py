"""The recorder: a plugin of pytest that keeps the calls of tests that pass, as vectors."""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import typing

import pytest

# Longer answers are known by their hash.
MAX_BYTES = 4096

Fields = dict[str, typing.Any]
# Puts what records into the places of what a test calls; is given the test modules by their file names.
Watcher = typing.Callable[["Recorder", dict[str, typing.Any]], None]


def encoded(data: bytes) -> Fields:
    if len(data) > MAX_BYTES:
        return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return {"base64": base64.b64encode(data).decode()}


class Recorder:
    """A plugin of pytest that keeps what the tests call."""

    def __init__(self, kinds: dict[str, set[str]], watchers: list[Watcher]) -> None:
        """Keeps of each test module what is of its kinds, of what the watchers see."""
        self.kinds = kinds
        self.watchers = watchers
        self.vectors: list[Fields] = []
        self.collected: dict[str, int] = dict.fromkeys(kinds, 0)
        self.covered: dict[str, set[str]] = {module: set() for module in kinds}
        self.pending: list[Fields] = []
        # Above 0 while urllib3 itself is running, and outside of tests.
        self.depth = 1

    def add(self, kind: str, label: object, /, **fields: object) -> Fields:
        vector = {"kind": kind, "name": ascii(label)[:200], **fields}
        self.pending.append(vector)
        return vector

    @contextlib.contextmanager
    def inside(self) -> typing.Iterator[None]:
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def watch(self, owner: object, name: str, record: typing.Callable[..., typing.Any]) -> None:
        """Puts `record(original, *arguments)` in the place of a function, for calls of tests."""
        original = getattr(owner, name)

        @functools.wraps(original)
        def watched(*arguments: typing.Any, **named: typing.Any) -> typing.Any:
            if self.depth:
                return original(*arguments, **named)
            with self.inside():
                return record(original, *arguments, **named)

        setattr(owner, name, watched)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            self.collected[item.path.name] += 1
        modules = {item.path.name: item.getparent(pytest.Module).obj for item in items}
        for watch in self.watchers:
            watch(self, modules)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> typing.Iterator[None]:
        self.pending = []
        self.depth = 0
        try:
            result = yield
        finally:
            self.depth = 1
        self.keep(item)
        return result

    def keep(self, item: pytest.Item) -> None:
        kept = [vector for vector in self.pending if vector["kind"] in self.kinds[item.path.name] and vector.get("reads", True)]
        for number, vector in enumerate(kept, 1):
            vector["name"] = f"{item.path.name}::{ascii(item.name)[1:-1]} {number}: {vector['name']}"
            vector["module"] = item.path.name
            self.vectors.append(vector)
        if kept:
            self.covered[item.path.name].add(item.nodeid)
