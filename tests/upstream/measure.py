"""Measures what passing values to and from the component costs, on a server in this process.

    python tests/upstream/measure.py

The figures are the best of several runs: of bodies in both directions, and of small requests beside urllib3's own on the same server.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable

import urllib3

from urlpool.host import Instance, Record

SIZE = 64 << 20
PIECE = random.Random(1).randbytes(1 << 20)
SMALL = b"HTTP/1.1 200 OK\r\nServer: measure\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"


def answer(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        while request := connection.recv(1 << 16):
            head, _, body = request.partition(b"\r\n\r\n")
            if head.startswith(b"POST"):
                left = SIZE - len(body)
                while left:
                    left -= len(connection.recv(min(left, 1 << 20)))
            if head.startswith(b"GET /large"):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
                for _ in range(SIZE // len(PIECE)):
                    connection.sendall(PIECE)
            else:
                connection.sendall(SMALL)


def serve(listener: socket.socket) -> None:
    while True:
        threading.Thread(target=answer, args=listener.accept()[:1], daemon=True).start()


def best(of: Callable[[], object], times: int = 5) -> float:
    durations = []
    for _ in range(times):
        started = time.perf_counter()
        of()
        durations.append(time.perf_counter() - started)
    return min(durations)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    print(f"first instance    {best(Instance, 1) * 1e3:8.1f} ms")
    print(f"further instances {best(Instance) * 1e3:8.1f} ms")
    instance, theirs, options = Instance(), urllib3.PoolManager(), Record()
    manager = instance.call("pool-manager.open", Record())

    def down(size: int) -> None:
        response = instance.call("pool-manager.request", manager, "GET", f"{url}/large", "empty", options)
        while instance.call("response.read", response, size):
            pass

    def up(size: int) -> None:
        pending = instance.call("pool-manager.start", manager, "POST", url, ("streamed", Record(length=SIZE, rewindable=False)), options)
        for _ in range(SIZE // size):
            instance.call("pending.write", pending, PIECE[:size])
        instance.call("pending.finish", pending)
        instance.call("response.drain", instance.call("pending.response", pending))

    def whole() -> None:
        response = instance.call("pool-manager.request", manager, "POST", url, ("bytes", PIECE * 64), options)
        instance.call("response.drain", response)

    for name, run in (("read", down), ("write", up)):
        for size in (4096, 65536, 1 << 20):
            print(f"{name:5} {size:7} bytes {SIZE / best(lambda: run(size)) / 1e6:8.0f} MB/s")
    print(f"body of a request   {SIZE / best(whole, 2) / 1e6:8.0f} MB/s")

    def ours() -> None:
        for _ in range(500):
            response = instance.call("pool-manager.request", manager, "GET", url, "empty", options)
            instance.call("response.head", response)
            while instance.call("response.read", response, 65536):
                pass

    def urllib3s() -> None:
        for _ in range(500):
            theirs.request("GET", url)

    small, other = best(ours) / 500, best(urllib3s) / 500
    print(f"small GET {small * 1e6:6.0f} us, urllib3 {other * 1e6:6.0f} us, ratio {small / other:.2f}")
    print(f"call that does nothing {best(lambda: [instance.call('pool-manager.num-pools', manager) for _ in range(1000)]) * 1e3:.1f} us")


if __name__ == "__main__":
    main()
