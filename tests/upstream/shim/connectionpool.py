"""urllib3's connection pools over those of the component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ClosedPoolError
from urllib3.util.retry import Retry
from urllib3.util.timeout import _DEFAULT_TIMEOUT, Timeout
from urllib3.util.url import Url, parse_url

from urlpool.host import Failure, Resource

from . import exceptions
from ._request_methods import QUERY_METHODS, RequestMethods, to_body
from .connection import Component, manager_settings, pool_settings
from .response import HTTPResponse

_TLS_ATTRIBUTES = ("key_file", "cert_file", "cert_reqs", "key_password", "ca_certs", "ca_cert_dir", "ssl_version", "ssl_minimum_version",
                   "ssl_maximum_version", "assert_hostname", "assert_fingerprint")


class PoolQueue:
    """How many connections a pool has left to lend, as urllib3's queue of them says it."""

    def __init__(self, pool: HTTPConnectionPool, maxsize: int) -> None:
        self._pool = pool
        self.maxsize = maxsize

    def qsize(self) -> int:
        """Without those of the component's connections that are open and not idle. A manager's pools are counted together."""
        return max(self.maxsize - self._pool._lent(), 0)


class HTTPConnectionPool(RequestMethods, ConnectionPool):
    """The connections to one origin. It is opened in the component when it is first used, and anew after its attributes have changed."""

    scheme = "http"
    default_port = 80
    is_behind_socks = False
    _attributes: tuple[str, ...] = ("timeout", "retries", "block")

    def __init__(self, host: str, port: int | None = None, timeout: Any = _DEFAULT_TIMEOUT, maxsize: int = 1, block: bool = False,
                 headers: Mapping[Any, Any] | None = None, retries: Any = None, **conn_kw: Any) -> None:
        ConnectionPool.__init__(self, host, port)
        RequestMethods.__init__(self, headers)
        self.timeout = timeout if isinstance(timeout, Timeout) else Timeout.from_float(timeout)
        self.retries = Retry.DEFAULT if retries is None else retries
        self.block = block
        self.pool: PoolQueue | None = PoolQueue(self, maxsize)
        self.conn_kw = conn_kw
        self._component: Component | None = None
        self._resource: Resource | None = None
        self._opened_with: dict[str, Any] | None = None
        self._origin = Url(scheme=self.scheme, host=self.host, port=self.port if self.port != self.default_port else None).url.lower()

    @classmethod
    def _of_manager(cls, manager: Any, component: Component, resource: Resource, kw: dict[str, Any]) -> HTTPConnectionPool:
        """A pool that a manager has found or made."""
        origin = component.call("connection-pool.origin", resource)
        of = HTTPSConnectionPool if origin.scheme == "https" else HTTPConnectionPool
        pool = of(origin.host, origin.port, **kw)
        pool._component, pool._resource, pool._opened_with = component, resource, pool._settings()
        pool.is_behind_socks = manager.is_behind_socks
        return pool

    def _settings(self) -> dict[str, Any]:
        settings = {name: getattr(self, name) for name in self._attributes} | self.conn_kw
        return settings | {"maxsize": self.pool.maxsize if self.pool else None}

    def _callee(self, url: str) -> tuple[Component, str, Resource]:
        if self.pool is None and self._resource is None:
            raise ClosedPoolError(self, "Pool is closed.")
        wanted = self._settings()
        if self.pool is not None and (self._resource is None or wanted != self._opened_with):
            settings, key_log_file = pool_settings(wanted, is_tls=self.scheme == "https")
            if self._component is None:
                self._component = Component("pool-manager.open", manager_settings())
            self._component.key_log_file = key_log_file or self._component.key_log_file
            try:
                self._resource = self._component.call(f"{self._component.kind}.connection-from-host", self._component.manager, self.host,
                                                      self.port, self.scheme, settings)
            except Failure as failure:
                raise exceptions.of_request(failure.error, self, self._origin, False) from None
            self._opened_with = wanted
        return self._component, "connection-pool", self._resource  # type: ignore[return-value]

    def _pool_of(self, url: str) -> HTTPConnectionPool:
        return self

    _pool_at = _pool_of

    def _retries(self) -> Retry:
        return Retry.from_int(self.retries)

    def urlopen(self, method: str, url: str, body: Any = None, headers: Any = None, retries: Any = None, redirect: Any = True,
                assert_same_host: bool = True, **kw: Any) -> HTTPResponse:
        return self._send("urlopen", method, url, to_body(body, kw.get("body_pos")), headers=headers, retries=retries, redirect=redirect,
                          assert_same_host=assert_same_host, **kw)

    def request_encode_url(self, method: str, url: str, fields: Any = None, headers: Any = None, **kw: Any) -> HTTPResponse:
        if not fields:
            return super().request_encode_url(method, url, fields, headers, **kw)
        if method.upper() not in QUERY_METHODS:
            raise NotImplementedError("a pool of the component puts fields into the query by the method only")
        return self.request(method, url, fields=fields, headers=headers, **kw)

    @property
    def num_connections(self) -> int:
        return self._component.call("connection-pool.num-connections", self._resource) if self._component and self._resource else 0

    @property
    def num_requests(self) -> int:
        return self._component.call("connection-pool.num-requests", self._resource) if self._component and self._resource else 0

    def _lent(self) -> int:
        if self._component is None or self._resource is None:
            return 0
        self._component.settle(lambda: self)
        return len(self._component.open) - self._component.call("connection-pool.num-idle", self._resource)

    def close(self) -> None:
        self.pool = None
        if self._component is not None and self._resource is not None:
            self._component.call("connection-pool.close", self._resource)


class HTTPSConnectionPool(HTTPConnectionPool):
    """The same over TLS."""

    scheme = "https"
    default_port = 443
    _attributes = HTTPConnectionPool._attributes + _TLS_ATTRIBUTES

    def __init__(self, host: str, port: int | None = None, timeout: Any = _DEFAULT_TIMEOUT, maxsize: int = 1, block: bool = False,
                 headers: Mapping[Any, Any] | None = None, retries: Any = None, **conn_kw: Any) -> None:
        for name in _TLS_ATTRIBUTES:
            setattr(self, name, conn_kw.pop(name, None))
        super().__init__(host, port, timeout, maxsize, block, headers, retries, **conn_kw)


def connection_from_url(url: str, **kw: Any) -> HTTPConnectionPool:
    """A pool for a URL's origin."""
    parsed = parse_url(url)
    of = HTTPSConnectionPool if parsed.scheme == "https" else HTTPConnectionPool
    return of(parsed.host, port=parsed.port or of.default_port, **kw)  # type: ignore[arg-type]
