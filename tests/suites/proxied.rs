//! What of the contract the Rust API does not call, since a `ProxyManager` in Rust is a `PoolManager` with settings: a component does.

use urlpool_tests::{Command, HttpProxy, Reply, consumer};

#[tokio::test]
async fn every_function_about_proxies_does_what_it_says() {
    let proxy = HttpProxy::new().reply(Reply::ok("ok")).start().await;
    let url = proxy.url("").replace("://", "://me:word@");
    let command = Command::from_bytes("proxied", &consumer("proxied"));
    let outcome = command.args([url.as_str(), "http://far.test"]).run().await;
    assert_eq!(outcome.stderr_text(), "");
    let expected = format!(
        "\
proxy: {}
request: ok
urlopen: ok
request-encode-url: ok
request-encode-body: ok
start: ok
from-url: 1 ok
from-host: 1 ok
no-proxy: near.test 192.0.2.0/24
from-context: 1 ok
num-pools: 2 2
clear: 0 0
take-events: true
take-events again: false
proxy-from-url: ok
ftp: Proxy URL had unsupported scheme ftp, should use http:// or https:// (or socks4://, socks4a://, socks5://, socks5h://)
no-proxy: near.test 192.0.2.0/24
proxies-from-environment: ok
",
        proxy.url("")
    );
    assert_eq!(outcome.stdout_text(), expected);
    let asked: Vec<String> = proxy
        .requests()
        .iter()
        .map(|sent| {
            let via = sent.field("X-Via").unwrap_or_default();
            let login = sent.field("Proxy-Authorization");
            assert_eq!(login.as_deref(), Some("Basic bWU6d29yZA=="));
            let path = sent.target().replace("http://far.test/", "");
            format!("{} {path} {via}", sent.method())
        })
        .collect();
    let expected = [
        "GET request open",
        "get urlopen open",
        "PUT url?a=b+c open",
        "PUT body open",
        "GET start open",
        "GET from-url open",
        "GET from-host open",
        "GET from-context ",
        "GET proxy-from-url ",
        "GET environment ",
    ];
    assert_eq!(asked, expected);
    assert_eq!(proxy.accepted(), 4, "one for each pool");
}
