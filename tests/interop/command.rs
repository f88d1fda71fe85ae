//! The rows of the command line, the same for the native binary and for the component under the stock `wasmtime` and under `jco run`.

use std::sync::Arc;

use urlpool_tests::{Gate, HttpProxy, Origin, Outcome, RefusingPort, Reply, dist};

use crate::doors::{Door, Network, make_run, stock};
use crate::served::Served;
use crate::tally::Tally;

/// What a command says where a permission is missing.
const ADVICE: &str = "run with -S inherit-network -S allow-ip-name-lookup";

/// All rows that begin with the door's name.
pub(crate) async fn rows(tally: &mut Tally, door: Door, served: &Arc<Served>) {
    bytes(tally, door, served).await;
    reuse(tally, door, served).await;
    statuses(tally, door, served).await;
    row_of_environment(tally, door, served).await;
    rows_on_a_terminal(tally, door, served).await;
}

/// The exact bytes, to standard output and to a file.
async fn bytes(tally: &mut Tally, door: Door, served: &Arc<Served>) {
    let name = door.name();
    let on = Arc::clone(served);
    tally
        .row(&format!("{name}: exact bytes over http"), async move {
            let got = run(door, &on, &[&on.nginx.http("/large")]).await;
            assert_brought(&got, &on.large);
        })
        .await;
    let on = Arc::clone(served);
    tally
        .row(
            &format!("{name}: exact bytes over https with --cacert"),
            async move {
                let got = run(
                    door,
                    &on,
                    &["--cacert", &authority(&on), &on.nginx.https("/large")],
                )
                .await;
                assert_brought(&got, &on.large);
            },
        )
        .await;
    let on = Arc::clone(served);
    tally
        .row(
            &format!("{name}: exact bytes over https by name"),
            async move {
                let url = format!("https://localhost:{}/small", on.nginx.secure().port());
                let got = run(door, &on, &["--cacert", &authority(&on), &url]).await;
                assert_brought(&got, &on.small);
            },
        )
        .await;
    let on = Arc::clone(served);
    tally
        .row(
            &format!("{name}: exact bytes into a file with -o"),
            async move {
                let file = on.nginx.folder().join(format!("{door:?}.out"));
                let path = file.display().to_string();
                let got = run(door, &on, &["-o", &path, &on.nginx.http("/large")]).await;
                assert_brought(&got, b"");
                let written = std::fs::read(file).expect("the file that -o names");
                assert!(
                    written == on.large,
                    "{} bytes are not those served",
                    written.len()
                );
            },
        )
        .await;
}

/// One connection for many requests, by the server's own account.
async fn reuse(tally: &mut Tally, door: Door, served: &Arc<Served>) {
    let name = door.name();
    let on = Arc::clone(served);
    tally
        .row(
            &format!("{name}: --repeat 1000 opens one connection"),
            async move {
                let path = format!("/small?repeated-by-{door:?}");
                let got = run(door, &on, &["--repeat", "1000", &on.nginx.http(&path)]).await;
                assert_brought(&got, &on.small.repeat(1000));
                on.assert_one_connection(&path, "-", 1000);
            },
        )
        .await;
    let on = Arc::clone(served);
    tally
        .row(
            &format!("{name}: --repeat 50 over https opens one connection"),
            async move {
                let path = format!("/small?repeated-in-secret-by-{door:?}");
                let url = on.nginx.https(&path);
                let arguments = ["--repeat", "50", "--cacert", &authority(&on), &url];
                let got = run(door, &on, &arguments).await;
                assert_brought(&got, &on.small.repeat(50));
                on.assert_one_connection(&path, "TLSv1.3", 50);
            },
        )
        .await;
}

