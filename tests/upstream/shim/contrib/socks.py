"""urllib3's `SOCKSProxyManager` over a proxy manager of the component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from urlpool.host import Failure, Record

from ..connection import Component
from ..poolmanager import PoolManager


class SOCKSProxyManager(PoolManager):
    """A manager that sends everything through one SOCKS proxy."""

    is_behind_socks = True

    def __init__(self, proxy_url: str, username: str | None = None, password: str | None = None, num_pools: int = 10,
                 headers: Mapping[Any, Any] | None = None, **connection_pool_kw: Any) -> None:
        super().__init__(num_pools, headers, **connection_pool_kw)
        self.proxy_url = proxy_url
        is_named = username is not None or password is not None
        self._proxy = Record(url=proxy_url, credentials=Record(username=username or "", password=password or "") if is_named else None)
        try:
            component = self._open(Record())
        except Failure as failure:
            raise ValueError(f"Unable to determine SOCKS version from {proxy_url}: {failure.error.message}") from None
        if not component.call("proxy-manager.proxy", component.manager).startswith("socks"):
            raise ValueError(f"Unable to determine SOCKS version from {proxy_url}")

    def _open(self, settings: Record) -> Component:
        return Component("proxy-manager.open", self._proxy, settings)
