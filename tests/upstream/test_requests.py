"""`requests` on top of the component: its adapter's managers are replaced, all else is as it comes from PyPI. Every server is local."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import trustme
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from servers import Handler, serving
from shim.contrib.socks import SOCKSProxyManager
from shim.poolmanager import PoolManager, proxy_from_url

PIECE = b"0123456789" * 1000


class Origin(Handler):
    """Says what it was asked, or does what the path names."""

    release = threading.Event()
    failures = 0

    def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_GET(self) -> None:
        body = self.body()
        path, _, rest = self.path.partition("/to/")
        if path.startswith("/redirect"):
            self.answer(int(path.removeprefix("/redirect")), b"elsewhere", ("Location", f"/{rest}"))
        elif path == "/cookies":
            self.answer(200, b"", ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/"))
        elif path == "/gzip":
            self.answer(200, gzip.compress(PIECE), ("Content-Encoding", "gzip"))
        elif path == "/wait":
            self.release.wait(10)
            self.answer(200, b"late")
        elif path == "/flaky":
            Origin.failures -= 1
            self.answer(503 if Origin.failures >= 0 else 200, b"")
        elif path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"12345")
            self.close_connection = True
        elif path == "/stream":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(20):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
            self.wfile.write(b"0\r\n\r\n")
        else:
            certificate = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
            told = {"method": self.command, "path": self.path, "headers": dict(self.headers.items()), "body": body.decode("latin-1"),
                    "certificate": bool(certificate), "connection": self.client_address[1]}
            self.answer(200, json.dumps(told).encode(), ("Content-Type", "application/json"))

    do_POST = do_PUT = do_HEAD = do_GET


class Proxy(Origin):
    """Forwards what it is asked for in absolute-form, and opens tunnels; counts both."""

    seen: list[str] = []

    def do_GET(self) -> None:
        self.seen.append(f"{self.command} {self.path}")
        if self.headers["Proxy-Authorization"] is None:
            self.answer(407, b"who are you?")
            return
        url = urlsplit(self.path)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
        connection.request(self.command, url.path, self.body() or None, {"Via": "1.1 proxy"})
        response = connection.getresponse()
        self.answer(response.status, response.read())
        connection.close()

    def do_CONNECT(self) -> None:
        self.seen.append(f"{self.command} {self.path}")
        if self.headers["Proxy-Authorization"] is None:
            self.answer(407, b"who are you?")
            return
        self.tunnel()

    do_POST = do_GET


@pytest.fixture
def start() -> Iterator[Callable[..., str]]:
    """Starts a server, and says its host and port."""
    with ExitStack() as servers:

        def start(handler: type[Handler], context: ssl.SSLContext | None = None) -> str:
            return f"localhost:{servers.enter_context(serving(handler, context))}"

        yield start
        Origin.release.set()
    Origin.release.clear()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[requests.Session]:
    """A session whose requests go through the component."""
    monkeypatch.setattr("requests.adapters.PoolManager", PoolManager)
    monkeypatch.setattr("requests.adapters.proxy_from_url", proxy_from_url)
    monkeypatch.setattr("requests.adapters.SOCKSProxyManager", SOCKSProxyManager)
    with requests.Session() as session:
        session.trust_env = False
        assert isinstance(session.get_adapter("http://h.test").poolmanager, PoolManager)
        yield session


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def roots(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


@pytest.fixture
def secure(authority: trustme.CA, start: Callable[..., str]) -> str:
    """A server that speaks TLS and asks for a certificate, but does not insist on one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    return f"https://{start(Origin, context)}"


def test_what_is_asked_for_arrives(session: requests.Session, start: Callable[..., str]) -> None:
    url = f"http://{start(Origin)}"
    told = session.get(f"{url}/a", params={"q": "é &"}, headers={"X-One": "1"}).json()
    assert told["path"] == "/a?q=%C3%A9+%26"
    assert told["headers"]["X-One"] == "1"
    assert told["headers"]["User-Agent"].startswith("python-requests/")
    assert session.head(f"{url}/a").headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("asked", "body", "header"), [
    ({"data": {"a": "1", "b": "2"}}, "a=1&b=2", ("Content-Type", "application/x-www-form-urlencoded")),
    ({"data": b"bytes"}, "bytes", ("Content-Length", "5")),
    ({"json": {"a": 1}}, '{"a": 1}', ("Content-Type", "application/json")),
    ({"data": io.BytesIO(b"from a file")}, "from a file", ("Content-Length", "11")),
    ({"data": iter([b"in ", b"pieces"])}, "in pieces", ("Transfer-Encoding", "chunked")),
])
def test_bodies_of_every_kind_arrive(session: requests.Session, start: Callable[..., str], asked: dict[str, Any], body: str,
                                     header: tuple[str, str]) -> None:
    told = session.post(f"http://{start(Origin)}/", **asked).json()
    assert (told["method"], told["body"]) == ("POST", body)
    assert told["headers"][header[0]] == header[1]


def test_files_are_sent_as_a_form(session: requests.Session, start: Callable[..., str]) -> None:
    told = session.post(f"http://{start(Origin)}/", files={"f": ("n.txt", b"inside")}).json()
    assert 'filename="n.txt"' in told["body"]
    assert "inside" in told["body"]


def test_one_connection_serves_request_after_request(session: requests.Session, start: Callable[..., str]) -> None:
    url = f"http://{start(Origin)}"
    assert len({session.get(f"{url}/{number}").json()["connection"] for number in range(3)}) == 1


