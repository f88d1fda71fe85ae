"""The portable vectors of urllib3's unit tests: what they ask of it and what it answers, written down for `vectors` to ask of our core.

It runs the unit tests of an unpacked source package on urllib3 itself and records every call that a test makes, not those that urllib3 makes
of itself, of `parse_url`, `make_headers`, `encode_multipart_formdata`, and of the methods of `Retry`, `HTTPHeaderDict`, `RecentlyUsedContainer`
and `HTTPResponse`. Calls of a test that fails are forgotten, and so is what has no meaning outside of Python: wrong types, private names.

    python tests/upstream/vectors.py SOURCE_PACKAGE OUT.jsonl

A line of the output is a vector: `kind`, `name`, what was asked, what was answered, and in `difference` the reason that vectors-differences.toml
has for an answer of ours that is another. The first line says how many vectors there must be at least, and from how many tests they come.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import http.client
import inspect
import io
import json
import os
import re
import sys
import time
import tomllib
import typing
from pathlib import Path

import pytest
from urllib3 import filepost
from urllib3._collections import HTTPHeaderDict, RecentlyUsedContainer
from urllib3.exceptions import HTTPError
from urllib3.fields import RequestField
from urllib3.response import HTTPResponse
from urllib3.util import url as urls
from urllib3.util.retry import Retry

# The test modules, and the kinds of vectors that are theirs.
MODULES = {
    "test_util.py": {"url", "reference", "path", "make-headers"},
    "test_retry.py": {"retry"},
    "test_collections.py": {"headers", "lru"},
    "test_filepost.py": {"form"},
    "test_response.py": {"response"},
}
DIFFERENCES = Path(__file__).with_name("vectors-differences.toml")
# Longer answers are known by their hash.
MAX_BYTES = 4096
# Larger bodies are there to measure the memory that Python takes for them.
MAX_WIRE = 1 << 20
# One that RFC 2046 allows, which that of urllib3's own tests is not.
BOUNDARY = "a-boundary-of-ours"

Fields = dict[str, typing.Any]


def encoded(data: bytes) -> Fields:
    if len(data) > MAX_BYTES:
        return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return {"base64": base64.b64encode(data).decode()}


def text(value: str) -> str | None:
    """The text, or nothing where it is Python's alone: half a character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


class Recorder:
    """A plugin of pytest that keeps what the tests call."""

    def __init__(self) -> None:
        self.vectors: list[Fields] = []
        self.collected: dict[str, int] = dict.fromkeys(MODULES, 0)
        self.covered: dict[str, set[str]] = {module: set() for module in MODULES}
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
        modules = {item.path.name: item.getparent(pytest.Module).obj for item in items}  # type: ignore[union-attr]
        watch_functions(self, modules)
        watch_retries(self)
        watch_headers(self)
        watch_containers(self)
        watch_responses(self)

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
        kept = [vector for vector in self.pending if vector["kind"] in MODULES[item.path.name] and vector.get("reads", True)]
        for number, vector in enumerate(kept, 1):
            vector["name"] = f"{item.path.name}::{ascii(item.name)[1:-1]} {number}: {vector['name']}"
            vector["module"] = item.path.name
            self.vectors.append(vector)
        if kept:
            self.covered[item.path.name].add(item.nodeid)


