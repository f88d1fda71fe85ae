//! One request of a plugin, from its order to the end of its response.

use http::{Method, Request, Response};
use urlpool_core::driver::{self, Manager};
use urlpool_core::types::{Content, RequestOptions, Streamed, Timeouts};
use wasmtime_wasi_http::{Error as Code, WasiBody};

use super::convert;
use super::granted::Granted;
use super::incoming::{self, Outgoing, unless};
use super::thread::Order;
use super::upload::Upload;
use crate::grants::Grants;
use crate::ledger::Ledger;

/// Whatever the requests of all plugins share.
pub(super) struct Client {
    pub(super) manager: Manager<Granted>,
    /// What each request starts from.
    pub(super) options: RequestOptions,
    /// What it inherits.
    pub(super) timeouts: Timeouts,
    pub(super) asked: Grants,
    pub(super) ledger: Ledger,
}

impl Client {
    /// Sends a request, answers, and hands the body over; until nobody waits for it any more.
    pub(super) async fn serve(&self, order: Order) {
        let Order {
            request,
            options,
            mut answer,
        } = order;
        let (head, body) = request.into_parts();
        let upload = Upload::new(body);
        let request = Request::from_parts(head, ());
        let sending = async {
            let response = self.send(&request, &upload, options).await?;
            answered(response, &upload).await
        };
        // Dropping an exchange half-way closes its connection.
        let Some(outcome) = unless(answer.closed(), sending).await else {
            return;
        };
        let (outcome, rest) = match outcome {
            Ok((response, rest)) => (Ok(response), rest),
            Err(code) => (Err(code), None),
        };
        if answer.send(outcome).is_ok()
            && let Some(rest) = rest
        {
            rest.serve(upload.drain()).await;
        }
    }

    async fn send(
        &self,
        request: &Request<()>,
        upload: &Upload,
        options: wasmtime_wasi_http::RequestOptions,
    ) -> Result<driver::Response<Granted>, Code> {
        if request.method() == Method::CONNECT {
            return Err(Code::HttpRequestMethodInvalid);
        }
        let url = convert::url(request.uri())?;
        let (host, port) = (url.origin().host(), url.origin().port());
        if !self.ledger.may_ask(&self.asked, host.as_str(), port) {
            return Err(Code::HttpRequestDenied);
        }
        let length = convert::length(request.headers())?;
        let options = RequestOptions {
            headers: Some(convert::headers(request.headers())?),
            timeouts: convert::timeouts(options, self.timeouts),
            ..self.options.clone()
        };
        let streamed = Content::Streamed(Streamed {
            length,
            can_rewind: true,
        });
        let content = match length {
            // Who announces no length may have no body, and a server need not hear of it then.
            None if upload.is_empty().await? => Content::Empty,
            _ => streamed,
        };
        let source = (!content.is_empty()).then(|| Box::new(upload.clone()) as Box<_>);
        let method = request.method().as_str();
        let sent = self
            .manager
            .send(method, url.as_str(), content, source, options);
        sent.await.map_err(|error| {
            let failure = upload.take_failure();
            failure.unwrap_or_else(|| convert::error(&error))
        })
    }
}

/// A response for a plugin, and what is still to come of it.
async fn answered(
    response: driver::Response<Granted>,
    upload: &Upload,
) -> Result<(Response<WasiBody>, Option<Outgoing>), Code> {
    let head = convert::response(response.head(), WasiBody::default())?;
    // A plugin that still writes would take the end of its body for a failure of the request.
    let (body, rest) = incoming::body(response, upload.is_under_way()).await;
    Ok((head.map(|_| body), rest))
}
