"""Servers for our own tests: on this machine, at a free port, each connection in a thread of its own."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """Keeps connections, and says nothing of its own."""

    protocol_version = "HTTP/1.1"
    # A head and its body are two writes, and the second would wait for the first to be confirmed.
    disable_nagle_algorithm = True

    def tunnel(self) -> None:
        """Connects to what CONNECT names, and carries bytes both ways until both sides have ended."""
        self.close_connection = True
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as server:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_carry, args=(server, self.connection), daemon=True)
            back.start()
            _carry(self.connection, server)
            back.join(10)

    def log_message(self, *_: Any) -> None:
        pass


def _carry(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Clients that give up are part of the tests."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serves, over TLS where there is a context, and yields the port."""
    server = _Server(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
