//! What a store's `WasiHttpCtxView` is given.

use std::fmt;
use std::future::{Future, ready};

use http::{HeaderName, Request, Response};
use tokio::sync::{mpsc, oneshot};
use urlpool_core::policy::hop_by_hop;
use wasmtime_wasi_http::{Error as Code, ForbiddenHeaderFilter, RequestOptions, WasiBody};

use super::settings::Settings;
use super::thread::{self, Order};
use crate::error::Error;
use crate::ledger::{Denial, Ledger};

/// How much of a body comes from a plugin at once.
const PIECE: usize = 64 * 1024;

type Processing = Box<dyn Future<Output = Result<(), Code>> + Send>;
type Sending = Box<dyn Future<Output = Result<(Response<WasiBody>, Processing), Code>> + Send>;

/// Sends the requests of plugins that speak `wasi:http`, 0.2 or 0.3, through pools of urlpool's: see [the module](super).
///
/// Clones share the pools and the thread that they live on. The thread ends with the last clone, once every response that came through it has
/// been read or dropped; the connections end with it.
#[derive(Clone)]
pub struct Hooks {
    orders: mpsc::Sender<Order>,
    ledger: Ledger,
}

impl Hooks {
    /// Starts a thread that has no connection yet.
    ///
    /// # Errors
    /// [`Error::Client`] with `InvalidSettings` where a setting is refused, [`Error::Setup`] where the thread cannot be had.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let terms = settings.resolve()?;
        let ledger = Ledger::new(terms.granted.clone());
        let orders = thread::start(terms, ledger.clone())?;
        Ok(Self { orders, ledger })
    }

    /// Takes out what was refused since the last time, oldest first, at most the last 64.
    #[must_use]
    pub fn take_denials(&self) -> Vec<Denial> {
        self.ledger.take_denials()
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hooks").finish_non_exhaustive()
    }
}

impl wasmtime_wasi_http::WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        hop_by_hop::is_forbidden(name.as_str())
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        std::sync::Arc::new(|name| hop_by_hop::is_forbidden(name.as_str()))
    }

    /// Ours comes from the URL, in the place where HTTP wants it.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Processing,
    ) -> Sending {
        let orders = self.orders.clone();
        Box::new(async move {
            let (answer, outcome) = oneshot::channel();
            let order = Order {
                request,
                options: options.unwrap_or_default(),
                answer,
            };
            let gone = || Code::InternalError(Some("the client has ended".into()));
            orders.send(order).await.map_err(|_| gone())?;
            let response = outcome.await.map_err(|_| gone())??;
            let processing: Processing = Box::new(ready(Ok(())));
            Ok((response, processing))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE
    }
}