/// The exit statuses other than 0.
async fn statuses(tally: &mut Tally, door: Door, served: &Arc<Served>) {
    let name = door.name();
    let on = Arc::clone(served);
    tally
        .row(
            &format!("{name}: status 1 where the certificate is not trusted"),
            async move {
                let got = run(door, &on, &[&on.nginx.https("/small")]).await;
                assert_failed(&got, 1);
            },
        )
        .await;
    let on = Arc::clone(served);
    tally
        .row(
            &format!("{name}: status 1 where the connection is refused"),
            async move {
                let nobody = RefusingPort::new();
                let got = run(door, &on, &[&nobody.url("/")]).await;
                assert_failed(&got, 1);
            },
        )
        .await;
    for (why, argument) in [
        ("an unknown option", "--no-such-option"),
        ("an unknown scheme", "gopher://127.0.0.1/"),
        ("an empty host", "http:///small"),
        ("a bad port", "http://127.0.0.1:99999/small"),
    ] {
        let on = Arc::clone(served);
        tally
            .row(&format!("{name}: status 2 for {why}"), async move {
                let got = run(door, &on, &[argument]).await;
                assert_failed(&got, 2);
            })
            .await;
    }
    let on = Arc::clone(served);
    tally
        .row(
            &format!("{name}: status 22 for a 404 with --fail"),
            async move {
                let got = run(door, &on, &["--fail", &on.nginx.http("/missing")]).await;
                assert_eq!(got.status, 22);
                assert_calm(&got);
            },
        )
        .await;
    let on = Arc::clone(served);
    tally
        .row(
            &format!("{name}: status 0 for a 404 without --fail"),
            async move {
                let got = run(door, &on, &[&on.nginx.http("/missing")]).await;
                assert_eq!(got.status, 0);
                assert_calm(&got);
            },
        )
        .await;
}

/// What a person types in a clone.
pub(crate) async fn row_of_make(tally: &mut Tally, served: &Arc<Served>) {
    let on = Arc::clone(served);
    tally
        .row("make -s run URL=...: exact bytes over http", async move {
            let got = make_run(&on.nginx.http("/large")).await;
            assert_eq!(got.status, 0, "exit status");
            assert_eq!(got.stdout.len(), on.large.len(), "bytes on standard output");
            assert!(got.stdout == on.large, "the bytes are not those served");
        })
        .await;
}

/// What the stock `wasmtime` without some of its network options makes of a request: what is missing is told from a network that fails.
pub(crate) async fn rows_without_network(tally: &mut Tally, served: &Arc<Served>) {
    let by_name = format!("http://localhost:{}/small", served.nginx.plain().port());
    let refusing = RefusingPort::new();
    for (case, network, url, expected) in [
        (
            "no permission",
            Network::Denied,
            served.nginx.http("/small"),
            ADVICE,
        ),
        (
            "no permission, by name",
            Network::Denied,
            by_name.clone(),
            ADVICE,
        ),
        (
            "no name lookup, by name",
            Network::WithoutNames,
            by_name,
            ADVICE,
        ),
        (
            "no name lookup, nobody there",
            Network::WithoutNames,
            refusing.url("/"),
            "refused",
        ),
        (
            "every permission, nobody there",
            Network::Granted,
            refusing.url("/"),
            "refused",
        ),
    ] {
        let on = Arc::clone(served);
        let name = format!("wasmtime run urlpool-cli.wasm: status 1 with {case}");
        tally
            .row(&name, async move {
                let component = dist("urlpool-cli.wasm");
                let got = stock(&component, network, on.nginx.folder())
                    .args([url])
                    .run()
                    .await;
                assert_failed(&got, 1);
                let told = got.stderr_text();
                assert!(told.contains(expected), "{told}");
                let has_advice = told.contains("(denied)") && told.contains(ADVICE);
                assert_eq!(has_advice, expected == ADVICE, "{told}");
            })
            .await;
    }
}

/// Progress and colours, which only a terminal gets.
/// Ctrl-C, of which a component is not told: the file is as it was, and what had come is beside it.
pub(crate) async fn row_of_an_interruption(tally: &mut Tally) {
    let name = Door::Stock.name();
    let row = format!("{name}: after Ctrl-C the file is as it was, with FILE.0.part beside it");
    tally.row(&row, interrupted()).await;
}

