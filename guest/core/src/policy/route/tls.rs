//! Where on a route TLS is spoken, and by whose settings.

use std::rc::Rc;

use super::{ProxyKind, Route};
use crate::types::{Origin, Scheme, TlsSettings};

/// How TLS is spoken with the server itself; `None` where it is not, also because a proxy does that.
#[must_use]
pub fn tls_with_target(
    route: &Route,
    origin: &Origin,
    own: &Rc<TlsSettings>,
) -> Option<Rc<TlsSettings>> {
    let is_ours = match route {
        Route::Direct | Route::Tunnel(_) | Route::Socks(..) => origin.scheme() == Scheme::Https,
        Route::Forward(_) => false,
    };
    is_ours.then(|| Rc::clone(own))
}

/// How TLS is spoken with the proxy: by its own settings alone, or by what of the pool's does not say who the server is (CVE-2026-97687).
#[must_use]
pub fn tls_with_proxy(route: &Route, own: &TlsSettings) -> Option<Rc<TlsSettings>> {
    let proxy = route
        .proxy()
        .filter(|proxy| proxy.kind == ProxyKind::Https)?;
    let settings = proxy.tls.clone();
    Some(Rc::new(settings.unwrap_or_else(|| own.for_proxy())))
}
