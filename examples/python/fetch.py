"""Fetches a URL with `urlpool.wasm` inside this process, and writes its body to a file while it arrives.

    python fetch.py https://internal.example/file --ca root.pem --proxy http://user:secret@proxy.example:3128 --output file

Needs `pip install wasmtime==47.0.1`, and the package `urlpool` of `tests/upstream` in PYTHONPATH. The component is `dist/urlpool.wasm`,
or what the variable `URLPOOL_WASM` names. See docs/python.md.
"""

import argparse
import sys

from urlpool.host import Failure, Instance, Record

SECOND = 1_000_000_000  # The component counts in nanoseconds.


def settings(ca: str | None, seconds: float) -> Record:
    """What every connection has in common. What is not named here has the default that `wit/types.wit` gives."""
    limit = ("after", int(seconds * SECOND))
    pool = Record(timeouts=Record(connect=limit, read=limit))
    if ca is not None:
        with open(ca, "rb") as file:
            pool.tls = Record(roots=file.read())  # These alone are trusted then, and no others.
    return Record(pool=pool, headers=[("User-Agent", b"urlpool-example")])


def fetch(arguments: argparse.Namespace) -> int:
    instance = Instance()
    chosen = settings(arguments.ca, arguments.timeout)
    if arguments.proxy is None:
        manager = instance.call("pool-manager.open", chosen)
    else:
        through = instance.call("proxy-manager.open", Record(url=arguments.proxy), chosen)
        manager = instance.call("proxy-manager.manager", through)
    options = Record(retries=Record(total=("at-most", 2), backoff_factor=SECOND // 2))
    response = instance.call("pool-manager.request", manager, "GET", arguments.url, "empty", options)
    head = instance.call("response.head", response)
    print(head.status, head.reason, head.url, file=sys.stderr)
    for name, value in head.headers:
        print(f"{name}: {value.decode('latin-1')}", file=sys.stderr)
    tls = instance.call("response.tls", response)
    if tls is not None:
        print(f"{tls.version}, {tls.cipher}", file=sys.stderr)
    with open(arguments.output, "wb") if arguments.output else sys.stdout.buffer as file:
        while part := instance.call("response.read", response, 1 << 18):
            file.write(part)
    return 0 if head.status < 400 else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--ca", help="a file of certificates (PEM) to trust in the place of the built-in ones")
    parser.add_argument("--proxy", help="the proxy's URL: http, https, socks4, socks4a, socks5 or socks5h")
    parser.add_argument("--output", help="the file to write to; without it, standard output")
    parser.add_argument("--timeout", type=float, default=10, help="seconds for connecting, and for each wait for the server")
    try:
        return fetch(parser.parse_args())
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except Failure as failure:
        # The kind is what a program decides by; the words are for people. `history` has the attempts before.
        cause = failure.error.history[-1].error if failure.error.history else None
        print(f"{failure.error.kind}{f' ({cause.kind})' if cause else ''}: {failure.error.message}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
