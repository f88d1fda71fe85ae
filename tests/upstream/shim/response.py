"""urllib3's `HTTPResponse` over a response of the component."""

from __future__ import annotations

import http.client
import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from urllib3.exceptions import ResponseNotChunked
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import RequestHistory, Retry

from urlpool.host import Failure, Record, Resource

from . import exceptions
from .connection import Component
from .util import from_headers, from_retries, target

_LARGEST = 2**32 - 1
#: A limit that is none.
EVERYTHING = 2**64 - 1
_VERSIONS = {"http10": (10, "HTTP/1.0"), "http11": (11, "HTTP/1.1")}


class HTTPResponse(BaseHTTPResponse):
    """A response whose body the component reads, decodes and checks."""

    auto_close = True

    @classmethod
    def _of(cls, component: Component, response: Resource, owner: Any, asked: Retry, url: str, decode_content: bool,
            is_preloaded: bool) -> HTTPResponse:
        self = cls.__new__(cls)
        self._component, self._response, self._owner, self._asked = component, response, owner, asked
        self._is_relative = url.startswith("/")
        self._head: Record = component.call("response.head", response)
        self.headers = from_headers(self._head.headers)
        self.status, self.reason, self._url = self._head.status, self._head.reason, self._head.url
        self.version, self.version_string = _VERSIONS[self._head.version]
        self.chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        self.decode_content = self._is_decoded = bool(decode_content)
        self._known_retries: Retry | None = None
        self._body: bytes | None = None
        self._has_ended = self._was_read = self._was_released = self._was_closed = False
        if is_preloaded:
            self._body = self.read()
        return self

    def __init__(self, *_arguments: Any, **_kw: Any) -> None:
        raise TypeError("responses come from requests: the component reads bodies off connections only")

    def __del__(self) -> None:
        # `io.IOBase` would close it, in the middle of whatever the component does. Letting go of the resource is enough.
        pass

    def _call(self, function: str, *arguments: Any) -> Any:
        try:
            return self._component.call(f"response.{function}", self._response, *arguments)
        except Failure as failure:
            error = self._failed(failure)
            raise error from error.__cause__

    def _failed(self, failure: Failure) -> Exception:
        self._was_released = True
        return exceptions.of_body(failure.error, self._owner._pool_of(self._head.url))

    def _decode_content(self, is_wanted: bool | None) -> None:
        is_wanted = self.decode_content if is_wanted is None else bool(is_wanted)
        if is_wanted == self._is_decoded:
            return
        try:
            self._component.call("response.decode-content", self._response, is_wanted)
        except Failure as failure:
            if failure.error.kind == "invalid-request":
                raise RuntimeError(failure.error.message) from None
            raise self._failed(failure) from None
        self._is_decoded = is_wanted

    @property
    def url(self) -> str | None:
        return self._url

    @url.setter
    def url(self, url: str | None) -> None:
        self._url = url

    @property
    def retries(self) -> Retry | None:
        if self._known_retries is None:
            history = []
            for entry in self._call("history"):
                error = entry.error
                reason = error and exceptions.of_attempt(error, self._owner._pool_of(entry.url))
                location = entry.location and self._shown(entry.location)
                history.append(RequestHistory(entry.method, self._shown(entry.url), reason, entry.status, location))
            self._known_retries = from_retries(self._asked, self._call("retries"), history)
        return self._known_retries

    @retries.setter
    def retries(self, retries: Retry | None) -> None:
        self._known_retries = retries

    def _shown(self, url: str) -> str:
        """A URL as it was given to a pool: without the pool's own origin where the first one was."""
        return target(url) if self._is_relative and url.startswith(self._owner._origin + "/") else url

    @property
    def _pool(self) -> Any:
        return self._owner._pool_at(self._head.url)

    @property
    def length_remaining(self) -> int | None:
        return self._call("length-remaining")

    @property
    def connection(self) -> Any:
        """The facts of the connection; None once the body has been read, or the connection given up."""
        is_done = self._has_ended or self._was_released or (self._was_read and self.length_remaining == 0)
        return None if is_done else self._head.connection

    _connection = connection

    @property
    def _original_response(self) -> Any:
        """What `http.cookiejar` asks of a response."""
        message = http.client.HTTPMessage()
        for name, value in self.headers.items():
            message[name] = value
        return SimpleNamespace(msg=message, isclosed=self.isclosed, close=self.close)

    def tell(self) -> int:
        return self._call("tell")

    @property
    def data(self) -> bytes:
        return self._body if self._body is not None else self.read(cache_content=True)

    def read(self, amt: int | None = None, decode_content: bool | None = None, cache_content: bool = False) -> bytes:
        self._decode_content(decode_content)
        if amt is None or amt < 0:
            data = self._call("read-all", EVERYTHING)
            self._has_ended = True
            if cache_content and not self._was_read:
                self._body = data
            self._was_read = self._was_read or not cache_content
            return data
        self._was_read = True
        return self._ended(amt, self._call("read-full", min(amt, _LARGEST)))

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        self._decode_content(decode_content)
        self._was_read = True
        amt = _LARGEST if amt is None or amt < 0 else amt
        return self._ended(amt, self._call("read", min(amt, 65536)))

    def readline(self, size: int | None = -1) -> bytes:  # type: ignore[override]
        self._was_read = True
        limit = _LARGEST if size is None or size < 0 else size
        return self._ended(limit, self._call("read-line", limit))

    def _ended(self, amt: int, data: bytes) -> bytes:
        self._has_ended = self._has_ended or bool(amt and not data)
        return data

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def stream(self, amt: int | None = 2**16, decode_content: bool | None = None) -> Iterator[bytes]:
        if amt == 0:
            return
        if self.chunked:
            yield from self.read_chunked(amt, decode_content)
            return
        while data := self.read(amt, decode_content):
            yield data

    def read_chunked(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
        self._decode_content(decode_content)
        if not self.chunked:
            raise ResponseNotChunked("Response is not chunked. Header 'transfer-encoding: chunked' is missing.")
        if amt == 0 or self.isclosed():
            return
        self._was_read = True
        limit = _LARGEST if amt is None or amt < 0 else amt
        while data := self._ended(limit, self._call("read-chunk", limit)):
            yield data

    def supports_chunked_reads(self) -> bool:
        return True

    def drain_conn(self) -> None:
        try:
            self._component.call("response.drain", self._response)
        except Failure:
            pass
        self._has_ended = True

    def release_conn(self) -> None:
        self._was_released = True
        self._call("release")

    def shutdown(self) -> None:
        if self._was_closed:
            raise ValueError("Cannot shutdown socket as self._sock_shutdown is not set")
        if self.connection is None:
            raise RuntimeError("Cannot shutdown as connection has already been released to the pool")
        self._call("close")

    def close(self) -> None:
        self._has_ended = self._was_closed = True
        self._call("close")
        if not self.auto_close:
            io.IOBase.close(self)

    @property
    def closed(self) -> bool:
        return self.isclosed() if self.auto_close else io.IOBase.closed.__get__(self)

    def isclosed(self) -> bool:
        return self._has_ended or self.length_remaining == 0

    def readable(self) -> bool:
        return True
