"""The shim translates and decides nothing: it stays small enough to be read for that."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from urllib3.exceptions import SSLError

from shim.ssl_ import SSLContext, tls_settings

SHIM = Path(__file__).resolve().parent / "shim"
MOST_LINES = 1500
# What would be needed to decide something in Python.
DECIDING = ("import random", "import select", "import time", "import zlib", "import socks", ".increment(", ".is_retry(", ".sleep(", "gzip")


def test_it_can_be_read_at_one_sitting() -> None:
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in SHIM.rglob("*.py"))
    assert lines < MOST_LINES


def test_it_has_nothing_to_decide_with() -> None:
    for file in SHIM.rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        assert [word for word in DECIDING if word in source] == [], file.name


@pytest.mark.parametrize("of", [ssl.SSLContext, SSLContext])
def test_a_context_that_trusts_nobody_does_not_trust_the_built_in_roots(of: type[ssl.SSLContext]) -> None:
    context = of(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(SSLError, match="trusts no certificate"):
        tls_settings(ssl_context=context)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    settings, _ = tls_settings(ssl_context=context)
    assert settings.cert_reqs == "none"


def test_pythons_own_roots_stand_for_the_built_in_ones() -> None:
    context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    settings, _ = tls_settings(ssl_context=context)
    assert (settings.cert_reqs, settings.roots) == ("required", None)
