"""Converts urllib3's arguments for pools and connections to the component's settings, and holds an instance of it.

What an instance reports goes where urllib3's users look for it: warnings, the log, the file that `SSLKEYLOGFILE` names.
"""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Callable
from typing import Any

from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.retry import Retry
from urllib3.util.timeout import _DEFAULT_TIMEOUT

from urlpool.host import Instance, Record, Resource

from .ssl_ import KEYWORDS as TLS_KEYWORDS
from .ssl_ import SHARED_KEYWORDS, tls_settings
from .util import to_duration, to_headers, to_retries, to_timeouts

log = logging.getLogger("urllib3.connectionpool")

_EVENTS = 1000
#: Names whose addresses the component need not look up.
HOSTS: list[Record] = []
_SOCKET_OPTIONS = {(getattr(socket, level), getattr(socket, name)): field for level, name, field in (
    ("SOL_SOCKET", "SO_KEEPALIVE", "keep_alive"), ("SOL_SOCKET", "SO_RCVBUF", "receive_buffer"), ("SOL_SOCKET", "SO_SNDBUF", "send_buffer"),
    ("IPPROTO_IP", "IP_TTL", "hop_limit"), ("IPPROTO_TCP", "TCP_NODELAY", "no_delay"), ("IPPROTO_TCP", "TCP_KEEPIDLE", "idle"),
    ("IPPROTO_TCP", "TCP_KEEPINTVL", "interval"), ("IPPROTO_TCP", "TCP_KEEPCNT", "count")) if hasattr(socket, name)}


class Component:
    """An instance of the component that holds one manager."""

    def __init__(self, open: str, *arguments: Any) -> None:
        self.instance = Instance()
        self.call = self.instance.call
        self.kind = open.partition(".")[0]
        self.manager: Resource = self.call(open, *arguments)
        self.key_log_file: str | None = None
        self._opened = 0
        self.open: set[int] = set()

    def settle(self, pool: Callable[[], Any]) -> None:
        """Passes on what has happened; `pool` says which one the log is to name."""
        for tag, payload in self.call(f"{self.kind}.take-events", self.manager):
            if tag == "closed":
                self.open.discard(payload.number)
            elif tag == "connected":
                self.open.add(payload.number)
                self._opened += 1
                if log.isEnabledFor(logging.DEBUG):
                    of = pool()
                    log.debug("Starting new %s connection (%d): %s:%s", of.scheme.upper(), self._opened, of.host, of.port or of.default_port)
            elif tag == "redirected":
                log.info("Redirecting %s -> %s", payload.origin, payload.target)
            elif tag == "warned":
                warnings.warn(payload, InsecureRequestWarning, stacklevel=2)
            elif tag == "key-log" and self.key_log_file is not None:
                with open(self.key_log_file, "a") as file:
                    file.write(payload + "\n")


def manager_settings(num_pools: int | None = None, pool: Record | None = None) -> Record:
    return Record(num_pools=num_pools, pool=pool, hosts=HOSTS, events=_EVENTS)


def pool_settings(kw: dict[str, Any], *, is_tls: bool = True) -> tuple[Record, str | None]:
    """The settings that the arguments of a pool stand for, and the file for the secrets of its connections."""
    kw = {name: value for name, value in kw.items() if value is not None or name == "timeout"}
    tls = {name: kw.pop(name) for name in TLS_KEYWORDS if name in kw}
    settings = Record(maxsize=kw.pop("maxsize", None), block=kw.pop("block", None))
    timeout = kw.pop("timeout", _DEFAULT_TIMEOUT)
    if timeout is not _DEFAULT_TIMEOUT:
        settings.timeouts = to_timeouts(timeout)
    if "retries" in kw:
        settings.retries = to_retries(Retry.from_int(kw.pop("retries")))
    if "headers" in kw:
        settings.headers, _ = to_headers(kw.pop("headers"))
    if "source_address" in kw:
        settings.source_address = _to_address(*kw.pop("source_address"))
    settings.tcp = _to_tcp(kw.pop("socket_options", None) or ())
    kw.pop("blocksize", None)
    if kw:
        raise TypeError(f"got an unexpected keyword argument {next(iter(kw))!r}")
    key_log_file = None
    if tls and not is_tls:
        raise TypeError(f"got an unexpected keyword argument {next(iter(tls))!r}")
    if is_tls:
        settings.tls, key_log_file = tls_settings(**tls)
    return settings, key_log_file


def proxy_settings(url: str, kw: dict[str, Any], *, headers: Any = None, ssl_context: Any = None, assert_hostname: Any = None,
                   assert_fingerprint: str | None = None, is_forwarding: bool = False) -> Record:
    """A proxy, for a manager whose pools have the arguments `kw`."""
    settings = Record(url=url, headers=to_headers(headers)[0], use_forwarding_for_https=bool(is_forwarding))
    if url.lower().startswith("https:"):
        tls = {name: kw[name] for name in SHARED_KEYWORDS + (("ssl_context",) if is_forwarding else ()) if name in kw}
        if ssl_context is not None:
            tls = {"ssl_context": ssl_context}
        settings.tls, _ = tls_settings(**tls, assert_hostname=assert_hostname, assert_fingerprint=assert_fingerprint)
    return settings


def _to_address(host: str, port: int) -> str:
    return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}") if port else host


def _to_tcp(options: Any) -> Record | None:
    """Socket options, as far as WASI has them. That small pieces are sent at once (`TCP_NODELAY`) is up to the host."""
    named: dict[str, int] = {}
    for level, name, value in options:
        if (level, name) not in _SOCKET_OPTIONS:
            raise ValueError(f"WASI has no socket option {(level, name)}")
        named[_SOCKET_OPTIONS[level, name]] = value
    # Linux's own values where only some are given, since the component wants all three.
    probes = Record(idle=to_duration(named.get("idle", 7200)), interval=to_duration(named.get("interval", 75)), count=named.get("count", 9))
    tcp = {name: named[name] for name in ("receive_buffer", "send_buffer", "hop_limit") if name in named}
    if named.get("keep_alive"):
        tcp["keep_alive"] = ("on", probes)
    return Record(**tcp) if tcp else None