def watch_functions(recorder: Recorder, modules: dict[str, typing.Any]) -> None:
    def parsed(original: typing.Any, url: str) -> urls.Url:
        try:
            result = original(url)
        except urls.LocationParseError:
            add_url(url, None)
            raise
        add_url(url, result)
        return result  # type: ignore[no-any-return]

    def add_url(url: str, parsed: urls.Url | None) -> None:
        answer: Fields = {"expected": None}
        if parsed is not None:
            names = ("scheme", "host", "port", "request_uri", "auth_decoded_joined")
            answer = {"expected": {name: getattr(parsed, name) for name in names}}
        if url.startswith("//") or (parsed and not parsed.scheme and not parsed.host):
            recorder.add("reference", url, input=text(url), **answer)
            return
        recorder.add("url", url, input=text(url), **answer)
        if not urls._SCHEME_RE.match(url):
            # What urllib3 makes of it, which a caller of ours has to write.
            if parsed is not None:
                answer["expected"]["scheme"] = "http"
            recorder.add("url", f"http://{url}", input=text(f"http://{url}"), **answer)

    def written(self: urls.Url) -> str:
        result: str = in_urllib3(self)
        if not recorder.depth:
            add_url(result, self)
        return result

    def escaped(original: typing.Any, component: str, allowed: typing.Any) -> str | None:
        result = original(component, allowed)
        if allowed is urls._PATH_CHARS and isinstance(component, str):
            recorder.add("path", component, input=text(component), expected=result)
        return result

    def made(original: typing.Any, **named: typing.Any) -> dict[str, str]:
        asked = {**named}
        if isinstance(asked.get("accept_encoding"), str):
            asked["accept_encoding"] = [asked["accept_encoding"]]
        try:
            result = original(**named)
        except UnicodeEncodeError:
            recorder.add("make-headers", named, asked=asked, expected=None)
            raise
        recorder.add("make-headers", named, asked=asked, expected=list(result.items()))
        return result

    def form(original: typing.Any, fields: typing.Any, boundary: str) -> tuple[bytes, str]:
        for label, wanted in (("as it is", boundary), ("another boundary", BOUNDARY)):
            body, content_type = original(fields, wanted)
            parts = [part(field) for field in (fields.items() if isinstance(fields, dict) else fields)]
            recorder.add("form", (label, fields), boundary=wanted, parts=parts, body=encoded(body), content_type=content_type)
        return original(fields, boundary)

    in_urllib3 = urls.Url.url.fget  # type: ignore[attr-defined]
    urls.Url.url = property(written)  # type: ignore[assignment,method-assign]
    for module, name, record in (
        ("test_util.py", "parse_url", parsed),
        ("test_util.py", "_encode_invalid_chars", escaped),
        ("test_util.py", "make_headers", made),
        ("test_filepost.py", "encode_multipart_formdata", form),
    ):
        recorder.watch(modules[module], name, record)


def part(field: typing.Any) -> Fields:
    """A part of a form, before urllib3 has made a `RequestField` of it."""
    filename = content_type = None
    headers: list[tuple[str, str]] = []
    if isinstance(field, RequestField):
        name, data, headers = field._name, field.data, list(field.headers.items())  # type: ignore[arg-type]
    else:
        name, data = field
        if isinstance(data, tuple):
            filename, data, content_type = (*data, None)[:3]
    data = data if isinstance(data, bytes) else str(data).encode()
    return {"name": name, "filename": filename, "content_type": content_type, "headers": headers, "data": base64.b64encode(data).decode()}


