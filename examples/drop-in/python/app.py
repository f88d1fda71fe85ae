"""Fetches the URLs in its arguments through `wasi:http`, eight at a time, and says how large they are.

It knows nothing of urlpool: whether its requests share connections is the business of whoever composes it.
"""

import asyncio
import sys
from urllib.parse import urlsplit

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world import result_option_wasi_http_types_fields_wasi_http_types_error_code_future as no_trailers
from wit_world import result_unit_wasi_http_types_error_code_future as read
from wit_world.imports import client, environment
from wit_world.imports.wasi_http_types import (
    Fields,
    Request,
    Response,
    Scheme_Http,
    Scheme_Https,
)

AT_ONCE = 8
PIECE = 64 * 1024


def request(url: str) -> Request:
    parts = urlsplit(url)
    _, trailers = no_trailers(lambda: Ok(None))
    made, _ = Request.new(Fields(), None, trailers, None)
    made.set_scheme(Scheme_Https() if parts.scheme == "https" else Scheme_Http())
    made.set_authority(parts.netloc)
    made.set_path_with_query((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    return made


async def fetch(url: str) -> None:
    response = await client.send(request(url))
    status, length = response.get_status_code(), 0
    _, done = read(lambda: Ok(None))
    body, trailers = Response.consume_body(response, done)
    with body:
        while not body.writer_dropped:
            length += len(await body.read(PIECE))
    # What kept the body from being had whole comes in place of its trailers.
    ended = await trailers.read()
    if isinstance(ended, Err):
        raise ended
    print(f"{status} {length} bytes")


async def work(urls) -> None:
    for url in urls:
        await fetch(url)


class Run(exports.Run):
    async def run(self) -> None:
        urls = iter(environment.get_arguments()[1:])
        try:
            await asyncio.gather(*(work(urls) for _ in range(AT_ONCE)))
        except Err as failed:
            print(failed.value, file=sys.stderr)
            raise Err(None)
