"""Gives PyPI's Hypercorn the two ASGI extensions that urllib3's dummy server reads.

`tls` names the client's certificate and the ALPN protocol; `_transport` is the trio stream under a request, which the dummy
proxy takes over after CONNECT. Every connection is a task of its own, so the stream travels in its context.
"""

from __future__ import annotations

import contextvars
import ssl
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import tcp_server
from hypercorn.trio.task_group import TaskGroup

_stream: contextvars.ContextVar[Any] = contextvars.ContextVar("_stream", default=None)


def _client_name(stream: trio.SSLStream[Any]) -> str | None:
    """The subject of the client's certificate, as `name=value` pairs."""
    certificate = stream.getpeercert()
    if not certificate:
        return None
    pairs = [pair for relative_name in certificate["subject"] for pair in relative_name]
    return ", ".join(f"{name}={value}" for name, value in pairs)


def _extensions(stream: Any) -> dict[str, Any]:
    extensions: dict[str, Any] = {"_transport": stream}
    if isinstance(stream, trio.SSLStream):
        try:
            protocol = stream.selected_alpn_protocol()
            name = _client_name(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError, ValueError):
            protocol = name = None
        extensions["tls"] = {"alpn_protocol": protocol, "client_cert_name": name}
    return extensions


class _TaskGroup(TaskGroup):
    async def spawn_app(self, app: Any, config: Any, scope: Any, send: Any) -> Any:
        stream = _stream.get()
        if stream is not None and "extensions" in scope:
            scope["extensions"].update(_extensions(stream))
        return await super().spawn_app(app, config, scope, send)


class _TCPServer(tcp_server.TCPServer):
    async def run(self) -> None:
        _stream.set(self.stream)
        await super().run()


def install() -> None:
    """Puts our classes where Hypercorn looks for its own."""
    from hypercorn.trio import run

    tcp_server.TaskGroup = _TaskGroup
    run.TCPServer = _TCPServer
    # Hypercorn waits this long for the reader of a tunnel that was taken over, and it never ends by itself.
    Config.graceful_timeout = 0.2


install()
