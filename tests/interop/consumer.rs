//! The rows of a component that somebody else wrote: `tests/consumers`, composed with `urlpool.wasm` and run by the stock `wasmtime`.

use std::path::Path;
use std::sync::Arc;

use urlpool_tests::dist;

use crate::command::assert_brought;
use crate::doors::{Network, built, stock};
use crate::served::Served;
use crate::tally::Tally;

/// The exact bytes, through `blocking` and through `pipe`.
pub(crate) async fn rows(tally: &mut Tally, served: &Arc<Served>) {
    for consumer in ["fetch", "copy"] {
        for secure in [false, true] {
            let on = Arc::clone(served);
            let scheme = if secure { "https" } else { "http" };
            let name = format!("composed consumer `{consumer}`: exact bytes over {scheme}");
            let row = async move {
                let folder = on.nginx.folder();
                let component = folder.join(format!("{consumer}-{scheme}.wasm"));
                compose(consumer, &component);
                let authority = on.nginx.authority_file().display().to_string();
                let url = if secure {
                    on.nginx.https("/large")
                } else {
                    on.nginx.http("/large")
                };
                let got = stock(&component, Network::Granted, folder)
                    .args([url, "--cacert".to_owned(), authority])
                    .run()
                    .await;
                assert_brought(&got, &on.large);
            };
            tally.row(&name, row).await;
        }
    }
}

fn compose(consumer: &str, to: &Path) {
    let socket = built(&format!("wasm32-wasip2/component/{consumer}.wasm"));
    let socket = std::fs::read(socket).expect("a file that was built");
    let plug = std::fs::read(dist("urlpool.wasm")).expect("a file that was built");
    let composed = urlpool_compose::plug(&socket, &[&plug]).expect("they fit");
    std::fs::write(to, composed).expect("a temporary folder takes files");
}
