"""Sends requests: urllib3's arguments become a body and options, and bodies that are files or iterators are pulled and pushed."""

from __future__ import annotations

import json as _json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from urllib3.exceptions import SSLError
from urllib3.fields import RequestField
from urllib3.util.request import body_to_chunks, rewind_body, set_file_position
from urllib3.util.retry import Retry
from urllib3.util.timeout import _DEFAULT_TIMEOUT

from urlpool.host import Failure, Record, Resource

from . import exceptions
from .connection import Component, log
from .response import EVERYTHING, HTTPResponse
from .util import add_user_agent, target, to_headers, to_limit, to_retries, to_timeouts

_BLOCKSIZE = 16384
#: Whose fields go into the query (urllib3: `_encode_url_methods`).
QUERY_METHODS = {"DELETE", "GET", "HEAD", "OPTIONS"}


class Pushed:
    """A body that is pulled from a file or an iterator, piece by piece."""

    def __init__(self, body: Any, position: Any, chunks: Iterable[Any]) -> None:
        self.body = body
        self._chunks = chunks
        self._position = set_file_position(body, position)
        # A list gives its items as often as it is asked.
        self._is_repeatable = not hasattr(body, "read") and iter(body) is not body

    def streamed(self) -> Any:
        return "streamed", Record(length=None, rewindable=self._position is not None or self._is_repeatable)

    def push(self, component: Component, pending: Resource) -> None:
        """Pushes the body, from its start again as often as the component asks for that."""
        while True:
            progress = self._push_once(component, pending)
            if progress == "answered":
                return
            if not self._is_repeatable:
                rewind_body(self.body, self._position)
            self._chunks = body_to_chunks(self.body, "", _BLOCKSIZE).chunks or ()

    def _push_once(self, component: Component, pending: Resource) -> str:
        for chunk in self._chunks:
            progress = component.call("pending.write", pending, chunk.encode() if isinstance(chunk, str) else bytes(memoryview(chunk)))
            if progress != "accepted":
                return progress
        return component.call("pending.finish", pending)


def to_body(body: Any, position: Any = None) -> Any:
    """A body, as urllib3 reads it."""
    chunks, length = body_to_chunks(body, "", _BLOCKSIZE)
    if chunks is None:
        return "empty"
    if length is not None:
        return "bytes", b"".join(bytes(memoryview(chunk)) for chunk in chunks)
    return Pushed(body, position, chunks)


def _pairs(fields: Any) -> list[tuple[Any, Any]]:
    return list(fields.items()) if isinstance(fields, Mapping) else list(fields)


def _to_text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def to_parts(fields: Any) -> list[Record]:
    """Form fields: names and values, files as tuples, or `RequestField`s."""
    parts = []
    for field in _pairs(fields):
        if isinstance(field, RequestField):
            headers = {name.lower(): str(value) for name, value in (field.headers or {}).items() if value}
            content_type, location = headers.pop("content-type", None), headers.pop("content-disposition", None)
            rest, data, filename = list(headers.items()), field.data, field._filename
            if location is not None and "filename=" not in location:
                filename = None
            name = field._name
        else:
            name, data = field
            filename = content_type = None
            rest = []
            if isinstance(data, tuple):
                filename, data, content_type = data if len(data) == 3 else (*data, None)
        data = str(data) if isinstance(data, int) else data
        parts.append(Record(name=_to_text(name), filename=filename and _to_text(filename), content_type=content_type,
                            headers=[(key, value.encode("latin-1")) for key, value in rest],
                            data=("bytes", data.encode() if isinstance(data, str) else bytes(data))))
    return parts


