//! A response and its body.

use std::cell::RefCell;

use urlpool_core::driver;

use crate::bindings::exports::urlpool::client::blocking;
use crate::bindings::exports::urlpool::client::types as wit;
use crate::convert;
use crate::net::WasiNet;
use crate::reactor::block_on;

pub(crate) struct Response(pub(super) RefCell<driver::Response<WasiNet>>);

impl Response {
    pub(super) fn export(response: driver::Response<WasiNet>) -> blocking::Response {
        blocking::Response::new(Self(RefCell::new(response)))
    }

    /// Runs one call on the response. An instance is never entered while it runs, so nothing else can hold the cell.
    pub(super) fn with<T>(
        &self,
        call: impl AsyncFnOnce(&mut driver::Response<WasiNet>) -> convert::Outcome<T>,
    ) -> convert::Outcome<T> {
        let mut response = self.0.try_borrow_mut().map_err(|_| convert::in_use())?;
        block_on(call(&mut response)).unwrap_or_else(|| Err(convert::stuck()))
    }
}

/// Waits for a response and hands it out.
pub(super) fn respond(
    request: impl Future<Output = convert::Outcome<driver::Response<WasiNet>>>,
) -> Result<blocking::Response, wit::Error> {
    block_on(request)
        .unwrap_or_else(|| Err(convert::stuck()))
        .map(Response::export)
        .map_err(convert::error)
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl blocking::GuestResponse for Response {
    fn head(&self) -> wit::ResponseHead {
        convert::response_head(self.0.borrow().head())
    }

    fn history(&self) -> Vec<wit::HistoryEntry> {
        convert::history(self.0.borrow().history())
    }

    fn retries(&self) -> wit::Retries {
        convert::remaining(self.0.borrow().retries())
    }

    fn tls(&self) -> Option<wit::TlsInfo> {
        self.0.borrow().tls().map(convert::tls_info)
    }

    fn read(&self, max: u32) -> Result<Vec<u8>, wit::Error> {
        self.with(async |response| response.read(size(max)).await)
            .map_err(convert::error)
    }

    fn read_full(&self, amount: u32) -> Result<Vec<u8>, wit::Error> {
        self.with(async |response| response.read_full(size(amount)).await)
            .map_err(convert::error)
    }

    fn read_line(&self, max: u32) -> Result<Vec<u8>, wit::Error> {
        self.with(async |response| response.read_line(size(max)).await)
            .map_err(convert::error)
    }

    fn read_chunk(&self, max: u32) -> Result<Vec<u8>, wit::Error> {
        self.with(async |response| response.read_chunk(size(max)).await)
            .map_err(convert::error)
    }

    fn text(&self, limit: u64) -> Result<String, wit::Error> {
        self.with(async |response| response.text(limit).await)
            .map_err(convert::error)
    }

    fn tell(&self) -> u64 {
        self.0.borrow().tell()
    }

    fn length_remaining(&self) -> Option<u64> {
        self.0.borrow().length_remaining()
    }

    fn trailers(&self) -> Vec<wit::Header> {
        convert::headers(self.0.borrow().trailers())
    }

    fn read_all(&self, limit: u64) -> Result<Vec<u8>, wit::Error> {
        self.with(async |response| response.read_all(limit).await)
            .map_err(convert::error)
    }

    fn decode_content(&self, is_wanted: bool) -> Result<(), wit::Error> {
        self.with(async |response| Ok(response.decode_content(is_wanted)?))
            .map_err(convert::error)
    }

    fn drain(&self) -> Result<(), wit::Error> {
        self.with(async |response| response.drain().await)
            .map_err(convert::error)
    }

    fn release(&self) {
        self.0.borrow_mut().release();
    }

    fn close(&self) {
        self.0.borrow_mut().close();
    }
}
