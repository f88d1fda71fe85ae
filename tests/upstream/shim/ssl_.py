"""Converts urllib3's TLS arguments to the component's settings, and `ssl.SSLContext` with them.

Python says neither which chain and key nor which certificates a context has loaded (only which of the latter are authorities), so
`SSLContext` writes down what it is told. For a context that was made elsewhere, the authorities are taken and the chain is unknown.
"""

from __future__ import annotations

import os
import ssl
from typing import Any

from urllib3.exceptions import SSLError
from urllib3.util.ssl_ import create_urllib3_context, resolve_cert_reqs, resolve_ssl_version

from urlpool.host import Record

KEYWORDS = ("ca_certs", "ca_cert_dir", "ca_cert_data", "cert_reqs", "cert_file", "key_file", "key_password", "assert_hostname",
            "assert_fingerprint", "server_hostname", "ssl_context", "ssl_version", "ssl_minimum_version", "ssl_maximum_version")

#: Those that a pool's TLS has in common with that to its proxy.
SHARED_KEYWORDS = ("ca_certs", "ca_cert_dir", "ca_cert_data", "cert_reqs", "ssl_version", "ssl_minimum_version", "ssl_maximum_version")

_ONLY_TLS13 = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.MAXIMUM_SUPPORTED)
_NEWEST = {ssl.TLSVersion.TLSv1_2: "tls12", ssl.TLSVersion.TLSv1_3: "tls13", ssl.TLSVersion.MAXIMUM_SUPPORTED: "tls13"}
_CERT_REQS = {ssl.CERT_NONE: "none", ssl.CERT_OPTIONAL: "optional", ssl.CERT_REQUIRED: "required"}


class SSLContext(ssl.SSLContext):
    """A context that writes down which certificates and keys it is told to load."""

    recorded_chain: dict[str, Any]
    recorded_roots: list[bytes | str]
    has_defaults: bool

    def __new__(cls, *args: Any, **kw: Any) -> SSLContext:
        context = super().__new__(cls, *args, **kw)
        context.recorded_chain = {}
        context.recorded_roots = []
        context.has_defaults = False
        return context

    def load_default_certs(self, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
        super().load_default_certs(purpose)
        self.has_defaults = True

    def set_default_verify_paths(self) -> None:
        super().set_default_verify_paths()
        self.has_defaults = True

    def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        super().load_cert_chain(certfile, keyfile, password)
        self.recorded_chain = {"cert_file": certfile, "key_file": keyfile, "key_password": password}

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        super().load_verify_locations(cafile, capath, cadata)
        self.recorded_roots += _roots(cafile, capath, cadata)

    def set_ciphers(self, ciphers: str) -> None:
        raise ssl.SSLError("cipher suites cannot be chosen: the component's are those of rustls")


def _read(path: Any) -> bytes:
    with open(os.path.expanduser(path), "rb") as file:
        return file.read()


def _roots(cafile: Any, capath: Any, cadata: Any) -> list[bytes | str]:
    roots = [_read(cafile)] if cafile else []
    if capath:
        folder = os.path.expanduser(capath)
        roots += [_read(os.path.join(folder, name)) for name in sorted(os.listdir(folder))]
    return roots + ([cadata] if cadata else [])


def _to_pem(root: bytes | str) -> bytes:
    if isinstance(root, str):
        return root.encode()
    return root if b"-----BEGIN" in root else ssl.DER_cert_to_PEM_cert(root).encode()


def _roots_of(context: ssl.SSLContext) -> list[bytes | str]:
    if not isinstance(context, ssl.SSLContext):
        raise TypeError(f"what {context!r} has loaded cannot be read; give it as an ssl.SSLContext, or as ca_certs and cert_file")
    return list(context.recorded_roots) if isinstance(context, SSLContext) else list(context.get_ca_certs(binary_form=True))


def _newest(version: ssl.TLSVersion) -> str:
    if version not in _NEWEST:
        raise SSLError(f"{version.name} cannot be spoken: TLS 1.2 is the oldest version of the component")
    return _NEWEST[version]


def tls_settings(*, ca_certs: Any = None, ca_cert_dir: Any = None, ca_cert_data: Any = None, cert_reqs: Any = None, cert_file: Any = None,
                 key_file: Any = None, key_password: Any = None, assert_hostname: Any = None, assert_fingerprint: str | None = None,
                 server_hostname: str | None = None, ssl_context: ssl.SSLContext | None = None, ssl_version: Any = None,
                 ssl_minimum_version: Any = None, ssl_maximum_version: Any = None) -> tuple[Record, str | None]:
    """The settings that these arguments stand for, and the file that the secrets of connections are to be written to."""
    context = ssl_context
    if context is None:
        # urllib3's own reading of the versions, with its warnings.
        context = create_urllib3_context(
            ssl_version=resolve_ssl_version(ssl_version), ssl_minimum_version=ssl_minimum_version, ssl_maximum_version=ssl_maximum_version,
            cert_reqs=resolve_cert_reqs(cert_reqs))
    verify_mode = context.verify_mode if cert_reqs is None else resolve_cert_reqs(cert_reqs)
    key_log_file = getattr(context, "keylog_filename", None)
    chain = {"cert_file": cert_file, "key_file": key_file, "key_password": key_password}
    if cert_file is None and isinstance(context, SSLContext):
        chain = context.recorded_chain
    password = chain.get("key_password")
    password = password() if callable(password) else password
    try:
        roots = (_roots_of(ssl_context) if ssl_context else []) + _roots(ca_certs, ca_cert_dir, ca_cert_data)
        files = [_read(chain[name]) if chain.get(name) else None for name in ("cert_file", "key_file")]
    except OSError as error:
        raise SSLError(error) from error
    if not roots and ssl_context is not None and verify_mode != ssl.CERT_NONE and not getattr(ssl_context, "has_defaults", False):
        # The component takes no roots for its built-in ones, and would trust whom the context does not.
        raise SSLError("certificate verify failed: the SSLContext trusts no certificate that could be read from it")
    record = Record(
        roots=b"\n".join(_to_pem(root) for root in roots) if roots else None,
        cert_reqs=_CERT_REQS[verify_mode],
        assert_hostname="off" if assert_hostname is False else ("name", assert_hostname) if assert_hostname else None,
        assert_fingerprint=assert_fingerprint or None,
        server_hostname=server_hostname,
        client_certificates=files[0], client_key=files[1],
        key_password=password.encode() if isinstance(password, str) else password,
        min_version="tls13" if context.minimum_version in _ONLY_TLS13 else "tls12",
        max_version=_newest(context.maximum_version),
        key_log=True if key_log_file else None)
    return record, key_log_file
