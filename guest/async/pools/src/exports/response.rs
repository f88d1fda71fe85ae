//! A response and its body.

use std::cell::RefCell;
use std::rc::Rc;

use urlpool_core::driver;
use urlpool_core::types::{HistoryEntry, ResponseHead, Retries, TlsInfo};
use urlpool_sockets::AsyncNet;
use wit_bindgen::{FutureReader, StreamReader, spawn_local};

use crate::bindings::exports::urlpool::client::types as wit;
use crate::bindings::exports::urlpool::client_async::pools;
use crate::bindings::{wit_future, wit_stream};
use crate::convert;
use crate::pump::{Ending, pump};

/// A response. While a call reads the body, others may ask for the facts.
pub(crate) struct Response(RefCell<State>);

enum State {
    Here(driver::Response<AsyncNet>),
    /// The body is with a call, or was with one that was given up.
    Taken(Box<Facts>),
}

/// What there is to know beside the body.
struct Facts {
    head: ResponseHead,
    history: Vec<HistoryEntry>,
    retries: Retries,
    tls: Option<Rc<TlsInfo>>,
}

impl Response {
    pub(super) fn export(response: driver::Response<AsyncNet>) -> pools::Response {
        pools::Response::new(Self(RefCell::new(State::Here(response))))
    }

    fn ask<T>(
        &self,
        response: impl FnOnce(&driver::Response<AsyncNet>) -> T,
        facts: impl FnOnce(&Facts) -> T,
    ) -> T {
        match &*self.0.borrow() {
            State::Here(here) => response(here),
            State::Taken(known) => facts(known),
        }
    }

    fn take(&self) -> convert::Outcome<driver::Response<AsyncNet>> {
        let mut state = self.0.borrow_mut();
        let State::Here(response) = &*state else {
            return Err(convert::in_use());
        };
        let facts = State::Taken(Box::new(Facts {
            head: response.head().clone(),
            history: response.history().to_vec(),
            retries: response.retries(),
            tls: response.shared_tls(),
        }));
        match std::mem::replace(&mut *state, facts) {
            State::Here(response) => Ok(response),
            State::Taken(_) => Err(convert::in_use()),
        }
    }

    /// Runs one call that reads the body. One that is given up takes the body with it.
    async fn with<T>(
        &self,
        call: impl AsyncFnOnce(&mut driver::Response<AsyncNet>) -> convert::Outcome<T>,
    ) -> Result<T, wit::Error> {
        let mut response = self.take().map_err(convert::error)?;
        let outcome = call(&mut response).await;
        self.0.replace(State::Here(response));
        outcome.map_err(convert::error)
    }
}

impl pools::GuestResponse for Response {
    fn head(&self) -> wit::ResponseHead {
        self.ask(
            |response| convert::response_head(response.head()),
            |facts| convert::response_head(&facts.head),
        )
    }

    fn history(&self) -> Vec<wit::HistoryEntry> {
        self.ask(
            |response| convert::history(response.history()),
            |facts| convert::history(&facts.history),
        )
    }

    fn retries(&self) -> wit::Retries {
        let retries = self.ask(driver::Response::retries, |facts| facts.retries.clone());
        convert::remaining(retries)
    }

    fn tls(&self) -> Option<wit::TlsInfo> {
        let tls = self.ask(driver::Response::shared_tls, |facts| facts.tls.clone());
        tls.as_deref().map(convert::tls_info)
    }

    async fn body(this: pools::Response) -> (StreamReader<u8>, FutureReader<Ending>) {
        let (body, bytes) = wit_stream::new();
        let (end, ending) = wit_future::new(|| Ok(Vec::new()));
        // Nobody can ask for the facts any more.
        match this.into_inner::<Self>().0.into_inner() {
            State::Here(response) => drop(spawn_local(pump(response, body, end))),
            State::Taken(_) => drop(spawn_local(async move {
                drop(body);
                drop(end.write(Err(convert::error(convert::in_use()))).await);
            })),
        }
        (bytes, ending)
    }

    async fn read_all(&self, limit: u64) -> Result<Vec<u8>, wit::Error> {
        self.with(async |response| response.read_all(limit).await)
            .await
    }

    async fn text(&self, limit: u64) -> Result<String, wit::Error> {
        self.with(async |response| response.text(limit).await).await
    }

    fn trailers(&self) -> Vec<wit::Header> {
        self.ask(
            |response| convert::headers(response.trailers()),
            |_| Vec::new(),
        )
    }

    fn decode_content(&self, is_wanted: bool) -> Result<(), wit::Error> {
        match &mut *self.0.borrow_mut() {
            State::Here(response) => response.decode_content(is_wanted),
            State::Taken(_) => Err(convert::in_use()),
        }
        .map_err(convert::error)
    }

    async fn drain(&self) -> Result<(), wit::Error> {
        self.with(async |response| response.drain().await).await
    }

    fn close(&self) {
        if let State::Here(response) = &mut *self.0.borrow_mut() {
            response.close();
        }
    }
}
