"""Fetches the URLs in its arguments, one after the other over the same connections, and says how large they are.

Proxies come from the variables that curl reads; `CA_PEM` holds the certificates to trust, where the built-in ones will not do.
"""

import sys

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import environment
from wit_world.imports.blocking import Body_Empty, PoolManager, proxies_from_environment
from wit_world.imports.types import (
    Budget_AtMost,
    Limit_After,
    ManagerSettings,
    PoolSettings,
    RequestOptions,
    Retries,
    Timeouts,
    TlsSettings,
)

SECOND = 1_000_000_000  # The component counts in nanoseconds.
PIECE = 256 * 1024


def record(kind, **fields):
    """A record in which everything that is not named is `None`: its documented default."""
    return kind(**dict.fromkeys(kind.__dataclass_fields__) | fields)


def manager() -> PoolManager:
    variables = environment.get_environment()
    pool = record(
        PoolSettings,
        timeouts=record(Timeouts, connect=Limit_After(5 * SECOND), read=Limit_After(10 * SECOND)),
        retries=record(
            Retries, total=Budget_AtMost(3), statuses=[502, 503, 504], backoff_factor=SECOND // 10
        ),
        proxies=proxies_from_environment(variables),
    )
    if roots := dict(variables).get("CA_PEM"):
        pool.tls = record(TlsSettings, roots=roots.encode())
    return PoolManager.open(record(ManagerSettings, pool=pool))


def fetch(pools: PoolManager, url: str) -> None:
    with pools.request("GET", url, Body_Empty(), record(RequestOptions)) as response:
        head = response.head()
        length = 0
        while piece := response.read(PIECE):
            length += len(piece)
        connection, before = head.connection.number, len(response.history())
        print(f"{head.status} {length} bytes over connection {connection} after {before} other answers")


class Run(exports.Run):
    def run(self) -> None:
        try:
            with manager() as pools:
                for url in environment.get_arguments()[1:]:
                    fetch(pools, url)
        except Err as failed:
            # The kind is what a program decides by; the words are for people.
            error = failed.value
            print(f"{error.kind.name}: {error.message}", file=sys.stderr)
            raise Err(None)