def watch_retries(recorder: Recorder) -> None:
    signature = inspect.signature(Retry.__init__)

    def plain(value: typing.Any) -> typing.Any:
        return sorted(value, key=str) if isinstance(value, (set, frozenset, list, range)) else value

    def about(retry: Retry) -> Fields:
        """What a `Retry` was made of, and what it has been through since."""
        return {"settings": retry.vector_settings, "before": list(retry.vector_steps)}  # type: ignore[attr-defined]

    def left(retry: Retry) -> Fields:
        names = ("total", "connect", "read", "redirect", "status", "other", "respect_retry_after_header", "retry_after_max", "raise_on_redirect")
        removed = sorted(retry.remove_headers_on_redirect)
        return {**{name: getattr(retry, name) for name in names}, "remove_headers_on_redirect": removed, "history": len(retry.history)}

    def made(original: typing.Any, self: Retry, *arguments: typing.Any, **named: typing.Any) -> None:
        bound = signature.bind(self, *arguments, **named).arguments
        bound.pop("self")
        original(self, *arguments, **named)
        self.vector_settings = {name: plain(value) for name, value in bound.items()}  # type: ignore[attr-defined]
        self.vector_steps = []  # type: ignore[attr-defined]
        recorder.add("retry", ("Retry", bound), call="new", **about(self), expected=left(self))

    def renewed(original: typing.Any, self: Retry) -> Retry:
        result = original(self)
        result.vector_settings, result.vector_steps = self.vector_settings, self.vector_steps  # type: ignore[attr-defined]
        recorder.add("retry", "new", call="new", **about(self), expected=left(result))
        return result  # type: ignore[no-any-return]

    def incremented(
        original: typing.Any, self: Retry, method: str | None = None, url: str | None = None, response: typing.Any = None, error: typing.Any = None
    ) -> Retry:
        step = {
            "method": method,
            "error": type(error).__name__ if error else None,
            "status": response.status if response else None,
            "location": (response.get_redirect_location() or None) if response else None,
        }
        told = {"call": "increment", **about(self), "step": step}
        try:
            result = original(self, method, url, response, error)
        except HTTPError as raised:
            recorder.add("retry", step, **told, raised=type(raised).__name__)
            raise
        result.vector_settings = self.vector_settings  # type: ignore[attr-defined]
        result.vector_steps = [*self.vector_steps, step]  # type: ignore[attr-defined]
        recorder.add("retry", step, **told, expected=left(result))
        return result  # type: ignore[no-any-return]

    def asked(name: str) -> typing.Callable[..., typing.Any]:
        def record(original: typing.Any, self: Retry, *arguments: typing.Any, **named: typing.Any) -> typing.Any:
            drawn: list[float] = []
            with patched("random", lambda: drawn.append(genuine()) or drawn[-1]) as genuine:
                try:
                    result = original(self, *arguments, **named)
                except HTTPError:
                    result = None
                    raise
                finally:
                    recorder.add(
                        "retry", (name, arguments, named), call=name, **about(self), arguments=[*arguments, *named.values()],
                        random=drawn[0] if drawn else 0, expected=result,
                    )  # fmt: skip
            return result

        return record

    def slept(original: typing.Any, self: Retry, response: typing.Any = None) -> None:
        naps: list[float] = []
        genuine = time.sleep
        time.sleep = lambda seconds: naps.append(seconds) or genuine(seconds)  # type: ignore[assignment,func-returns-value]
        try:
            original(self, response)
        finally:
            time.sleep = genuine
        headers = list(response.headers.items()) if response else None
        recorder.add("retry", ("sleep", headers), call="sleep", **about(self), headers=headers, now=time.time(), expected=sum(naps))

    @contextlib.contextmanager
    def patched(name: str, replacement: typing.Any) -> typing.Iterator[typing.Any]:
        import random

        genuine = getattr(random, name)
        setattr(random, name, replacement)
        try:
            yield genuine
        finally:
            setattr(random, name, genuine)

    recorder.watch(Retry, "__init__", made)
    recorder.watch(Retry, "new", renewed)
    recorder.watch(Retry, "increment", incremented)
    recorder.watch(Retry, "sleep", slept)
    for name in ("is_retry", "get_backoff_time", "parse_retry_after", "is_exhausted"):
        recorder.watch(Retry, name, asked(name))


class Unportable(Exception):
    """An argument that only Python has."""


