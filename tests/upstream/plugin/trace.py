"""Records what each of urllib3's tests touches of urllib3, while the suite runs against urllib3 itself.

Three things are seen: attributes of managers, pools, connections and responses that code under test/ reads or sets; what it
patches; and the names of urllib3 that a test's source uses. A touch is a string such as `pool._new_conn`, `set pool.headers`,
`patch urllib3.connection.RECENT_DATE`, `name urllib3.util.ssl_.create_urllib3_context`, `argument ssl_context` or
`fixture caplog`. rule.py says what they mean.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
import json
import os
import queue
import sys
import types
import unittest.mock
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import urllib3._collections
import urllib3.connection
import urllib3.connectionpool
import urllib3.contrib.socks
import urllib3.http2.connection
import urllib3.poolmanager
import urllib3.response

_LABELS = {
    "manager": urllib3.poolmanager.PoolManager,
    "pools": urllib3._collections.RecentlyUsedContainer,
    "pool": urllib3.connectionpool.ConnectionPool,
    "queue": queue.LifoQueue,
    "connection": urllib3.connection.HTTPConnection,
    "http2 connection": urllib3.http2.connection.HTTP2Connection,
    "response": urllib3.response.BaseHTTPResponse,
}
_CONTEXTS = ("ssl_context", "proxy_ssl_context")
_FIXTURE_NAMES = ("caplog", "http_version")
# The interpreter sets the last one when it frees a response, wherever it happens to be.
_IGNORED = ("__class__", "__dict__", "_finalizing")
_LOG_RECORDER = "test.LogRecorder"
# Puts another TLS library in the place of Python's.
_PYOPENSSL = "test.withPyOpenSSL"
# An address that nobody has, where the next router may answer or not.
_TARPIT = "test.TARPIT_HOST"
_ROOT = os.path.join(os.getcwd(), "test") + os.sep
_FIXTURES = os.path.join(_ROOT, "conftest.py")


class Recorder:
    """Collects the touches of the test that runs."""

    def __init__(self) -> None:
        self.current: set[str] | None = None

    def add(self, touch: str) -> None:
        if self.current is not None:
            self.current.add(touch)

    def add_from(self, frame: types.FrameType | None, touch: str) -> None:
        """Adds a touch where `frame` belongs to the suite's own code; its fixtures are judged by their names."""
        if self.current is not None and frame is not None:
            name = frame.f_code.co_filename
            if name.startswith(_ROOT) and name != _FIXTURES:
                self.current.add(touch)


_recorder = Recorder()


def _watch(label: str, watched: type) -> None:
    read, write = watched.__getattribute__, watched.__setattr__

    def __getattribute__(self: Any, name: str) -> Any:
        if name not in _IGNORED:
            _recorder.add_from(sys._getframe(1), f"{label}.{name}")
        return read(self, name)

    def __setattr__(self: Any, name: str, value: Any) -> None:
        if name not in _IGNORED:
            _recorder.add_from(sys._getframe(1), f"set {label}.{name}")
        write(self, name, value)

    watched.__getattribute__ = __getattribute__  # type: ignore[method-assign]
    watched.__setattr__ = __setattr__  # type: ignore[method-assign]


def _watch_arguments(watched: type) -> None:
    initialise: Callable[..., None] = watched.__init__  # type: ignore[misc]

    @functools.wraps(initialise)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        for name in _CONTEXTS:
            if kwargs.get(name) is not None:
                _recorder.add(f"argument {name}")
        initialise(self, *args, **kwargs)

    watched.__init__ = __init__  # type: ignore[misc]


def _described(target: Any, name: str) -> str:
    if isinstance(target, types.ModuleType):
        return f"patch {target.__name__}.{name}"
    owner = target if isinstance(target, type) else type(target)
    return f"patch {owner.__module__}.{owner.__qualname__}.{name}"


