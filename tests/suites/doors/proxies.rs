//! Requests of both commands through proxies, named by options or by the environment.

use std::path::Path;

use urlpool_tests::{Authority, HttpProxy, Origin, Outcome, Reply, Server, SocksProxy, Tunnel};

use super::{Door, commands};

const PASSWORD: &str = "hunter2";

async fn run(door: Door, folder: &Path, arguments: &[&str]) -> Outcome {
    run_in(door, folder, arguments, &[]).await
}

async fn run_in(
    door: Door,
    folder: &Path,
    arguments: &[&str],
    variables: &[(&str, String)],
) -> Outcome {
    let arguments: Vec<String> = arguments.iter().copied().map(str::to_owned).collect();
    door.run_in(&arguments, folder, (b"", variables)).await
}

/// What a request says to whom; a proxy answers "forwarded", the server itself "direct".
struct Network {
    folder: tempfile::TempDir,
    roots: String,
    plain: Server,
    secure: Server,
}

impl Network {
    async fn start() -> (Self, Authority) {
        let authority = Authority::new();
        let folder = tempfile::tempdir().expect("a temporary directory");
        let roots = folder.path().join("roots.pem");
        std::fs::write(&roots, authority.pem()).expect("a file in a fresh folder");
        let identity = authority.issue(&["127.0.0.1"]);
        let origin = || Origin::new().reply(Reply::ok("direct"));
        let network = Self {
            roots: roots.display().to_string(),
            plain: origin().start().await,
            secure: origin().tls(identity.tls()).start().await,
            folder,
        };
        (network, authority)
    }
}

fn http_proxy() -> HttpProxy {
    HttpProxy::new().reply(Reply::ok("forwarded"))
}

#[tokio::test]
async fn a_proxy_is_asked_as_it_wants_to_be() {
    let (network, _authority) = Network::start().await;
    let (plain, secure) = (network.plain.url("/a"), network.secure.url("/b"));
    for door in commands() {
        let proxy = http_proxy().credentials("me", PASSWORD).start().await;
        let url = proxy.proxy_url("http");
        let asked = [
            "-v",
            "--cacert",
            &network.roots,
            "-x",
            &url,
            "-U",
            "me:hunter2",
            "--proxy-header",
            "X-Proxy: 1",
        ];
        let arguments = [&asked[..], &[&plain, &secure]].concat();
        let outcome = run(door, network.folder.path(), &arguments).await;
        let told = outcome.stderr_text();
        assert_eq!(
            (outcome.status, outcome.stdout_text().as_str()),
            (0, "forwardeddirect"),
            "{door:?}: {told}"
        );
        let requests = proxy.requests();
        let targets: Vec<_> = requests.iter().map(|sent| sent.target()).collect();
        assert_eq!(
            targets,
            [plain.clone(), network.secure.authority()],
            "{door:?}"
        );
        for sent in &requests {
            assert_eq!(sent.field("x-proxy").as_deref(), Some("1"), "{door:?}");
        }
        let inside = network.secure.requests();
        let inside = inside.last().expect("a request through the tunnel");
        assert_eq!(inside.field("x-proxy"), None, "{door:?}");
        assert_eq!(inside.field("proxy-authorization"), None, "{door:?}");
        assert!(
            told.contains("opened a tunnel to https://127.0.0.1:"),
            "{door:?}: {told}"
        );
        for secret in [PASSWORD, "bWU6aHVudGVyMg=="] {
            assert!(!told.contains(secret), "{door:?}: {told}");
        }

        let socks = SocksProxy::new().credentials("me", PASSWORD).start().await;
        let url = socks.proxy_url("socks5h").replace("://", "://me:hunter2@");
        let outcome = run(door, network.folder.path(), &["-x", &url, &plain]).await;
        assert_eq!(
            outcome.stdout_text(),
            "direct",
            "{door:?}: {}",
            outcome.stderr_text()
        );
        assert_eq!(socks.accepted(), 1, "{door:?}");
    }
}

#[tokio::test]
async fn the_environment_names_proxies_by_curls_rules() {
    let (network, _authority) = Network::start().await;
    let url = network.plain.url("/");
    let (one, two) = (http_proxy().start().await, http_proxy().start().await);
    let (first, second) = (one.proxy_url("http"), two.proxy_url("http"));
    let here = || "127.0.0.1".to_owned();
    for door in commands() {
        for (case, variables, typed, asked) in [
            (
                "named",
                vec![("http_proxy", first.clone())],
                vec![],
                "first",
            ),
            (
                "for all",
                vec![("ALL_PROXY", first.clone())],
                vec![],
                "first",
            ),
            (
                "for another scheme",
                vec![("https_proxy", first.clone())],
                vec![],
                "none",
            ),
            (
                "not in upper case",
                vec![("HTTP_PROXY", first.clone())],
                vec![],
                "none",
            ),
            (
                "an exception",
                vec![("http_proxy", first.clone()), ("no_proxy", here())],
                vec![],
                "none",
            ),
            (
                "another exception",
                vec![("http_proxy", first.clone()), ("no_proxy", here())],
                vec!["--noproxy", "other.test"],
                "first",
            ),
            (
                "typed",
                vec![("http_proxy", first.clone())],
                vec!["-x", &second],
                "second",
            ),
            (
                "switched off",
                vec![("http_proxy", first.clone())],
                vec!["-x", ""],
                "none",
            ),
            (
                "excepted by hand",
                vec![("http_proxy", first.clone())],
                vec!["--noproxy", "*"],
                "none",
            ),
            (
                "typed, with the exceptions of the environment",
                vec![("NO_PROXY", here())],
                vec!["-x", &second],
                "none",
            ),
        ] {
            let before = [one.requests().len(), two.requests().len()];
            let arguments = [&typed[..], &[&url]].concat();
            let outcome = run_in(door, network.folder.path(), &arguments, &variables).await;
            let after = [one.requests().len(), two.requests().len()];
            let counts = [after[0] - before[0], after[1] - before[1]];
            let (body, expected) = match asked {
                "first" => ("forwarded", [1, 0]),
                "second" => ("forwarded", [0, 1]),
                _ => ("direct", [0, 0]),
            };
            assert_eq!(
                (outcome.stdout_text().as_str(), counts),
                (body, expected),
                "{door:?}, {case}: {}",
                outcome.stderr_text()
            );
        }
    }
}