class RequestMethods:
    """What managers and pools have in common. They say what they are in the component (`_callee`) and in urllib3's exceptions (`_pool_of`)."""

    def __init__(self, headers: Mapping[Any, Any] | None = None) -> None:
        self.headers = headers or {}

    def _callee(self, url: str) -> tuple[Component, str, Resource]:
        raise NotImplementedError

    def _pool_of(self, url: str) -> Any:
        """What urllib3's exceptions and log name as the pool of this URL."""
        raise NotImplementedError

    def _pool_at(self, url: str) -> Any:
        """The pool of this URL."""
        raise NotImplementedError

    def request(self, method: str, url: str, body: Any = None, fields: Any = None, headers: Any = None, json: Any = None, *,
                encode_multipart: bool = True, multipart_boundary: str | None = None, **urlopen_kw: Any) -> HTTPResponse:
        if json is not None and body is not None:
            raise TypeError("request got values for both 'body' and 'json' parameters which are mutually exclusive")
        content: Any = to_body(body, urlopen_kw.get("body_pos"))
        if json is not None:
            content = "json", _json.dumps(json, separators=(",", ":"), ensure_ascii=False)
        if fields:
            if content != "empty":
                raise TypeError("request got values for both 'fields' and 'body', can only specify one.")
            is_query = method.upper() in QUERY_METHODS
            content = "fields", to_parts(fields)
            if not is_query:
                content = self._form(fields, encode_multipart, multipart_boundary)
        return self._send("request", method, url, content, headers=headers, **urlopen_kw)

    def request_encode_url(self, method: str, url: str, fields: Any = None, headers: Any = None, body: Any = None,
                           **urlopen_kw: Any) -> HTTPResponse:
        if not fields:
            return self._send("urlopen", method, url, to_body(body, urlopen_kw.get("body_pos")), headers=headers, **urlopen_kw)
        if body is not None:
            raise NotImplementedError("a query of fields and a body at once cannot be expressed")
        pairs = [(_to_text(name), _to_text(value)) for name, value in _pairs(fields)]
        return self._send("request-encode-url", method, url, pairs, headers=headers, **urlopen_kw)

    def request_encode_body(self, method: str, url: str, fields: Any = None, headers: Any = None, encode_multipart: bool = True,
                            multipart_boundary: str | None = None, body: Any = None, **urlopen_kw: Any) -> HTTPResponse:
        content = to_body(body, urlopen_kw.get("body_pos"))
        if fields:
            if content != "empty":
                raise TypeError("request got values for both 'fields' and 'body', can only specify one.")
            content = self._form(fields, encode_multipart, multipart_boundary)
        return self._send("urlopen", method, url, content, headers=headers, **urlopen_kw)

    def _form(self, fields: Any, is_multipart: bool, boundary: str | None) -> Any:
        if is_multipart:
            return "multipart", Record(parts=to_parts(fields), boundary=boundary, rewindable=True)
        return "form", [(_to_text(name), _to_text(value)) for name, value in _pairs(fields)]

    def _send(self, function: str, method: str, url: str, content: Any, *, headers: Any = None, retries: Any = None, redirect: Any = True,
              assert_same_host: bool = True, timeout: Any = _DEFAULT_TIMEOUT, pool_timeout: float | None = None,
              release_conn: bool | None = None, chunked: bool = False, body_pos: Any = None, preload_content: bool = True,
              decode_content: bool = True, enforce_content_length: bool = True) -> HTTPResponse:
        """Sends a request. `release_conn` says nothing here: a connection is free once its body has come, and no sooner."""
        asked = retries if retries is None else Retry.from_int(retries, redirect=redirect)
        fields, skipped = to_headers(self.headers if headers is None else headers)
        options = Record(
            headers=add_user_agent(fields, skipped), skip_headers=skipped, retries=asked and to_retries(asked),
            redirects="follow" if redirect else "hand-over",
            timeouts=None if timeout is _DEFAULT_TIMEOUT else to_timeouts(timeout),
            pool_timeout=None if pool_timeout is None else to_limit(pool_timeout), chunked=bool(chunked), decode_content=bool(decode_content),
            enforce_content_length=bool(enforce_content_length), preload_content=bool(preload_content),
            max_body=EVERYTHING if preload_content else None, assert_same_host=bool(assert_same_host))
        try:
            component, kind, callee = self._callee(url)
        except SSLError as error:
            raise exceptions.of_settings(error, self._pool_of(url), url, retries) from error
        except Failure as failure:
            raise exceptions.of_request(failure.error, self._pool_of(url), url, retries) from None
        try:
            if isinstance(content, Pushed):
                method = method.upper() if function == "request" else method
                pending = component.call(f"{kind}.start", callee, method, url, content.streamed(), options)
                content.push(component, pending)
                response = component.call("pending.response", pending)
            else:
                response = component.call(f"{kind}.{function}", callee, method, url, content, options)
            answer = HTTPResponse._of(component, response, self, asked or self._retries(), url, decode_content, preload_content)
            if log.isEnabledFor(logging.DEBUG):
                component.settle(lambda: self._pool_of(url))
                origin = self._pool_of(answer.url)
                log.debug('%s://%s:%s "%s %s %s" %s %s', origin.scheme, origin.host, origin.port, method, target(answer.url),
                          answer.version_string, answer.status, answer.length_remaining)
            return answer
        except Failure as failure:
            raise exceptions.of_request(failure.error, self._pool_of(url), url, retries) from None
        finally:
            component.settle(lambda: self._pool_of(url))

    def _retries(self) -> Retry:
        """What a request is given that names no retries."""
        raise NotImplementedError