def _watch_patches() -> None:
    enter = unittest.mock._patch.__enter__  # type: ignore[attr-defined]

    def __enter__(self: Any) -> Any:
        _recorder.add(_described(self.getter(), self.attribute))
        return enter(self)

    unittest.mock._patch.__enter__ = __enter__  # type: ignore[attr-defined]
    set_attribute = pytest.MonkeyPatch.setattr

    @functools.wraps(set_attribute)
    def setattr_(self: Any, target: Any, name: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(target, str):
            _recorder.add(f"patch {target}")
        else:
            _recorder.add(_described(target, name))
        set_attribute(self, target, name, *args, **kwargs)

    pytest.MonkeyPatch.setattr = setattr_  # type: ignore[method-assign]
    set_item = pytest.MonkeyPatch.setitem

    @functools.wraps(set_item)
    def setitem(self: Any, table: Any, name: Any, value: Any) -> None:
        # A table has no name; those of the environment are set by `setenv`, which comes here too.
        if table is not os.environ:
            _recorder.add("patch an item")
        set_item(self, table, name, value)

    pytest.MonkeyPatch.setitem = setitem  # type: ignore[method-assign]


class Source:
    """The names of urllib3 that the functions of one test module use, its helpers included."""

    def __init__(self, module: types.ModuleType) -> None:
        self._tree = ast.parse(Path(inspect.getfile(module)).read_text(encoding="utf-8"))
        self._package = module.__package__ or ""
        self._imports = dict(self._imported(self._tree))
        self._functions: dict[str, ast.AST] = {}
        self._classes: dict[str, ast.ClassDef] = {}
        for node in self._tree.body:
            if isinstance(node, ast.FunctionDef):
                self._functions[node.name] = node
            elif isinstance(node, ast.ClassDef):
                self._classes[node.name] = node

    def names(self, owner: type | None, function: str) -> set[str]:
        """What the test called `function` of class `owner` uses."""
        found: set[str] = set()
        node = self._find(owner, function)
        self._collect(node, owner, found, set())
        for decorator in getattr(node, "decorator_list", ()):
            chain = self._chain(decorator)
            if chain is not None and self._imports.get(chain[0]) == _PYOPENSSL:
                found.add(_PYOPENSSL)
        return found

    def _find(self, owner: type | None, name: str) -> ast.AST | None:
        if owner is None:
            return self._functions.get(name)
        for base in owner.__mro__:
            for node in self._classes[base.__name__].body if base.__name__ in self._classes else ():
                if isinstance(node, ast.FunctionDef) and node.name == name:
                    return node
        return None

    def _collect(self, node: ast.AST | None, owner: type | None, found: set[str], seen: set[int]) -> None:
        if node is None or id(node) in seen:
            return
        seen.add(id(node))
        imports = self._imports | dict(self._imported(node))
        for part in self._parts(node):
            chain = self._chain(part)
            if chain is None:
                continue
            if chain[0] in imports:
                name = ".".join([imports[chain[0]], *chain[1:]])
                if name.split(".")[0] == "urllib3" or name in (_LOG_RECORDER, _TARPIT):
                    found.add(self._path_to(name))
            elif chain[0] == "self" and len(chain) > 1:
                self._collect(self._find(owner, chain[1]), owner, found, seen)
            else:
                self._collect(self._functions.get(chain[0]), None, found, seen)
                self._collect(self._classes.get(chain[0]), None, found, seen)

    def _parts(self, node: ast.AST) -> Iterator[ast.AST]:
        """Every expression below `node` but annotations and decorators, the outermost of an attribute chain only."""
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if not isinstance(child, ast.AST):
                    continue
                if self._chain(child) is not None:
                    yield child
                else:
                    yield from self._parts(child)

    @staticmethod
    def _chain(node: ast.AST) -> list[str] | None:
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        return [node.id, *reversed(names)]

    def _imported(self, tree: ast.AST) -> Iterator[tuple[str, str]]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                module = importlib.util.resolve_name("." * node.level + (node.module or ""), self._package)
                for alias in node.names:
                    yield alias.asname or alias.name, f"{module}.{alias.name}"
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname:
                        yield alias.asname, alias.name
                    else:
                        yield alias.name.split(".")[0], alias.name.split(".")[0]

    @staticmethod
    def _path_to(name: str) -> str:
        """The modules of a dotted name and the one name in them, without what is read from that."""
        parts = name.split(".")
        length = 1
        while length < len(parts) and ".".join(parts[: length + 1]) in sys.modules:
            length += 1
        return ".".join(parts[: length + 1])


class Plugin:
    """Writes the touches of every test to the file of `--upstream-touches`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._touches: dict[str, dict[str, Any]] = {}
        self._sources: dict[str, Source] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            assert isinstance(item, pytest.Function)
            name = item.module.__name__
            if name not in self._sources:
                self._sources[name] = Source(item.module)
            static = {f"name {used}" for used in self._sources[name].names(item.cls, item.originalname)}
            static |= {f"fixture {fixture}" for fixture in _FIXTURE_NAMES if fixture in item.fixturenames}
            function = inspect.unwrap(item.function)
            self._touches[item.nodeid] = {
                "function": f"{function.__module__}.{function.__qualname__}",
                "ran": False,
                "touches": static,
            }

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        _recorder.current = self._touches[item.nodeid]["touches"]
        try:
            return (yield)
        finally:
            _recorder.current = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        report = yield
        if call.when == "call" and not report.skipped:
            self._touches[item.nodeid]["ran"] = True
        return report

    def pytest_sessionfinish(self) -> None:
        for entry in self._touches.values():
            entry["touches"] = sorted(entry["touches"])
        Path(self._path).write_text(json.dumps(self._touches, indent=1), encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--upstream-touches", help="where to write what each test touches of urllib3")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Plugin(config.getoption("--upstream-touches")), "upstream-touches")


for _label, _class in _LABELS.items():
    _watch(_label, _class)
for _class in (urllib3.poolmanager.PoolManager, urllib3.poolmanager.ProxyManager, urllib3.connectionpool.HTTPConnectionPool,
               urllib3.connectionpool.HTTPSConnectionPool, urllib3.contrib.socks.SOCKSProxyManager):
    _watch_arguments(_class)
_watch_patches()