def latin1(value: typing.Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise Unportable
    return value


def pairs(*arguments: typing.Any, **named: str) -> list[tuple[str, str]]:
    """What a call adds, whatever the shape it is written in."""
    if len(arguments) > 1:
        raise Unportable
    source = arguments[0] if arguments else []
    if hasattr(source, "items"):
        source = list(source.items())
    elif hasattr(source, "keys"):
        source = [(key, source[key]) for key in source.keys()]
    elif not isinstance(source, list):
        raise Unportable
    return [(latin1(key), latin1(value)) for key, value in [*source, *named.items()]]


def watch_headers(recorder: Recorder) -> None:
    # How the arguments of each method are written down.
    arguments: dict[str, typing.Callable[..., typing.Any]] = {
        **dict.fromkeys(("__init__", "extend", "update", "__or__", "__ror__", "__ior__", "__eq__", "__ne__"), pairs),
        **dict.fromkeys(("__getitem__", "__delitem__", "__contains__", "discard", "getlist"), lambda key: [latin1(key)]),
        **dict.fromkeys(("__setitem__", "add"), lambda key, value, combine=False: [latin1(key), latin1(value), combine]),
        "setdefault": lambda key, default="": [latin1(key), latin1(default)],
        "pop": lambda key, *default: [latin1(key)],
        **dict.fromkeys(("__len__", "__repr__", "items", "copy"), lambda: []),
    }

    def portable(value: typing.Any) -> typing.Any:
        if isinstance(value, HTTPHeaderDict):
            return list(value.items())
        return value if value is None or isinstance(value, (str, bool, int, list)) else list(value)

    def record(name: str) -> typing.Callable[..., typing.Any]:
        def call(original: typing.Any, self: HTTPHeaderDict, *given: typing.Any, **named: typing.Any) -> typing.Any:
            if not all(isinstance(key, str) for key in getattr(self, "_container", ())):
                return original(self, *given, **named)
            # An iterator could not be read a second time.
            given = tuple(list(value) if inspect.isgenerator(value) else value for value in given)
            before = list(self.items()) if name != "__init__" else []
            error = result = None
            try:
                result = original(self, *given, **named)
            except KeyError:
                error = "KeyError"
                raise
            finally:
                with contextlib.suppress(Unportable):
                    told = {"before": before, "after": list(self.items()), "arguments": arguments[name](*given, **named)}
                    default_came = name == "pop" and len(given) > 1 and result is given[1]
                    outcome = None if default_came else portable(result)
                    recorder.add("headers", (name, given), call=name.strip("_"), **told, expected=outcome, error=error)
            return result

        return call

    for name in arguments:
        recorder.watch(HTTPHeaderDict, name, record(name))


def watch_containers(recorder: Recorder) -> None:
    def keys(container: typing.Any) -> list[str]:
        return [str(key) for key in container._container]

    def record(name: str) -> typing.Callable[..., typing.Any]:
        def call(original: typing.Any, self: typing.Any, *given: typing.Any) -> typing.Any:
            before = keys(self)
            is_found = True
            try:
                return original(self, *given)
            except KeyError:
                is_found = False
                raise
            finally:
                told = {"capacity": self._maxsize, "before": before, "after": keys(self), "key": str(given[0]) if given else None}
                recorder.add("lru", (name, before, given), call=name.strip("_"), **told, is_found=is_found)

        return call

    for name in ("__getitem__", "__setitem__", "__len__", "clear"):
        recorder.watch(RecentlyUsedContainer, name, record(name))


def wire(body: typing.Any) -> bytes | None:
    """What is to come from a connection that a test has made up."""
    if isinstance(body, http.client.HTTPResponse):
        body = body.fp
    if isinstance(body, io.BytesIO):
        return body.getvalue()[body.tell() :]
    if isinstance(getattr(body, "content", None), list):
        return b"".join(body._encode_chunk(chunk) for chunk in [*body.content, b""])
    return None


def watch_responses(recorder: Recorder) -> None:
    signature = inspect.signature(HTTPResponse.__init__)

    def made(original: typing.Any, self: HTTPResponse, *arguments: typing.Any, **named: typing.Any) -> None:
        bound = signature.bind(self, *arguments, **named)
        bound.apply_defaults()
        options = bound.arguments
        body = options["body"]
        arriving = wire(body)
        head = HTTPHeaderDict(options["headers"])
        is_preloaded = options["preload_content"]
        if arriving is not None and len(arriving) > MAX_WIRE:
            arriving = None
        vector = {
            "method": getattr(body, "_method", None) or "GET",
            "status": options["status"] or 200,
            "headers": list(head.items()),
            "wire": None if arriving is None else base64.b64encode(arriving).decode(),
            "decode_content": options["decode_content"],
            "reads": [],
        }
        self.vector = vector if arriving is None else recorder.add("response", dict(head), **vector)  # type: ignore[attr-defined]
        with read(self, "data" if is_preloaded else None) as told:
            original(self, *arguments, **named)
            told(self._body if is_preloaded else b"")

    @contextlib.contextmanager
    def read(response: HTTPResponse, name: str | None, amount: int | None = None) -> typing.Iterator[typing.Callable[[bytes], None]]:
        """Writes down what a read comes to."""
        vector: Fields = response.vector  # type: ignore[attr-defined]
        answer: Fields = {"call": name, "amount": amount if amount is None or amount >= 0 else None}
        try:
            yield lambda data: answer.update(encoded(data if isinstance(data, bytes) else b""))
        except HTTPError as raised:
            answer["error"] = type(raised).__name__
            raise
        finally:
            # A construction that fails is told as what it was to do first.
            if name or "error" in answer:
                vector["reads"].append({**answer, "call": name or "data"})

    def forget(response: HTTPResponse) -> None:
        recorder.pending[:] = [vector for vector in recorder.pending if vector is not response.vector]  # type: ignore[attr-defined]

    def reading(name: str) -> typing.Callable[..., typing.Any]:
        def call(original: typing.Any, self: HTTPResponse, amt: int | None = None, decode_content: bool | None = None, **named: typing.Any) -> typing.Any:
            follow(self, decode_content)
            with read(self, name, amt) as told:
                result = original(self, amt, decode_content, **named)
                told(result)
                return result

        return call

    def follow(response: HTTPResponse, decode_content: bool | None) -> None:
        """Whether to decode is decided once for a response of ours."""
        vector: Fields = response.vector  # type: ignore[attr-defined]
        if decode_content in (None, vector["decode_content"]):
            return
        if vector["reads"]:
            forget(response)
        vector["decode_content"] = decode_content

    def iterating(name: str) -> typing.Callable[..., typing.Any]:
        def call(original: typing.Any, self: HTTPResponse, *given: typing.Any, **named: typing.Any) -> typing.Iterator[bytes]:
            bound = inspect.signature(original).bind(self, *given, **named)
            bound.apply_defaults()
            follow(self, bound.arguments.get("decode_content"))
            pieces = original(self, *given, **named)

            def watched() -> typing.Iterator[bytes]:
                while True:
                    with recorder.inside(), read(self, name, bound.arguments.get("amt")) as told:
                        piece = next(pieces, None)
                        told(piece or b"")
                    if piece is None:
                        return
                    yield piece

            return watched()

        return call

    def into(original: typing.Any, self: HTTPResponse, buffer: typing.Any) -> int:
        with read(self, "read", len(buffer)) as told:
            count = original(self, buffer)
            told(bytes(memoryview(buffer)[:count]))
            return count  # type: ignore[no-any-return]

    def data(self: HTTPResponse) -> bytes:
        if recorder.depth or self._body is not None or not hasattr(self, "vector"):
            return whole(self)  # type: ignore[no-any-return]
        with recorder.inside(), read(self, "data") as told:
            result = whole(self)
            told(result)
            return result  # type: ignore[no-any-return]

    def spoiling(original: typing.Any, self: HTTPResponse, *given: typing.Any, **named: typing.Any) -> typing.Any:
        forget(self)
        return original(self, *given, **named)

    whole = HTTPResponse.data.fget  # type: ignore[attr-defined]
    HTTPResponse.data = property(data)  # type: ignore[assignment,method-assign]
    recorder.watch(HTTPResponse, "__init__", made)
    for name in ("read", "read1"):
        recorder.watch(HTTPResponse, name, reading(name))
    for name in ("stream", "read_chunked", "__iter__"):
        recorder.watch(HTTPResponse, name, iterating(name))
    recorder.watch(HTTPResponse, "readinto", into)
    # What a test does to the insides of a response, ours has no like of.
    for name in ("_init_decoder", "_decode", "_raw_read"):
        recorder.watch(HTTPResponse, name, spoiling)


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
    recorder = Recorder()
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