#[tokio::test]
async fn a_secure_proxy_must_prove_who_it_is_too() {
    let (network, authority) = Network::start().await;
    let others = Authority::new();
    let theirs = network.folder.path().join("theirs.pem");
    std::fs::write(&theirs, others.pem()).expect("a file in a fresh folder");
    let (own, theirs) = (network.roots.as_str(), theirs.display().to_string());
    let name = &["127.0.0.1"];
    let known = http_proxy().tls(authority.issue(name).tls()).start().await;
    let foreign = http_proxy().tls(others.issue(name).tls()).start().await;
    let (known, foreign) = (known.proxy_url("https"), foreign.proxy_url("https"));
    let url = network.secure.url("/");
    for door in commands() {
        for (case, proxy, typed, status, body, warnings) in [
            ("trust is inherited", &known, vec![], 0, "direct", 0),
            ("and does not suffice", &foreign, vec![], 1, "", 0),
            (
                "roots of its own",
                &foreign,
                vec!["--proxy-cacert", &theirs],
                0,
                "direct",
                0,
            ),
            (
                "roots that are not its own",
                &known,
                vec!["--proxy-cacert", &theirs],
                1,
                "",
                0,
            ),
            (
                "unverified, which is told",
                &foreign,
                vec!["--proxy-insecure"],
                0,
                "direct",
                1,
            ),
            (
                "without a tunnel",
                &known,
                vec!["--forward-https"],
                0,
                "forwarded",
                0,
            ),
        ] {
            let fixed = ["--retries", "false", "--cacert", own, "-x", proxy];
            let arguments = [&fixed[..], &typed, &[&url]].concat();
            let outcome = run(door, network.folder.path(), &arguments).await;
            let told = outcome.stderr_text();
            assert_eq!(
                (outcome.status, outcome.stdout_text().as_str()),
                (status, body),
                "{door:?}, {case}: {told}"
            );
            assert_eq!(
                told.matches("warning: ").count(),
                warnings,
                "{door:?}, {case}: {told}"
            );
            assert_eq!(
                told.contains("(proxy)"),
                status == 1,
                "{door:?}, {case}: {told}"
            );
        }
    }
}

#[tokio::test]
async fn what_a_proxy_refuses_is_told_as_its_doing() {
    let (network, _authority) = Network::start().await;
    let url = network.secure.url("/");
    let wary = HttpProxy::new().credentials("me", "other").start().await;
    let refusal = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
    let tunnel = Tunnel::refusing_with(refusal);
    let refusing = HttpProxy::new().tunnel(tunnel).start().await;
    let with_password = wary.proxy_url("http").replace("://", "://me:hunter2@");
    for door in commands() {
        for (proxy, typed, status, hint) in [
            (
                with_password.as_str(),
                &[][..],
                1,
                "Tunnel connection failed: 407",
            ),
            (
                &wary.proxy_url("http"),
                &["--proxy-user", "me:hunter2"],
                1,
                "Tunnel connection failed: 407",
            ),
            (
                &refusing.proxy_url("http"),
                &[],
                1,
                "Tunnel connection failed: 502 Bad Gateway",
            ),
            (
                "ftp://me:hunter2@127.0.0.1",
                &[],
                2,
                "(unsupported-proxy-scheme)",
            ),
            ("http://me:hunter2@:1", &[], 2, "(invalid-settings)"),
        ] {
            let fixed = ["-v", "--retries", "false", "-x", proxy];
            let arguments = [&fixed[..], typed, &[&url]].concat();
            let outcome = run(door, network.folder.path(), &arguments).await;
            let told = outcome.stderr_text();
            assert_eq!(outcome.status, status, "{door:?}, {proxy}: {told}");
            let last = told.lines().last().unwrap_or_default();
            assert!(last.contains(hint), "{door:?}, {proxy}: {told}");
            assert_eq!(
                last.contains("(proxy)"),
                status == 1,
                "{door:?}, {proxy}: {told}"
            );
            for secret in [PASSWORD, "bWU6aHVudGVyMg=="] {
                assert!(!told.contains(secret), "{door:?}: {told}");
            }
        }
    }
    assert_eq!(network.secure.accepted(), 0);
}
