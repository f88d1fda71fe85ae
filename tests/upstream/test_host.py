"""The host alone: values both ways, resources, threads, and what goes wrong. Every server is local and counts nothing but its requests."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from servers import Handler, serving
from urlpool import host, words
from urlpool.host import Failure, Instance, Record, Resource, Trap, Variant

SECOND = 1_000_000_000
EVERY_BYTE = bytes(range(256))
NOTHING = Record()
LARGE = 10_000_000  # More than arrives before it is read.


class Server(Handler):
    """Sends what is asked for: `/bytes/N`, `/broken/N` that announces one byte more, `/large/N` megabytes, what was sent to it, nothing before it may, or
    `/endless`, of which never a byte comes out."""

    waiting = threading.Semaphore(0)
    released = threading.Semaphore(0)

    def do_GET(self) -> None:
        kind, _, size = self.path[1:].partition("?")[0].partition("/")
        if kind == "endless":
            return self.endless()
        if kind == "large":
            return self.large(int(size))
        body = pattern(int(size or 0))
        if kind == "wait":
            self.waiting.release()
            self.released.acquire(timeout=10)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + (kind == "broken")))
        self.send_header("X-Bytes", "\xe9\xff")
        self.send_header("X-Empty", "")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = kind == "broken"

    def large(self, megabytes: int) -> None:
        """Never has all of it, which would be our memory too."""
        piece = pattern(1 << 20)
        self.send_response(200)
        self.send_header("Content-Length", str(megabytes << 20))
        self.end_headers()
        for _ in range(megabytes):
            self.wfile.write(piece)

    def endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "deflate")
        self.end_headers()
        # Blocks that are stored, not the last, and empty.
        blocks = b"\0\0\0\xff\xff" * 20_000
        self.close_connection = True
        self.wfile.write(b"\x78\x9c")
        while True:
            self.wfile.write(blocks)

    def do_POST(self) -> None:
        self.close_connection = False
        body = b""
        if self.headers["Transfer-Encoding"] == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def pattern(size: int) -> bytes:
    return (EVERY_BYTE * (size // 256 + 1))[:size]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Server) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(params=[True, False], ids=["by words", "by bytes"])
def instance(request: pytest.FixtureRequest) -> Iterator[Instance]:
    instance = Instance(is_widened=request.param)
    yield instance
    instance.close()


@pytest.fixture
def manager(instance: Instance) -> Resource:
    return instance.call("pool-manager.open", Record(pool=Record(maxsize=8)))


def get(instance: Instance, manager: Resource, url: str) -> Resource:
    return instance.call("pool-manager.request", manager, "GET", url, "empty", NOTHING)


def narrow(instance: Instance) -> Resource:
    """A manager with one connection for each server, for which no request waits."""
    return instance.call("pool-manager.open", Record(pool=Record(maxsize=1, block=True, pool_timeout=("after", 0))))


def read(instance: Instance, response: Resource, size: int = 65536) -> bytes:
    return b"".join(iter(lambda: instance.call("response.read", response, size), b""))


def test_the_head_of_a_response(instance: Instance, manager: Resource, url: str) -> None:
    head = instance.call("response.head", get(instance, manager, f"{url}/bytes/3"))
    assert (head.status, head.reason, head.version, head.url) == (200, "OK", "http11", f"{url}/bytes/3")
    assert ("Content-Length", b"3") in head.headers
    assert ("X-Bytes", b"\xe9\xff") in head.headers
    assert ("X-Empty", b"") in head.headers
    assert head.connection == Record(number=1, reused=False, remote=url[7:], tls=None, is_verified=False, proxy_is_verified=False)
    assert repr(head).startswith("Record(status=200, version='http11'")


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 255, 256, 257, 65535, 65536, 65537, 2_000_000])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_go_both_ways(instance: Instance, manager: Resource, url: str, size: int, kind: Callable[[bytes], Any]) -> None:
    sent = pattern(size)
    response = instance.call("pool-manager.request", manager, "POST", url, ("bytes", kind(sent)), NOTHING)
    assert instance.call("response.read-all", response, 1 << 24) == sent


def memory_in_use() -> int:
    # The peak, which is all that getrusage tells, may be that of an earlier test.
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(os.getpid())], check=True, capture_output=True)
    return int(told.stdout) * 1024


def test_nothing_is_left_behind(url: str) -> None:
    instance = Instance()
    manager = instance.call("pool-manager.open", NOTHING)

    def request(path: str) -> Resource:
        return get(instance, manager, url + path)

    def state() -> tuple[int, int]:
        gc.collect()
        return len(os.listdir("/dev/fd")), memory_in_use()

    def use(count: int, dropped: int) -> None:
        for _ in range(count):
            assert instance.call("response.read-all", request("/bytes/10"), 100) == pattern(10)
        for _ in range(dropped):
            request("/bytes/300000").drop()
        assert instance.call("response.read-all", request("/bytes/10"), 100) == pattern(10)

    use(500, 50)
    files, memory = state()
    use(10_000, 1_000)
    files_now, memory_now = state()
    # The server's side of a connection may end a moment later than ours.
    assert files_now <= files + 4
    assert memory_now < memory + (16 << 20)
    instance.close()


def test_a_body_of_100_mb_is_read_in_bounded_memory(url: str) -> None:
    instance = Instance()
    manager = instance.call("pool-manager.open", NOTHING)
    assert len(read(instance, get(instance, manager, f"{url}/large/4"), 1 << 18)) == 4 << 20
    gc.collect()
    before, length, seen = memory_in_use(), 0, []
    response = get(instance, manager, f"{url}/large/100")
    while piece := instance.call("response.read", response, 1 << 18):
        if length // (10 << 20) == len(seen):
            seen.append(memory_in_use())
        length += len(piece)
    assert (length, len(seen)) == (100 << 20, 10)
    assert max(seen) < before + (16 << 20)
    instance.close()


def test_large_bodies_go_by_words(url: str) -> None:
    # By bytes, wasmtime refuses so many in one call.
    instance, sent = Instance(), pattern(10_000_001)
    manager = instance.call("pool-manager.open", NOTHING)
    response = instance.call("pool-manager.request", manager, "POST", url, ("bytes", sent), NOTHING)
    assert instance.call("response.read-all", response, 1 << 24) == sent
    instance.close()


@pytest.mark.parametrize("function", ["read", "read-full", "read-chunk", "read-line"])
@pytest.mark.parametrize("size", [1, 3, 8, 13, 1000, 1 << 20])
def test_bodies_are_read_in_pieces(instance: Instance, manager: Resource, url: str, function: str, size: int) -> None:
    if function == "read-chunk":
        with pytest.raises(Failure) as caught:
            instance.call("response.read-chunk", get(instance, manager, f"{url}/bytes/9"), 1)
        assert caught.value.error.kind == "invalid-request"
        return
    length = min(size * 100, 1_000_000)
    response, whole = get(instance, manager, f"{url}/bytes/{length}"), b""
    while part := instance.call(f"response.{function}", response, size):
        assert len(part) <= size
        assert function != "read-full" or len(part) == min(size, length - len(whole))
        assert function != "read-line" or b"\n" not in part[:-1]
        whole += part
    assert whole == pattern(length)


def test_a_body_is_pushed(instance: Instance, manager: Resource, url: str) -> None:
    pending = instance.call("pool-manager.start", manager, "POST", url, ("streamed", Record(length=None, rewindable=False)), NOTHING)
    pieces = [b"", b"a", pattern(4096), memoryview(pattern(3)), bytearray(pattern(70_001))]
    assert {instance.call("pending.write", pending, piece) for piece in pieces} == {"accepted"}
    assert instance.call("pending.finish", pending) == "answered"
    assert instance.call("wait", [pending], ("after", SECOND)) == [0]
    assert read(instance, instance.call("pending.response", pending)) == b"".join(map(bytes, pieces))


def test_other_values(instance: Instance, manager: Resource, url: str) -> None:
    assert instance.call("make-headers", Record(keep_alive=True, accept_encoding=[], user_agent="p\xe9\U0001f40d", basic_auth="a:b",
                                                disable_cache=False)) == [
        ("accept-encoding", b"gzip,deflate,br,zstd"), ("user-agent", "p\xe9\U0001f40d".encode()), ("connection", b"keep-alive"),
        ("authorization", b"Basic YTpi")]
    pool = instance.call("pool-manager.connection-from-host", manager, "LOCALHOST", 65535, "https", None)
    assert instance.call("connection-pool.origin", pool) == Record(scheme="https", host="localhost", port=65535)
    response = instance.call("pool-manager.request-encode-url", manager, "GET", f"{url}/bytes/0", [("a", "\xe4"), ("", "")],
                             {"retries": {"total": "off", "statuses": (500, 501), "methods": ("only", ["GET"])}, "redirects": "hand-over"})
    assert instance.call("response.head", response).url == f"{url}/bytes/0?a=%C3%A4&="
    left = instance.call("response.retries", response)
    assert (left.total, left.statuses, left.methods) == (Variant("off"), [500, 501], Variant("only", ["GET"]))
    assert left.raise_on_status is True and left.backoff_max == 120 * SECOND
    assert instance.call("response.tls", response) is None
    parts = [Record(name="f", headers=[], data=("bytes", EVERY_BYTE), filename="x")]
    assert EVERY_BYTE in read(instance, instance.call("pool-manager.request-encode-body", manager, "POST", url, parts, NOTHING))


def test_events_are_variants(instance: Instance, url: str) -> None:
    manager = instance.call("pool-manager.open", Record(events=100))
    read(instance, get(instance, manager, f"{url}/bytes/1"))
    events = instance.call("pool-manager.take-events", manager)
    assert events[0] == ("connected", Record(number=1, remote=url[7:]))
    assert [tag for tag, _ in events] == ["connected", "sent", "received", "checked-in"]


def test_an_error_is_a_failure(instance: Instance, manager: Resource, url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Failure, match="Max retries exceeded") as caught:
        get(instance, manager, f"http://127.0.0.1:{port}/")
    error = caught.value.error
    assert (error.kind, error.failure.phase, len(error.history)) == ("retries-exhausted", "connect", 4)
    assert error.history[0].error.kind == "connection-failed"
    assert error.history[0].error.failure.refusal is None
    assert not instance.is_dead


@pytest.mark.parametrize("function", ["read", "read-full", "read-all"])
def test_a_body_that_breaks_is_a_failure(instance: Instance, manager: Resource, url: str, function: str) -> None:
    response = get(instance, manager, f"{url}/broken/1000")
    with pytest.raises(Failure) as caught:
        while True:
            instance.call(f"response.{function}", response, 2000)
    assert caught.value.error.kind == "incomplete-body"
    assert caught.value.error.failure.incomplete == Record(received=1000, missing=1)


@pytest.mark.parametrize(("name", "arguments", "error"), [
    ("no-such-function", [], AttributeError),
    ("pool-manager.open", [], TypeError),
    ("pool-manager.open", [1], TypeError),
    ("pool-manager.open", [Record(num_pools="1")], TypeError),
    ("pool-manager.open", [Record(num_pools=-1)], ValueError),
    ("pool-manager.open", [Record(num_pools=1 << 32)], ValueError),
    ("pool-manager.open", [Record(num_pool=1)], TypeError),
    ("pool-manager.open", [Record(headers="a")], TypeError),
    ("pool-manager.open", [Record(headers=[("a",)])], TypeError),
    ("pool-manager.open", [Record(headers=[("a", "b")])], TypeError),
    ("pool-manager.open", [Record(headers=[(b"a", b"b")])], TypeError),
    ("pool-manager.open", [Record(headers=[("\ud800", b"b")])], ValueError),
    ("pool-manager.open", [Record(pool=Record(address_family="ipv5"))], ValueError),
    ("pool-manager.open", [Record(pool=Record(pool_timeout="never"))], ValueError),
    ("pool-manager.open", [Record(pool=Record(pool_timeout=("unlimited", 1)))], TypeError),
    ("pool-manager.open", [Record(pool=Record(pool_timeout=("after", None)))], TypeError),
    ("make-headers", [Record(keep_alive=True)], TypeError),
    ("response.head", [None], TypeError),
])
def test_a_wrong_argument_is_refused_here(instance: Instance, name: str, arguments: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        instance.call(name, *arguments)
    assert isinstance(instance.call("pool-manager.open", NOTHING), Resource)


def test_resources_are_of_one_kind_and_one_instance(instance: Instance, manager: Resource, url: str) -> None:
    with pytest.raises(TypeError, match="<pool-manager> is no response"):
        instance.call("response.head", manager)
    with pytest.raises(ValueError, match="belongs to another instance"):
        get(Instance(), manager, url)
    response = get(instance, manager, f"{url}/bytes/0")
    response.drop()
    response.drop()
    with pytest.raises(ValueError, match="<response, dropped>"):
        instance.call("response.head", response)


@pytest.mark.parametrize("how", ["drop", "del", "collector"])
def test_a_dropped_response_gives_its_connection_up(instance: Instance, url: str, how: str) -> None:
    manager = narrow(instance)
    response = get(instance, manager, f"{url}/bytes/{LARGE}")
    with pytest.raises(Failure) as caught:
        get(instance, manager, f"{url}/bytes/1")
    assert caught.value.error.kind == "pool-timeout"
    del caught
    if how == "drop":
        response.drop()
    elif how == "collector":
        cycle: list[Any] = [response]
        cycle.append(cycle)
        del cycle
    del response
    gc.collect()
    get(instance, manager, f"{url}/bytes/1")


def test_the_collector_may_come_during_a_call(instance: Instance, manager: Resource, url: str) -> None:
    held = [get(instance, manager, f"{url}/bytes/1")]
    read(instance, held[0])
    caller = threading.Thread(target=get, args=(instance, manager, f"{url}/wait"))
    caller.start()
    assert Server.waiting.acquire(timeout=10)
    started = time.monotonic()
    held.clear()
    gc.collect()
    assert time.monotonic() - started < 5, "it waited for the call"
    assert len(instance._dropped) == 1
    Server.released.release()
    caller.join()
    assert len(instance._dropped) == 0
    assert not instance.is_dead


def test_a_cycle_is_collected(url: str) -> None:
    instance = Instance()
    cycle: dict[str, Any] = {"instance": instance, "manager": instance.call("pool-manager.open", NOTHING)}
    cycle["response"] = get(instance, cycle["manager"], f"{url}/bytes/1")
    cycle["self"] = cycle
    instance.cycle = cycle  # type: ignore[attr-defined]
    del instance, cycle
    gc.collect()


def test_threads_take_turns(instance: Instance, manager: Resource, url: str) -> None:
    results: list[bool] = []

    def run(size: int) -> None:
        for _ in range(20):
            results.append(read(instance, get(instance, manager, f"{url}/bytes/{size}")) == pattern(size))

    threads = [threading.Thread(target=run, args=(size,)) for size in (1, 100_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 40


def test_a_trap_is_the_end_of_an_instance(instance: Instance, manager: Resource, url: str) -> None:
    response = get(instance, manager, f"{url}/bytes/{64 << 20}")
    with pytest.raises(Trap, match="too much data"):
        instance.call("response.read-all", response, 1 << 30)
    assert instance.is_dead
    with pytest.raises(Trap, match="too much data"):
        get(instance, manager, url)
    response.drop()
    del manager
    other = Instance()
    assert read(other, get(other, other.call("pool-manager.open", NOTHING), f"{url}/bytes/5")) == pattern(5)


def test_memory_is_limited(url: str) -> None:
    instance = Instance(memory=8 << 20)
    manager = instance.call("pool-manager.open", NOTHING)
    assert len(instance.call("response.read-all", get(instance, manager, url + "/bytes/1000000"), 1 << 24)) == 1_000_000
    response = get(instance, manager, url + "/bytes/10000000")
    with pytest.raises(Trap):
        instance.call("response.read-all", response, 1 << 24)
    assert instance.is_dead


def test_a_call_that_never_ends_is_stopped(url: str) -> None:
    runaway, other = Instance(call_limit=0.2), Instance(call_limit=3600)
    beside = other.call("pool-manager.open", NOTHING)
    response = get(runaway, runaway.call("pool-manager.open", NOTHING), f"{url}/endless")
    with pytest.raises(Trap, match="a call took longer than 0.2 s"):
        runaway.call("response.read", response, 1)
    assert runaway.is_dead
    with pytest.raises(Trap, match="a call took longer than 0.2 s"):
        runaway.call("response.head", response)
    response.drop()
    assert read(other, get(other, beside, f"{url}/bytes/9")) == pattern(9)


def test_a_closed_instance_is_dead(url: str) -> None:
    instance = Instance()
    manager = instance.call("pool-manager.open", NOTHING)
    instance.close()
    instance.close()
    with pytest.raises(Trap, match="closed"):
        get(instance, manager, url)
    manager.drop()


def test_without_the_network_everything_is_denied(url: str) -> None:
    instance = Instance(network=False)
    manager = instance.call("pool-manager.open", Record(pool=Record(retries=Record(total="off"))))
    for target in (url, url.replace("127.0.0.1", "localhost")):
        with pytest.raises(Failure) as caught:
            get(instance, manager, target)
        assert caught.value.error.kind == "denied"


def test_an_interruption_comes_behind_the_call(instance: Instance, url: str) -> None:
    manager = narrow(instance)

    def interrupt() -> None:
        Server.waiting.acquire(timeout=10)
        os.kill(os.getpid(), signal.SIGINT)
        Server.released.release()

    for _ in range(3):
        sender = threading.Thread(target=interrupt)
        sender.start()
        with pytest.raises(KeyboardInterrupt):
            get(instance, manager, f"{url}/wait/{LARGE}")
            time.sleep(10)
        sender.join()
        gc.collect()
    # What the calls returned was dropped, or there would be no connection.
    assert read(instance, get(instance, manager, f"{url}/bytes/9")) == pattern(9)


def test_what_was_compiled_is_kept(tmp_path: Path) -> None:
    script = "import sys; from urlpool.host import Instance; Instance(cache=sys.argv[1]).call('proxies-from-environment', [])"
    run = [sys.executable, "-B", "-c", script, str(tmp_path)]
    subprocess.run(run, check=True, cwd=Path(__file__).parent)
    kept = [(path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir()]
    subprocess.run(run, check=True, cwd=Path(__file__).parent)
    assert [(path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir()] == kept
    (only,) = tmp_path.iterdir()
    only.write_bytes(b"not a program")
    subprocess.run(run, check=True, cwd=Path(__file__).parent)
    assert only.stat().st_size > 1_000_000


def test_only_what_is_whole_is_widened() -> None:
    with open(host.default_component(), "rb") as file:
        wasm = file.read()
    assert words.widen(wasm)[:len(wasm)] == wasm
    with pytest.raises(KeyError):
        words.widen(wasm[:8])