def test_redirects_are_followed(session: requests.Session, start: Callable[..., str]) -> None:
    url = f"http://{start(Origin)}"
    response = session.post(f"{url}/redirect307/to/redirect303/to/there", data=b"body")
    assert [hop.status_code for hop in response.history] == [307, 303]
    assert (response.json()["method"], response.url) == ("GET", f"{url}/there")
    assert session.get(f"{url}/redirect302/to/there", allow_redirects=False).status_code == 302
    session.max_redirects = 2
    with pytest.raises(requests.TooManyRedirects):
        session.get(f"{url}/redirect302/to/redirect302/to/redirect302/to/there")


def test_cookies_are_kept(session: requests.Session, start: Callable[..., str]) -> None:
    url = f"http://{start(Origin)}"
    session.get(f"{url}/cookies")
    assert session.get(f"{url}/").json()["headers"]["Cookie"] == "a=1; b=2"


def test_timeouts_end_the_wait(session: requests.Session, start: Callable[..., str]) -> None:
    url = f"http://{start(Origin)}/wait"
    with pytest.raises(requests.ReadTimeout):
        session.get(url, timeout=(5, 0.05))
    with pytest.raises(requests.ReadTimeout):
        session.get(url, timeout=0.5)


def test_what_is_not_there_is_a_connection_error(session: requests.Session) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(requests.ConnectionError, match="Max retries exceeded"):
            session.get(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    with pytest.raises(requests.ConnectionError, match="Failed to resolve"):
        session.get("http://no-such-host.invalid/")
    with pytest.raises(requests.exceptions.InvalidURL):
        session.get("http://h.test:99999/")


def test_an_adapters_retries_are_obeyed(session: requests.Session, start: Callable[..., str]) -> None:
    url = f"http://{start(Origin)}/flaky"
    session.mount("http://", HTTPAdapter(max_retries=Retry(2, status_forcelist=[503])))
    Origin.failures = 2
    assert session.get(url).status_code == 200
    Origin.failures = 3
    with pytest.raises(requests.exceptions.RetryError, match="too many 503 error responses"):
        session.get(url)


def test_bodies_can_be_streamed(session: requests.Session, start: Callable[..., str]) -> None:
    url = f"http://{start(Origin)}"
    with session.get(f"{url}/stream", stream=True) as response:
        assert b"".join(response.iter_content(4096)) == PIECE * 20
    with session.get(f"{url}/stream", stream=True) as response:
        assert response.raw.read(len(PIECE)) == PIECE
    with session.get(f"{url}/stream", stream=True) as response:
        assert max(map(len, response.iter_lines(chunk_size=999))) == len(PIECE) * 20
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(f"{url}/short")


def test_bodies_are_decoded_where_they_are_read(session: requests.Session, start: Callable[..., str]) -> None:
    url = f"http://{start(Origin)}/gzip"
    assert session.get(url).content == PIECE
    with session.get(url, stream=True) as response:
        assert gzip.decompress(response.raw.read()) == PIECE
    with session.get(url, stream=True) as response:
        assert response.raw.read(10, decode_content=True) == PIECE[:10]


def test_servers_are_verified_as_asked(session: requests.Session, secure: str, roots: str) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="certificate verify failed"):
        session.get(secure)
    assert session.get(secure, verify=roots).json()["method"] == "GET"
    with pytest.raises(requests.exceptions.SSLError, match="mismatch"):
        session.get(secure.replace("localhost", "127.0.0.1"), verify=roots)
    with pytest.warns(Warning, match="Unverified HTTPS request"):
        assert session.get(secure, verify=False).status_code == 200
    # What was not verified is not used for a request that asks for it.
    with pytest.raises(requests.exceptions.SSLError):
        session.get(secure)


def test_a_certificate_is_shown(session: requests.Session, secure: str, roots: str, authority: trustme.CA, tmp_path: Path) -> None:
    ours = authority.issue_cert("me@h.test")
    ours.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    ours.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    ours.private_key_pem.write_to_path(tmp_path / "key.pem")
    assert not session.get(secure, verify=roots).json()["certificate"]
    for certificate in (str(tmp_path / "both.pem"), (str(tmp_path / "certificate.pem"), str(tmp_path / "key.pem"))):
        assert session.get(secure, verify=roots, cert=certificate).json()["certificate"]


def test_proxies_are_used(session: requests.Session, start: Callable[..., str], secure: str, roots: str) -> None:
    plain, proxy = f"http://{start(Origin)}", start(Proxy)
    Proxy.seen.clear()
    session.proxies = {"http": f"http://me:secret@{proxy}", "https": f"http://me:secret@{proxy}"}
    assert session.get(f"{plain}/a").json()["headers"]["Via"] == "1.1 proxy"
    assert session.post(f"{plain}/b", data=b"body").json()["body"] == "body"
    assert "Via" not in session.get(f"{secure}/c", verify=roots).json()["headers"]
    assert Proxy.seen == [f"GET {plain}/a", f"POST {plain}/b", f"CONNECT {secure.removeprefix('https://')}"]
    session.proxies = {"http": f"http://{proxy}", "https": f"http://{proxy}"}
    assert session.get(plain).status_code == 407
    with pytest.raises(requests.exceptions.ProxyError, match="407"):
        session.get(secure, verify=roots)
    session.proxies = {"http": "http://127.0.0.1:1"}
    with pytest.raises(requests.exceptions.ProxyError, match="Unable to connect to proxy"):
        session.get(plain)
