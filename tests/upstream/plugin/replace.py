"""Puts the classes of `shim` where urllib3's tests look for urllib3's own.

urllib3 itself stays: its exceptions, `Retry`, `Timeout`, `HTTPHeaderDict` and helpers are used by the tests, the dummy server and
`shim`. It must be loaded before the tests are, with `-p`.
"""

from __future__ import annotations

import importlib

import pytest

from urlpool.host import Record

_NAMES = {
    "poolmanager": ("PoolManager", "ProxyManager", "proxy_from_url"),
    "connectionpool": ("HTTPConnectionPool", "HTTPSConnectionPool", "connection_from_url"),
    "response": ("HTTPResponse",),
    "contrib.socks": ("SOCKSProxyManager",),
}


def install() -> None:
    """Replaces each class in its module and, where it is there too, in `urllib3`."""
    urllib3 = importlib.import_module("urllib3")
    ours = {module: importlib.import_module(f"shim.{module}") for module in _NAMES}
    theirs = {module: importlib.import_module(f"urllib3.{module}") for module in _NAMES}
    for module, names in _NAMES.items():
        for name in names:
            replacement = getattr(ours[module], name)
            setattr(theirs[module], name, replacement)
            if hasattr(urllib3, name):
                setattr(urllib3, name, replacement)
    # The connect timeout covers the lookup, which urllib3's does not (README), and tests have timeouts of a millisecond.
    importlib.import_module("shim.connection").HOSTS.append(Record(name="localhost", addresses=["127.0.0.1", "::1"]))
    urllib3.request = ours["poolmanager"].request
    _install_context()


def _install_context() -> None:
    """Python does not tell what a context has loaded, so urllib3 makes those that write it down."""
    context = importlib.import_module("shim.ssl_").SSLContext
    for module in ("urllib3.util", "urllib3.util.ssl_"):
        importlib.import_module(module).SSLContext = context


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """A test that fails with pyOpenSSL's context in that place leaves it there for all that follow."""
    _install_context()


install()
