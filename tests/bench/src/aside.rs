//! An origin on a thread of its own, so that it and the client in this process do not take turns.

use std::thread::{self, JoinHandle};

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use urlpool_tests::Origin;
use wasmtime::{Result, format_err};

/// A running origin. Dropping it stops it.
pub(crate) struct Aside {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Aside {
    pub(crate) async fn start(origin: Origin) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                let server = origin.start().await;
                if tell.send(server.url("")).is_ok() {
                    // An error is the other end being dropped, which says the same.
                    let _ = stopped.await;
                }
            });
        });
        let url = told
            .await
            .map_err(|_| format_err!("the origin does not start"))?;
        Ok(Self {
            url,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            eprintln!("bench: the origin ended badly");
        }
    }
}
