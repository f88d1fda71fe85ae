"""Converts urllib3's `Retry` and `Timeout`, and header fields, to values of the component and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from urllib3._collections import HTTPHeaderDict
from urllib3.connection import _get_default_user_agent
from urllib3.util.request import SKIP_HEADER, SKIPPABLE_HEADERS
from urllib3.util.retry import RequestHistory, Retry
from urllib3.util.timeout import Timeout
from urllib3.util.url import parse_url
from urllib3.util.util import to_str

from urlpool.host import Record, Variant

# What a subclass of `Retry` may not change: the component decides these, and Python is not asked.
_DECIDED = ("increment", "is_retry", "is_exhausted", "get_backoff_time", "get_retry_after", "parse_retry_after", "sleep", "sleep_for_retry",
            "_sleep_backoff", "_is_method_retryable", "_is_connection_error", "_is_read_error", "RETRY_AFTER_STATUS_CODES")


def to_duration(seconds: float) -> int:
    """Nanoseconds; a span so short that it would become none keeps one."""
    return max(round(seconds * 1e9), 1) if seconds > 0 else 0


def to_limit(seconds: Any) -> Variant:
    """How long a wait may take; None means for ever."""
    seconds = Timeout.resolve_default_timeout(seconds)
    return Variant("unlimited") if seconds is None else Variant("after", to_duration(seconds))


def to_timeouts(timeout: Any) -> Record:
    """A `Timeout`, or seconds."""
    if not isinstance(timeout, Timeout):
        timeout = Timeout.from_float(timeout)
    return Record(connect=to_limit(timeout._connect), read=to_limit(timeout._read), total=to_limit(timeout.total))


def _to_budget(count: Any) -> Variant:
    if count is None:
        return Variant("unlimited")
    return Variant("off") if count is False else Variant("at-most", max(int(count), 0))


def _from_budget(budget: Variant) -> Any:
    return {"unlimited": None, "off": False}.get(budget.tag, budget.payload)


def to_retries(retry: Retry) -> Record:
    """A `Retry`, all of it."""
    overridden = [name for name in _DECIDED if getattr(type(retry), name) is not getattr(Retry, name)]
    if overridden:
        raise NotImplementedError(f"{type(retry).__name__} overrides {', '.join(overridden)}: the component decides that and asks no one")
    methods = ("only", [str(method) for method in retry.allowed_methods]) if retry.allowed_methods else "any"
    return Record(
        total=_to_budget(retry.total), connect=_to_budget(retry.connect), read=_to_budget(retry.read), redirect=_to_budget(retry.redirect),
        status=_to_budget(retry.status), other=_to_budget(retry.other), methods=methods, statuses=[int(status) for status in retry.status_forcelist],
        backoff_factor=to_duration(retry.backoff_factor), backoff_max=to_duration(retry.backoff_max),
        backoff_jitter=to_duration(retry.backoff_jitter), raise_on_redirect=bool(retry.raise_on_redirect),
        raise_on_status=bool(retry.raise_on_status), respect_retry_after=bool(retry.respect_retry_after_header),
        retry_after_max=to_duration(retry.retry_after_max), remove_headers_on_redirect=list(retry.remove_headers_on_redirect))


def from_retries(asked: Retry, left: Record, history: list[RequestHistory]) -> Retry:
    """What is left of what was asked for, in an object of the same class."""
    counts = {name: _from_budget(getattr(left, name)) for name in ("total", "connect", "read", "redirect", "status", "other")}
    return asked.new(history=asked.history + tuple(history), **counts)


def to_headers(headers: Mapping[Any, Any] | None) -> tuple[list[tuple[str, bytes]], Record | None]:
    """Header fields, and which of ours `SKIP_HEADER` leaves out."""
    fields, skipped = [], set()
    for name, value in (headers or {}).items():
        name = name.decode("latin-1") if isinstance(name, bytes) else name
        if value == SKIP_HEADER:
            if name.lower() not in SKIPPABLE_HEADERS:
                supported = "', '".join(header.title() for header in sorted(SKIPPABLE_HEADERS))
                raise ValueError(f"urllib3.util.SKIP_HEADER only supports '{supported}'")
            skipped.add(name.lower())
            continue
        value = str(value) if isinstance(value, int) else value
        fields.append((name, value.encode("latin-1") if isinstance(value, str) else bytes(memoryview(value))))
    names = {"host": "host", "accept_encoding": "accept-encoding", "user_agent": "user-agent"}
    return fields, Record(**{field: name in skipped for field, name in names.items()}) if skipped else None


def add_user_agent(fields: list[tuple[str, bytes]], skipped: Record | None) -> list[tuple[str, bytes]]:
    """Gives a request the name that urllib3 goes by, unless it names another or none."""
    is_named = any(name.lower() == "user-agent" for name, _ in fields) or (skipped is not None and skipped.user_agent)
    return fields if is_named else [("User-Agent", _get_default_user_agent().encode()), *fields]


def from_headers(fields: list[tuple[str, bytes]]) -> HTTPHeaderDict:
    """Header fields as the server sent them."""
    headers = HTTPHeaderDict()
    for name, value in fields:
        headers.add(name, value.decode("latin-1"))
    return headers


def target(url: str) -> str:
    """What of an absolute URL a request line has."""
    return to_str(parse_url(url).request_uri)
