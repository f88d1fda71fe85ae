"""Says the component's errors as urllib3's exceptions, in urllib3's words."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ClosedPoolError, ConnectTimeoutError, DecodeError, EmptyPoolError, HostChangedError, HTTPError, IncompleteRead, LocationParseError,
    LocationValueError, MaxRetryError, NameResolutionError, NewConnectionError, ProtocolError, ProxyError, ProxySchemeUnknown, ReadTimeoutError,
    ResponseError, ResponseNotChunked, SSLError, UnrewindableBodyError, URLSchemeUnknown,
)
from urllib3.util.url import parse_url

from urlpool.host import Record

from .util import target

_HTTP_ONLY_PROXY = (". Your proxy appears to only use HTTP and not HTTPS, try changing your proxy URL to be HTTP. See: "
                    "https://urllib3.readthedocs.io/en/latest/advanced-usage.html#https-proxy-error-http-proxy")


_AT_PROXY = "Unable to connect to proxy: "


def _connection(pool: Any) -> HTTPConnection:
    """What urllib3's exceptions name as the connection: it is never opened."""
    return (HTTPSConnection if pool.scheme == "https" else HTTPConnection)(pool.host, pool.port)


def of_request(error: Record, pool: Any, url: str, retries: Any) -> Exception:
    """Why there is no response. `pool` is what was asked, or stands for what was; `retries` is what was asked for."""
    if error.kind in ("retries-exhausted", "too-many-redirects"):
        last = error.history[-1]
        if last.error is not None:
            reason = of_attempt(last.error, pool)
        elif error.kind == "too-many-redirects":
            reason = ResponseError("too many redirects")
        else:
            reason = ResponseError(ResponseError.SPECIFIC_ERROR.format(status_code=last.status))
        return _max_retries(pool, last.url, reason)
    if error.kind == "invalid-url":
        return LocationParseError(url) if parse_url(url).host else LocationValueError(error.message)
    unknown_scheme = re.search(r"Not supported URL scheme ([^ ;]+)", error.message)
    if error.kind == "protocol" and unknown_scheme:
        return URLSchemeUnknown(unknown_scheme[1])
    if error.kind == "unsupported-scheme":
        return URLSchemeUnknown(str(parse_url(url).scheme))
    if error.kind == "unsupported-proxy-scheme":
        return ProxySchemeUnknown(parse_url(url).scheme)
    if error.kind == "host-changed":
        return HostChangedError(pool, url, retries)
    if error.kind == "invalid-settings" and pool.scheme == "https":
        return of_settings(SSLError(error.message), pool, url, retries)
    if error.kind in ("invalid-request", "invalid-settings"):
        return ValueError(error.message)
    return of_attempt(error, pool)


def of_settings(error: Exception, pool: Any, url: str, retries: Any) -> Exception:
    """What is wrong with TLS settings: urllib3 finds it when it connects, and so says it as a failed attempt."""
    return error if getattr(retries, "total", retries) is False else _max_retries(pool, url, error)


def _max_retries(pool: Any, url: str, reason: Exception) -> MaxRetryError:
    error = MaxRetryError(pool, target(url), reason)
    error.__cause__ = reason
    return error


def of_attempt(error: Record, pool: Any) -> Exception:
    """Why an attempt failed."""
    kind, message, failure = error.kind, error.message, error.failure
    if kind == "proxy" or message.startswith(_AT_PROXY):
        return _of_proxy(error, pool)
    if kind == "name-resolution":
        return _of_lookup(message, pool)
    if kind in ("connection-failed", "denied"):
        return NewConnectionError(_connection(pool), message)
    if kind == "connect-timeout":
        return ConnectTimeoutError(_connection(pool), message)
    if kind in ("read-timeout", "deadline-exceeded"):
        return ReadTimeoutError(pool, failure and target(failure.url), message)
    if kind == "pool-timeout":
        return EmptyPoolError(pool, message)
    if kind == "pool-closed":
        return ClosedPoolError(pool, message)
    if kind == "tls":
        return _of_tls(message, failure)
    if kind == "body-not-replayable":
        return UnrewindableBodyError(f"Unable to record file position for rewinding request body during a redirect/retry. {message}")
    if kind == "decode":
        return DecodeError(message, http.client.HTTPException(message))
    if kind == "incomplete-body" and failure is not None and failure.incomplete is not None:
        why = failure.incomplete
        cause: Exception = http.client.IncompleteRead(b"") if why.missing is None else IncompleteRead(why.received, why.missing)
        return _with_cause(ProtocolError(message, cause))
    if kind in ("protocol", "incomplete-body", "invalid-chunk"):
        # "Connection aborted. Why": urllib3 has the first two words as its message and the rest as an exception.
        aborted, is_aborted, why = message.partition("Connection aborted. ")
        why = why if is_aborted and not aborted else message.removeprefix("Connection broken: ")
        return _with_cause(ProtocolError("Connection aborted." if is_aborted else message, http.client.HTTPException(why)))
    return HTTPError(message)


def _of_lookup(message: str, pool: Any) -> NameResolutionError:
    said = re.fullmatch(r"Failed to resolve '(.*?)' \((.*)\)", message)
    host, why = said.groups() if said else (pool.host, message)
    return NameResolutionError(host, _connection(pool), socket.gaierror(socket.EAI_NONAME, why))


def _of_tls(message: str, failure: Record | None) -> SSLError:
    reason = failure.tls if failure else None
    if reason == "fingerprint":
        return SSLError(message)
    kind = ssl.SSLCertVerificationError if reason in ("certificate", "hostname") else ssl.SSLError
    return _with_cause(SSLError(kind(1, f"[SSL] {message}")))


def _of_proxy(error: Record, pool: Any) -> Exception:
    """What failed between us and the proxy. urllib3 has no such error for SOCKS."""
    why, is_hinted, _ = error.message.removeprefix(_AT_PROXY).partition(_HTTP_ONLY_PROXY.partition(". See")[0])
    failure = error.failure
    if error.kind == "connect-timeout":
        cause: Exception = ConnectTimeoutError(_connection(pool), why)
    elif failure.phase == "resolve":
        cause = _of_lookup(why, pool)
    elif failure.phase == "connect" or pool.is_behind_socks:
        cause = NewConnectionError(_connection(pool), why)
    elif failure.phase == "handshake":
        cause = _of_tls(why, failure)
    else:
        refusal = failure.refusal
        cause = OSError(f"Tunnel connection failed: {refusal.status} {refusal.reason}" if refusal else why)
    return cause if pool.is_behind_socks else _with_cause(ProxyError(_AT_PROXY.rstrip(": ") + (_HTTP_ONLY_PROXY if is_hinted else ""), cause))


def of_body(error: Record, pool: Any) -> Exception:
    """Why there is no more of a body."""
    if error.kind == "invalid-request":
        return ResponseNotChunked(error.message)
    if error.kind == "read-timeout":
        return ReadTimeoutError(pool, None, "Read timed out.")
    return of_attempt(error, pool)


def _with_cause(error: Any) -> Any:
    """As `raise error from its last argument` has it."""
    error.__cause__ = error.args[-1]
    return error
