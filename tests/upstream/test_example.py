"""Runs examples/python/fetch.py as a stranger would, against a TLS server with a private CA and a proxy."""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from servers import Handler, serving

ROOT = Path(__file__).parents[2]
BODY = bytes(range(256)) * 4096


class Origin(Handler):
    def do_GET(self) -> None:
        found = self.path == "/file"
        body = BODY if found else b"no such thing"
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Proxy(Handler):
    """Opens tunnels for those who say who they are, and notes where to."""

    seen: list[str] = []

    def do_CONNECT(self) -> None:
        if self.headers["Proxy-Authorization"] != "Basic " + base64.b64encode(b"user:secret").decode():
            self.send_error(407)
            return
        self.seen.append(self.path)
        self.tunnel()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def root(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "root.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="module")
def origin(authority: trustme.CA) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(Origin, context) as port:
        yield port


@pytest.fixture(scope="module")
def proxy() -> Iterator[int]:
    with serving(Proxy) as port:
        yield port


def fetch(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, ROOT / "examples/python/fetch.py", *map(str, arguments)], capture_output=True, timeout=60, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "tests/upstream"), "PYTHONDONTWRITEBYTECODE": "1"})


def test_tls_by_a_private_ca(origin: int, root: Path, tmp_path: Path) -> None:
    done = fetch(f"https://127.0.0.1:{origin}/file", "--ca", root, "--output", tmp_path / "file")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_bytes() == BODY
    assert b"tls13" in done.stderr


def test_through_a_proxy(origin: int, proxy: int, root: Path) -> None:
    done = fetch(f"https://127.0.0.1:{origin}/file", "--ca", root, "--proxy", f"http://user:secret@127.0.0.1:{proxy}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == BODY
    assert Proxy.seen == [f"127.0.0.1:{origin}"]


@pytest.mark.parametrize(("credentials", "trusted", "path", "code", "said"), [
    ("", True, "/other", 1, b"404 Not Found"),
    ("", False, "/file", 2, b"retries-exhausted (tls)"),
    ("user:wrong@", True, "/file", 2, b"retries-exhausted (proxy)"),
])
def test_what_fails_is_said(origin: int, proxy: int, root: Path, credentials: str, trusted: bool, path: str, code: int, said: bytes) -> None:
    arguments: list[object] = ["--ca", root] if trusted else []
    if credentials:
        arguments += ["--proxy", f"http://{credentials}127.0.0.1:{proxy}"]
    done = fetch(f"https://127.0.0.1:{origin}{path}", *arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert b"secret" not in done.stderr and b"Traceback" not in done.stderr
