//! The component that fetches, in Rust, Python and JavaScript.

use std::path::{Path, PathBuf};

use urlpool_tests::{Authority, HttpProxy, Origin, Outcome, Reply, Server, dist};

use super::workshop::{PATIENCE, Workshop};
use crate::doors::{Network, built, compile, run_with};
use crate::tally::Row;

/// More than the memory that any of them may have.
const LARGE: usize = 100 << 20;
/// Who wrote it.
#[derive(Clone, Copy)]
enum Language {
    Rust,
    Python,
    JavaScript,
}

/// One row a language.
pub(super) fn rows() -> Vec<Row> {
    [Language::Rust, Language::Python, Language::JavaScript]
        .into_iter()
        .map(|language| {
            let name = format!(
                "examples: the component in {} fetches by a proxy, tries again, and streams 100 MB",
                language.name()
            );
            Row::new(name, fetches(language))
        })
        .collect()
}

async fn fetches(language: Language) {
    let workshop = Workshop::open().await;
    let component = language.make(&workshop).await;
    let authority = Authority::new();
    let origin = Origin::new()
        .tls(authority.issue(&["localhost"]).tls())
        .at("/large", Reply::ok(vec![b'x'; LARGE]))
        .reply(Reply::new(503, "not yet"))
        .reply(Reply::ok("now"))
        .start()
        .await;
    let proxy = HttpProxy::new().start().await;
    let roots = String::from_utf8(authority.pem()).expect("PEM is text");
    let variables = [
        format!("https_proxy={}", proxy.proxy_url("http")),
        format!("CA_PEM={roots}"),
    ];

    let got = run(language, &component, &variables, &origin).await;

    assert_eq!(
        got.stdout_text(),
        format!(
            "200 3 bytes over connection 1 after 1 other answers\n\
             200 {LARGE} bytes over connection 1 after 0 other answers\n"
        )
    );
    assert_eq!(got.status, 0, "exit status");
    let targets: Vec<String> = origin.requests().iter().map(|it| it.target()).collect();
    assert_eq!(targets, ["/small", "/small", "/large"]);
    assert_eq!(origin.accepted(), 1, "connections at the origin");
    let asked = proxy.request();
    assert_eq!(asked.method(), "CONNECT");
    assert_eq!(asked.target(), format!("localhost:{}", origin.port()));

    let got = run(language, &component, &[], &origin).await;
    assert_eq!(got.status, 1, "exit status");
    let told = got.stderr_text();
    assert!(told.contains("certificate verify failed"), "{told}");
    assert_eq!(got.stdout_text(), "");
}

async fn run(
    language: Language,
    component: &Path,
    variables: &[String],
    origin: &Server,
) -> Outcome {
    let memory = format!("max-memory-size={}", language.memory());
    let variables = variables
        .iter()
        .flat_map(|variable| ["--env".to_owned(), variable.clone()]);
    run_with(Network::Granted)
        .args(["-W", &memory, "--allow-precompiled"])
        .args(variables)
        .args([component.display().to_string()])
        .args(["/small", "/large"].map(|path| origin.url_as("localhost", path)))
        .patience(PATIENCE)
        .run()
        .await
}

impl Language {
    const fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::JavaScript => "JavaScript",
        }
    }

    /// How many bytes each memory of the composition may grow to, its interpreter's among them. That of JavaScript collects what it no longer
    /// needs once that is 32 MiB.
    const fn memory(self) -> u32 {
        match self {
            Self::Rust => 16 << 20,
            Self::Python => 48 << 20,
            Self::JavaScript => 80 << 20,
        }
    }

    /// Makes the component, composes it, and compiles it for more runs than one.
    async fn make(self, workshop: &Workshop) -> PathBuf {
        let made = workshop.path("fetch.wasm");
        let socket = match self {
            Self::Rust => built("wasm32-wasip2/component/example-fetch.wasm"),
            Self::Python => {
                workshop.follow("examples/consumers/python").await;
                made
            }
            Self::JavaScript => {
                workshop.install("examples/consumers/javascript", "jco");
                workshop.follow("examples/consumers/javascript").await;
                made
            }
        };
        let socket = std::fs::read(socket).expect("a file that was made");
        let plug = std::fs::read(dist("urlpool.wasm")).expect("a file that was built");
        let composed = urlpool_compose::plug(&socket, &[&plug]).expect("they fit");
        let found = urlpool_compose::interface(&composed).expect("it is a component");
        for import in &found.imports {
            assert!(import.starts_with("wasi:"), "{import} is left open");
        }
        let (component, compiled) = (workshop.path("composed.wasm"), workshop.path("compiled"));
        std::fs::write(&component, composed).expect("a temporary folder takes files");
        compile(&component, &compiled, PATIENCE).await;
        compiled
    }
}
