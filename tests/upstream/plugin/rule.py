"""Decides from what a test touches of urllib3 whether another implementation can run it.

The class of a test is that of its farthest touch, in this order:

- `P`, public: only names that urllib3 documents.
- `Q`, introspection: what shows the state of a pool or a manager, or a log; also settings of a pool changed after it was made.
- `S`: Python's `ssl.SSLContext`, and the helpers that make one.
- `H`: the fixture that runs a test over HTTP/1.1 and again over HTTP/2, which it injects into urllib3's modules.
- `N`: an address that nobody has, 240.0.0.0: the next router may answer for it or not, so the outcome is the network's.
- `I`, internals: everything else.

A name in no table is internal: a new version of urllib3 can only make the selection smaller, and the floor would tell.
"""

from __future__ import annotations

from collections.abc import Iterable

ORDER = "PQSHNI"

# What the reference in urllib3's documentation lists, by the labels of trace.py.
PUBLIC = {
    "manager": {
        "clear", "close", "connection_from_context", "connection_from_host", "connection_from_url", "headers", "proxy", "request",
        "request_encode_body", "request_encode_url", "urlopen",
    },
    "pool": {"close", "headers", "host", "port", "request", "request_encode_body", "request_encode_url", "scheme", "urlopen"},
    "response": {
        "close", "closed", "data", "drain_conn", "fileno", "flush", "get_redirect_location", "getheader", "getheaders", "geturl",
        "headers", "info", "isclosed", "json", "length_remaining", "read", "read1", "read_chunked", "readable", "readinto", "reason",
        "release_conn", "retries", "shutdown", "status", "stream", "supports_chunked_reads", "tell", "url", "version", "version_string",
    },
    "name": {
        "urllib3.BaseHTTPResponse", "urllib3.HTTPConnectionPool", "urllib3.HTTPHeaderDict", "urllib3.HTTPResponse",
        "urllib3.HTTPSConnectionPool", "urllib3.PoolManager", "urllib3.ProxyManager", "urllib3.Retry", "urllib3.Timeout",
        "urllib3.connection_from_url", "urllib3.encode_multipart_formdata", "urllib3.make_headers", "urllib3.proxy_from_url",
        "urllib3.request", "urllib3._collections.HTTPHeaderDict", "urllib3.connectionpool.HTTPConnectionPool",
        "urllib3.connectionpool.HTTPSConnectionPool", "urllib3.connectionpool.connection_from_url",
        # Two of no consequence: what puts a pool's origin before a path in a message, and a class that is only asked what its OpenSSL
        # knows.
        "urllib3.connectionpool._url_from_pool", "urllib3.util.SSLContext",
        "urllib3.contrib.socks.SOCKSProxyManager", "urllib3.poolmanager.PoolManager", "urllib3.poolmanager.ProxyManager",
        "urllib3.poolmanager.proxy_from_url", "urllib3.response.HTTPResponse", "urllib3.util.ALPN_PROTOCOLS",
        "urllib3.util.IS_PYOPENSSL", "urllib3.util.SKIPPABLE_HEADERS", "urllib3.util.SKIP_HEADER", "urllib3.util.make_headers",
        "urllib3.util.parse_url", "urllib3.util.Retry", "urllib3.util.Timeout", "urllib3.util.Url",
        "urllib3.util.retry.RequestHistory", "urllib3.util.retry.Retry", "urllib3.util.timeout.Timeout", "urllib3.util.url.Url",
        "urllib3.util.url.parse_url",
    },
}

# Modules whose every name is documented, but those with an underscore.
PUBLIC_MODULES = ("urllib3.exceptions", "urllib3.fields", "urllib3.filepost")

INTROSPECTION = {
    "fixture caplog", "manager.connection_pool_kw", "manager.pools", "name test.LogRecorder", "name urllib3.connectionpool.log",
    "patch warnings.warn", "pool.num_connections", "pool.num_requests", "pool.pool", "queue.maxsize", "queue.qsize",
    "response.connection", "set pool.assert_fingerprint", "set pool.assert_hostname", "set pool.ca_certs", "set pool.cert_reqs",
    "set pool.headers", "set pool.ssl_version",
}

CONTEXT = {
    "argument proxy_ssl_context", "argument ssl_context", "name urllib3.util.create_urllib3_context", "name urllib3.util.ssl_wrap_socket",
}
CONTEXT_MODULES = ("urllib3.util.ssl_", "urllib3.util.ssl_match_hostname")

HTTP2_FIXTURE = "fixture http_version"
NETWORK = "name test.TARPIT_HOST"


def class_of(touch: str) -> str:
    """The class that this one touch gives a test."""
    if touch in INTROSPECTION:
        return "Q"
    if touch in CONTEXT:
        return "S"
    if touch == HTTP2_FIXTURE:
        return "H"
    if touch == NETWORK:
        return "N"
    kind, _, name = touch.rpartition(" ")
    if kind == "name":
        module, _, attribute = name.rpartition(".")
        if module in CONTEXT_MODULES:
            return "S"
        is_public = name in PUBLIC["name"] or (module in PUBLIC_MODULES and not attribute.startswith("_"))
        return "P" if is_public else "I"
    if kind:
        return "I"
    label, _, attribute = name.partition(".")
    return "P" if attribute in PUBLIC.get(label, ()) else "I"


def classify(touches: Iterable[str]) -> tuple[str, list[str]]:
    """The class of a test, and the touches that are the reason for it."""
    classes = {touch: class_of(touch) for touch in touches}
    found = max(classes.values(), key=ORDER.index, default="P")
    return found, sorted(touch for touch, letter in classes.items() if letter == found != "P")