async fn interrupted() {
    for (before, left) in [
        (None, &["page.0.part"][..]),
        (Some("old"), &["page", "page.0.part"]),
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (file, part) = (
            folder.path().join("page"),
            folder.path().join("page.0.part"),
        );
        if let Some(text) = before {
            std::fs::write(&file, text).expect("a file in a fresh folder");
        }
        let reply = Reply::ok("fine").body_after(&Gate::new());
        let origin = Origin::new().reply(reply).start().await;
        let running = Door::Stock.program(folder.path());
        let running = running.args(["-o", "page", &origin.url("/")]);
        // The head has come, and something is being written.
        let begun = async {
            origin.requested(1).await;
            while !part.exists() {
                tokio::task::yield_now().await;
            }
        };
        let got = running.interrupted_after(begun).await;
        assert_eq!(got.status, 130, "exit status");
        assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), before);
        let entries = std::fs::read_dir(folder.path()).expect("a folder can be read");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("so can its entries").file_name())
            .collect();
        names.sort();
        assert_eq!(names, left);
    }
}

async fn rows_on_a_terminal(tally: &mut Tally, door: Door, served: &Arc<Served>) {
    for (case, variable, has_colours) in [
        (
            "progress and colours on a terminal",
            "NO_COLOUR_SAYS_NOTHING",
            true,
        ),
        ("no colours with NO_COLOR", "NO_COLOR", false),
    ] {
        let on = Arc::clone(served);
        tally
            .row(&format!("{}: {case}", door.name()), async move {
                let got = door
                    .program(on.nginx.folder())
                    .args(["-v", "-o", "on-a-terminal", &on.nginx.http("/small")])
                    .env("TERM", "xterm")
                    .without_env("NO_COLOR")
                    .env(variable, "1")
                    .on_a_terminal()
                    .run()
                    .await;
                assert_eq!(got.status, 0, "exit status");
                let shown = got.stdout_text();
                assert!(shown.contains("\x1b[K[   "), "no bar: {shown:?}");
                assert!(shown.contains("> GET /small HTTP/1.1"), "{shown:?}");
                let is_coloured = shown.contains("\x1b[36m> GET /small");
                assert_eq!(is_coloured, has_colours, "{shown:?}");
            })
            .await;
    }
}

/// The proxies of the environment, where the host passes it on.
async fn row_of_environment(tally: &mut Tally, door: Door, served: &Arc<Served>) {
    let on = Arc::clone(served);
    let name = format!("{}: a proxy of the environment", door.name());
    tally
        .row(&name, async move {
            let proxy = HttpProxy::new().reply(Reply::ok("forwarded")).start().await;
            let got = door
                .program(on.nginx.folder())
                .env("http_proxy", proxy.proxy_url("http"))
                .args([on.nginx.http("/small")])
                .run()
                .await;
            assert_brought(&got, b"forwarded");
        })
        .await;
}

async fn run(door: Door, served: &Served, arguments: &[&str]) -> Outcome {
    door.run(served.nginx.folder(), arguments).await
}

fn authority(served: &Served) -> String {
    served.nginx.authority_file().display().to_string()
}

/// The comparison does not print megabytes.
#[track_caller]
pub(crate) fn assert_brought(got: &Outcome, expected: &[u8]) {
    assert_eq!(got.status, 0, "exit status");
    assert_eq!(got.stderr_text(), "", "standard error");
    assert_eq!(got.stdout.len(), expected.len(), "bytes on standard output");
    assert!(got.stdout == expected, "the bytes are not those served");
}

#[track_caller]
fn assert_failed(got: &Outcome, status: i32) {
    assert_eq!(got.status, status, "exit status");
    assert_eq!(got.stdout_text(), "", "standard output");
    assert_ne!(got.stderr_text(), "", "standard error");
    assert_calm(got);
}

/// No panic text, no trap and no backtrace.
#[track_caller]
fn assert_calm(got: &Outcome) {
    let text = got.stderr_text();
    for word in [
        "panicked",
        "wasm trap",
        "backtrace",
        "RUST_",
        "ComponentError",
    ] {
        assert!(!text.contains(word), "standard error has {word:?}: {text}");
    }
}
