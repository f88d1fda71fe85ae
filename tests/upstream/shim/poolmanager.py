"""urllib3's managers over those of the component."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from urllib3.connection import ProxyConfig
from urllib3.exceptions import SSLError
from urllib3.util.retry import Retry
from urllib3.util.url import Url, parse_url

from urlpool.host import Failure, Record, Resource

from . import exceptions
from ._request_methods import RequestMethods, to_body
from .connection import Component, manager_settings, pool_settings, proxy_settings
from .connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from .response import HTTPResponse
from .ssl_ import KEYWORDS as TLS_KEYWORDS


class Pools:
    """The pools that a manager keeps: how many there are."""

    def __init__(self, manager: PoolManager) -> None:
        self._manager = manager

    def __len__(self) -> int:
        component = self._manager._component
        return component.call(f"{component.kind}.num-pools", component.manager) if component else 0


class PoolManager(RequestMethods):
    """A manager. It is opened in the component when it is first used, since urllib3 looks at its arguments no sooner."""

    proxy: Url | None = None
    proxy_config: ProxyConfig | None = None
    is_behind_socks = False
    scheme = None

    def __init__(self, num_pools: int = 10, headers: Mapping[Any, Any] | None = None, **connection_pool_kw: Any) -> None:
        super().__init__(headers)
        self.num_pools = num_pools
        self.connection_pool_kw = connection_pool_kw
        self.pools = Pools(self)
        self._component: Component | None = None
        self._tls_error: SSLError | None = None

    def __enter__(self) -> PoolManager:
        return self

    def __exit__(self, *_exception: Any) -> bool:
        self.clear()
        return False

    def _open(self, settings: Record) -> Component:
        return Component("pool-manager.open", settings)

    def _opened(self, url: str) -> Component:
        if self._component is None:
            try:
                settings, key_log_file = pool_settings(self.connection_pool_kw)
            except SSLError as error:
                # urllib3 reads files when it first speaks TLS, so without them plain HTTP works all the same. Nothing has this fingerprint.
                settings, key_log_file = pool_settings(self._of_scheme("http", self.connection_pool_kw), is_tls=False)
                settings.tls = Record(assert_fingerprint="0" * 64)
                self._tls_error = error
            self._component = self._open(manager_settings(self.num_pools, settings))
            self._component.key_log_file = key_log_file
        if self._tls_error is not None and url.lower().startswith("https:"):
            raise self._tls_error
        return self._component

    def _callee(self, url: str) -> tuple[Component, str, Resource]:
        component = self._opened(url)
        return component, component.kind, component.manager

    def _pool_of(self, url: str) -> HTTPConnectionPool:
        parsed = parse_url(url)
        pool = (HTTPSConnectionPool if parsed.scheme == "https" else HTTPConnectionPool)(parsed.host or "None")
        pool.port = parsed.port or pool.default_port
        pool.is_behind_socks = self.is_behind_socks
        return pool

    def _pool_at(self, url: str) -> HTTPConnectionPool:
        return self.connection_from_url(url)

    def _retries(self) -> Retry:
        return Retry.from_int(self.connection_pool_kw.get("retries"))

    def urlopen(self, method: str, url: str, redirect: Any = True, **kw: Any) -> HTTPResponse:
        return self._send("urlopen", method, url, to_body(kw.pop("body", None), kw.get("body_pos")), redirect=redirect, **kw)

    def clear(self) -> None:
        if self._component is not None:
            self._component.call(f"{self._component.kind}.clear", self._component.manager)

    def connection_from_host(self, host: str | None, port: int | None = None, scheme: str | None = "http",
                             pool_kwargs: dict[str, Any] | None = None) -> HTTPConnectionPool:
        return self._found("connection-from-host", scheme or "http", pool_kwargs, host or "", port, scheme)

    def connection_from_url(self, url: str, pool_kwargs: dict[str, Any] | None = None) -> HTTPConnectionPool:
        return self._found("connection-from-url", parse_url(url).scheme or "http", pool_kwargs, url)

    def connection_from_context(self, request_context: dict[str, Any]) -> HTTPConnectionPool:
        context = dict(request_context)
        place = {name: context.pop(name, None) for name in ("scheme", "host", "port")}
        return self._found("connection-from-context", place["scheme"], context,
                           Record(**place, settings=pool_settings(self._of_scheme(place["scheme"], context))[0]))

    def _found(self, function: str, scheme: str, pool_kwargs: dict[str, Any] | None, *place: Any) -> HTTPConnectionPool:
        kw = {name: value for name, value in (self.connection_pool_kw | (pool_kwargs or {})).items() if value is not None}
        kw = self._of_scheme(scheme, kw)
        if function != "connection-from-context":
            place = (*place, pool_settings(kw, is_tls=scheme.lower() == "https")[0] if pool_kwargs else None)
        try:
            component = self._opened(f"{scheme}:")
            found = component.call(f"{component.kind}.{function}", component.manager, *place)
        except Failure as failure:
            raise exceptions.of_request(failure.error, self, str(place[0]), False) from None
        return HTTPConnectionPool._of_manager(self, component, found, {"headers": self.headers, **kw})

    @staticmethod
    def _of_scheme(scheme: str, kw: dict[str, Any]) -> dict[str, Any]:
        """Without what a pool of this scheme does not take."""
        return {name: value for name, value in kw.items() if name not in TLS_KEYWORDS or scheme.lower() == "https"}


class ProxyManager(PoolManager):
    """A manager that sends everything through one proxy."""

    def __init__(self, proxy_url: str, num_pools: int = 10, headers: Mapping[Any, Any] | None = None,
                 proxy_headers: Mapping[Any, Any] | None = None, proxy_ssl_context: Any = None, use_forwarding_for_https: bool = False,
                 proxy_assert_hostname: Any = None, proxy_assert_fingerprint: str | None = None, **connection_pool_kw: Any) -> None:
        super().__init__(num_pools, headers, **connection_pool_kw)
        self._proxy_url = proxy_url if isinstance(proxy_url, str) else f"{proxy_url.scheme}://{proxy_url.host}:{proxy_url.port}"
        self.proxy_headers = proxy_headers or {}
        self.proxy_ssl_context = proxy_ssl_context
        self.proxy_config = ProxyConfig(proxy_ssl_context, use_forwarding_for_https, proxy_assert_hostname, proxy_assert_fingerprint)
        try:
            component = Component("proxy-manager.open", Record(url=self._proxy_url), manager_settings())
        except Failure as failure:
            raise exceptions.of_request(failure.error, self, self._proxy_url, False) from None
        if use_forwarding_for_https and self._proxy_url.lower().startswith("https:") and "ssl_context" in connection_pool_kw:
            warnings.warn("ssl_context is for servers; give an https proxy a proxy_ssl_context", FutureWarning, stacklevel=2)
        self.proxy = parse_url(component.call("proxy-manager.proxy", component.manager))

    def _open(self, settings: Record) -> Component:
        config = self.proxy_config
        proxy = proxy_settings(self._proxy_url, self.connection_pool_kw, headers=self.proxy_headers, ssl_context=config.ssl_context,
                               assert_hostname=config.assert_hostname, assert_fingerprint=config.assert_fingerprint,
                               is_forwarding=config.use_forwarding_for_https)
        return Component("proxy-manager.open", proxy, settings)


def proxy_from_url(url: str, **kw: Any) -> ProxyManager:
    return ProxyManager(proxy_url=url, **kw)


_DEFAULT_POOL = PoolManager()


def request(method: str, url: str, *, body: Any = None, fields: Any = None, headers: Any = None, preload_content: bool | None = True,
            decode_content: bool | None = True, redirect: bool | None = True, retries: Any = None, timeout: Any = 3,
            json: Any = None) -> HTTPResponse:
    """urllib3's function `request`."""
    return _DEFAULT_POOL.request(method, url, body=body, fields=fields, headers=headers, preload_content=preload_content,
                                 decode_content=decode_content, redirect=redirect, retries=retries, timeout=timeout, json=json)
