"""`HTTPResponse`: what comes from the wire, and what each read comes to."""

from __future__ import annotations

import base64
import contextlib
import http.client
import inspect
import io
import typing

from urllib3._collections import HTTPHeaderDict
from urllib3.exceptions import BodyNotHttplibCompatible, HTTPError, SSLError
from urllib3.response import HTTPResponse

from .recorder import Fields, Recorder, encoded

# Larger bodies are there to measure the memory that Python takes for them.
MAX_WIRE = 1 << 20


def wire(body: typing.Any) -> bytes | None:
    """What is to come from a connection that a test has made up."""
    if isinstance(body, http.client.HTTPResponse):
        body = body.fp or io.BytesIO()
    # Others have tricks of their own.
    if type(body) is io.BytesIO:
        return body.getvalue()[body.tell() :]
    if isinstance(getattr(body, "content", None), list):
        return b"".join(body._encode_chunk(chunk) for chunk in [*body.content, b""])
    return None


def watch_responses(recorder: Recorder, _: object) -> None:
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
        self.vector = vector if arriving is None else recorder.add("response", dict(head), **vector)
        with read(self, "data" if is_preloaded else None) as told:
            original(self, *arguments, **named)
            told(self._body if is_preloaded else b"")

    @contextlib.contextmanager
    def read(response: HTTPResponse, name: str | None, amount: int | None = None) -> typing.Iterator[typing.Callable[[bytes], None]]:
        """Writes down what a read comes to."""
        vector: Fields = response.vector
        answer: Fields = {"call": name, "amount": amount if amount is None or amount >= 0 else None}
        try:
            yield lambda data: answer.update(encoded(data if isinstance(data, bytes) else b""))
        except HTTPError as raised:
            answer["error"] = type(raised).__name__
            if isinstance(raised, (BodyNotHttplibCompatible, SSLError)):
                # No connection can make it fail like that.
                forget(response)
            raise
        finally:
            # A construction that fails is told as what it was to do first.
            if name or "error" in answer:
                vector["reads"].append({**answer, "call": name or "data"})

    def forget(response: HTTPResponse) -> None:
        recorder.pending[:] = [vector for vector in recorder.pending if vector is not response.vector]

    def reading(name: str) -> typing.Callable[..., typing.Any]:
        def call(original: typing.Any, self: HTTPResponse, amt: int | None = None, decode: bool | None = None, **named: typing.Any) -> typing.Any:
            decode = named.pop("decode_content", decode)
            follow(self, decode)
            with read(self, name, amt) as told:
                result = original(self, amt, decode, **named)
                told(result)
                return result

        return call

    def follow(response: HTTPResponse, decode_content: bool | None) -> None:
        """Whether to decode is decided once for a response of ours."""
        vector: Fields = response.vector
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
            return count

    def data(self: HTTPResponse) -> bytes:
        if recorder.depth or self._body is not None or not hasattr(self, "vector"):
            return whole(self)
        with recorder.inside(), read(self, "data") as told:
            result = whole(self)
            told(result)
            return result

    def spoiling(original: typing.Any, self: HTTPResponse, *given: typing.Any, **named: typing.Any) -> typing.Any:
        forget(self)
        return original(self, *given, **named)

    whole = HTTPResponse.data.fget
    HTTPResponse.data = property(data)
    recorder.watch(HTTPResponse, "__init__", made)
    for name in ("read", "read1"):
        recorder.watch(HTTPResponse, name, reading(name))
    for name in ("stream", "read_chunked", "__iter__"):
        recorder.watch(HTTPResponse, name, iterating(name))
    recorder.watch(HTTPResponse, "readinto", into)
    # It reads by the same means as what follows, which tests must not.
    recorder.watch(HTTPResponse, "drain_conn", lambda original, self: original(self))
    # What a test does to the insides of a response, ours has no like of.
    for name in ("_init_decoder", "_decode", "_raw_read"):
        recorder.watch(HTTPResponse, name, spoiling)
