//! What the matrix has no column for: who is asked, which headers go where, and whose fault a failure is.

use std::sync::Arc;

use urlpool_tests::RefusingPort;

use crate::origins::Origins;
use crate::proxies::{Lookup, PASSWORD, Proxy, USER};
use crate::report::{Report, argument};
use crate::tally::Row;

/// A row a line: its name; the proxy and how it is used; whether the target is secure; the command's options; and the end: the address that
/// the origin sees, with `+header` where it sees the proxy's header too, or the kind of the error and a word of its message.
///
/// In options, `{open}` and `{guarded}` are the proxy's ports, `{closed}` is one that refuses, `{origin}` the origin's root alone, and a
/// leading `NAME=` sets a variable of the environment.
const LINES: &str = "\
--proxy-header is forwarded | http proxy squid | http | -x http://127.0.0.1:{open} --proxy-header X-Via:seen | 127.0.0.11 +header
--proxy-header stays out of a tunnel | http proxy squid | https | -x http://127.0.0.1:{open} --proxy-header X-Via:seen | 127.0.0.11
--forward-https | https proxy squid | https | -x https://127.0.0.1:{open} --forward-https --proxy-header X-Via:seen | 127.0.0.11 +header
userinfo in -x | http proxy squid | https | -x http://{user}@127.0.0.1:{guarded} | 127.0.0.11
userinfo in -x for SOCKS | socks5h Dante | https | -x socks5h://{user}@127.0.0.1:{guarded} | 127.0.0.13
-x without a scheme | http proxy squid | http | -x 127.0.0.1:{open} | 127.0.0.11
http_proxy for http | http proxy squid | http | http_proxy=http://127.0.0.1:{open} | 127.0.0.11
HTTP_PROXY in upper case is not read | http proxy squid | near-http | HTTP_PROXY=http://127.0.0.1:{closed} | 127.0.0.1
https_proxy for https | http proxy squid | https | https_proxy=http://127.0.0.1:{open} http_proxy=http://127.0.0.1:{closed} | 127.0.0.11
HTTPS_PROXY in upper case | http proxy squid | https | HTTPS_PROXY=http://127.0.0.1:{open} | 127.0.0.11
all_proxy with SOCKS | socks5h Dante | https | all_proxy=socks5h://127.0.0.1:{open} | 127.0.0.13
no_proxy | http proxy squid | near-http | http_proxy=http://127.0.0.1:{closed} no_proxy=other.test,localhost | 127.0.0.1
-x before the environment | http proxy squid | http | http_proxy=http://127.0.0.1:{closed} -x http://127.0.0.1:{open} | 127.0.0.11
--noproxy | http proxy squid | near-http | -x http://127.0.0.1:{closed} --noproxy localhost | 127.0.0.1
a proxy that refuses | http proxy squid | https | -x http://127.0.0.1:{closed} | proxy refused
a SOCKS proxy that refuses | socks5h Dante | https | -x socks5h://127.0.0.1:{closed} | proxy refused
the proxy's authority is not trusted | https proxy squid | https | -x https://127.0.0.1:{open} --cacert {origin} | proxy certificate verify failed
the origin's authority is not trusted | https proxy squid | https | -x https://127.0.0.1:{open} --cacert {proxy} | tls certificate verify failed
the same through SOCKS | socks5h Dante | https | -x socks5h://127.0.0.1:{open} --cacert {proxy} | tls certificate verify failed
TLS to a proxy that speaks only HTTP | http proxy squid | https | -x https://127.0.0.1:{open} | proxy appears to only use http
an origin that the proxy does not know | http proxy squid | unknown | -x http://127.0.0.1:{open} | proxy tunnel connection failed: 50
an origin that tinyproxy does not know | http proxy tinyproxy | unknown | -x http://127.0.0.1:{open} | proxy tunnel connection failed: 50
an origin that the SOCKS proxy does not know | socks5h Dante | unknown | -x socks5h://127.0.0.1:{open} | proxy
an origin that the SOCKS 4a proxy does not know | socks4a Twisted | unknown | -x socks4a://127.0.0.1:{open} | proxy
HTTP to a SOCKS proxy | socks5h Dante | https | -x http://127.0.0.1:{open} | proxy
SOCKS to an HTTP proxy | http proxy squid | https | -x socks5h://127.0.0.1:{open} --timeout 2 | deadline-exceeded";

/// Those whose proxy is running.
pub(crate) fn rows(origins: &Arc<Origins>) -> Vec<Row> {
    LINES
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            let [name, proxy, target, options, end] = columns.try_into().expect("five columns");
            let mut running = origins.proxies.all.iter();
            let proxy = running.find(|each| each.name == proxy)?.clone();
            let on = Arc::clone(origins);
            let attempt = async move { attempt(&on, &proxy, target, options, end).await };
            Some(Row::new(format!("routes: {name}"), attempt))
        })
        .collect()
}

async fn attempt(on: &Origins, proxy: &Proxy, target: &str, options: &str, end: &str) {
    let nobody = RefusingPort::new();
    let closed = nobody.url("");
    let port = |port: Option<u16>| port.unwrap_or_default().to_string();
    let options = options
        .replace("{open}", &port(proxy.open))
        .replace("{guarded}", &port(proxy.guarded))
        .replace("{closed}", closed.rsplit(':').next().unwrap_or_default())
        .replace("{user}", &format!("{USER}:{PASSWORD}"))
        .replace("{origin}", &argument(&on.first.authority_file()))
        .replace("{proxy}", &argument(&on.proxy_root));
    let (variables, mut arguments): (Vec<&str>, Vec<&str>) = options
        .split(' ')
        .partition(|word| word.contains("_proxy=") || word.contains("_PROXY="));
    let variables: Vec<_> = variables
        .iter()
        .filter_map(|each| each.split_once('='))
        .collect();
    let roots = argument(&on.roots);
    if !arguments.contains(&"--cacert") {
        arguments.extend(["--cacert", &roots]);
    }
    let url = match target {
        "http" => on.first(false, Lookup::Far, "/page"),
        "https" => on.first(true, Lookup::Far, "/page"),
        "near-http" => on.first(false, Lookup::Near, "/page"),
        _ => "https://unknown.test/".into(),
    };
    arguments.extend(["--retries", "false", &url]);
    let report = Report::with(&variables, &arguments, b"").await;
    report.assert_silent_about(&[PASSWORD]);
    let (first, rest) = end.split_once(' ').unwrap_or((end, ""));
    if first.starts_with("127.") {
        report.assert_answered(200, Some(&on.page));
        assert_eq!(report.header("X-Client"), Some(first), "who came");
        let seen = (rest == "+header").then_some("seen");
        assert_eq!(report.header("X-Via"), seen, "the proxy's header");
    } else {
        report.assert_failed(first, rest);
    }
}
