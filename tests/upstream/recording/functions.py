"""Functions that the test modules have imported: `parse_url`, `make_headers`, `encode_multipart_formdata`."""

from __future__ import annotations

import base64
import typing

from urllib3.fields import RequestField
from urllib3.util import url as urls

from .recorder import Fields, Recorder, encoded

# One that RFC 2046 allows, which that of urllib3's own tests is not.
BOUNDARY = "a-boundary-of-ours"


def text(value: str) -> str | None:
    """The text, or nothing where it is Python's alone: half a character."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def watch_functions(recorder: Recorder, modules: dict[str, typing.Any]) -> None:
    def parsed(original: typing.Any, url: str) -> urls.Url:
        try:
            result = original(url)
        except urls.LocationParseError:
            add_url(url, None)
            raise
        add_url(url, result)
        return result

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
            # What urllib3's pools make of it, which a caller of ours has to write.
            if parsed is not None:
                answer = {"expected": {**answer["expected"], "scheme": "http"}}
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
            asked = {"boundary": wanted, "parts": parts}
            recorder.add("form", (label, [part["name"] for part in parts]), **asked, body=encoded(body), content_type=content_type)
        return original(fields, boundary)

    in_urllib3 = urls.Url.url.fget
    urls.Url.url = property(written)
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
        name, data, headers = field._name, field.data, list(field.headers.items())
    else:
        name, data = field
        if isinstance(data, tuple):
            filename, data, content_type = (*data, None)[:3]
    data = data if isinstance(data, bytes) else str(data).encode()
    return {"name": name, "filename": filename, "content_type": content_type, "headers": headers, "data": base64.b64encode(data).decode()}
