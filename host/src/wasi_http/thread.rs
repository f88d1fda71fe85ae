//! The thread that the pools live on: core belongs to one thread, and plugins to any.
//!
//! Invariant: requests come in by a bounded channel, so that whoever asks for more than is begun waits.

use std::io;
use std::rc::Rc;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;

use http::{Request, Response};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local};
use urlpool_core::driver::Manager;
use wasmtime_wasi_http::{Error as Code, RequestOptions, WasiBody};

use super::exchange::Client;
use super::granted::Granted;
use super::settings::Terms;
use crate::error::Error;
use crate::ledger::Ledger;

/// How many requests wait to be begun.
const MAX_WAITING: usize = 64;

/// A request on its way to the thread.
pub(super) struct Order {
    pub(super) request: Request<WasiBody>,
    pub(super) options: RequestOptions,
    /// Where its response goes; whoever drops the other end gives it up.
    pub(super) answer: oneshot::Sender<Result<Response<WasiBody>, Code>>,
}

/// Starts the thread, which ends when nobody can send it an order any more and all of them are done with.
///
/// # Errors
/// What is wrong with the settings, or why there is no thread.
pub(super) fn start(terms: Terms, ledger: Ledger) -> Result<mpsc::Sender<Order>, Error> {
    let setup = |cause: io::Error| Error::Setup(cause.to_string());
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(setup)?;
    let (orders, incoming) = mpsc::channel(MAX_WAITING);
    let (started, outcome) = sync_channel(1);
    let run = move || match client(terms, ledger) {
        Ok(client) => {
            // Nobody waits where the caller is gone, and then there are no orders either.
            let _ = started.send(Ok(()));
            let tasks = LocalSet::new();
            tasks.block_on(&runtime, serve(client, incoming));
            runtime.block_on(tasks);
        }
        Err(error) => {
            let _ = started.send(Err(error));
        }
    };
    let builder = Builder::new().name("urlpool-wasi-http".into());
    builder.spawn(run).map_err(setup)?;
    match outcome.recv() {
        Ok(outcome) => outcome.map(|()| orders),
        Err(_) => Err(Error::Setup("its thread has ended".into())),
    }
}

fn client(terms: Terms, ledger: Ledger) -> Result<Client, Error> {
    let Terms {
        manager,
        options,
        asked,
        granted: _,
    } = terms;
    let timeouts = manager.pool.timeouts;
    Ok(Client {
        manager: Manager::new(Granted::new(ledger.clone()), manager)?,
        options,
        timeouts,
        asked,
        ledger,
    })
}

async fn serve(client: Client, mut orders: mpsc::Receiver<Order>) {
    let client = Rc::new(client);
    while let Some(order) = orders.recv().await {
        let client = Rc::clone(&client);
        spawn_local(async move { client.serve(order).await });
    }
}
