//! A URL that parses is written so that it parses to the same, holds nothing that could leave its line, and hides its userinfo.
#![no_main]

use libfuzzer_sys::fuzz_target;
use urlpool_core::types::{Error, Header, Host, Url};

const SECRET: &str = "hunter2";

fn parse(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text)?;
    let written = url.as_str();
    assert!(written.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(!written.contains('#'));
    let target = url.target();
    assert!(target.starts_with('/'));

    let again = Url::parse(written).expect("what was written parses");
    assert_eq!(again.as_str(), written);
    assert_eq!(again.origin(), url.origin());
    assert_eq!(again.target(), target);
    assert_eq!(again.credentials(), None);

    let authority = written
        .strip_prefix(url.origin().scheme().as_str())
        .and_then(|rest| rest.strip_prefix("://"))
        .and_then(|rest| rest.strip_suffix(target))
        .expect("a URL is its scheme, authority and target");
    let host = url.origin().host();
    assert!(!authority.contains('@') && authority.starts_with(host.as_str()));
    assert_eq!(Host::parse(host.as_str()).as_ref(), Ok(host));
    assert!(Header::parse("Host", url.origin().authority()).is_ok());
    Ok(url)
}

fuzz_target!(|text: &str| {
    let _ = parse(text);
    let _ = Host::parse(text);
    if text.contains(SECRET) {
        return;
    }
    let Some((scheme, rest)) = text.split_once("//") else {
        return;
    };
    let shown = match parse(&format!("{scheme}//u:{SECRET}@{rest}")) {
        Ok(url) => {
            assert!(url.credentials().is_some());
            format!("{url:?} {} {}", url.as_str(), url.origin())
        }
        Err(error) => format!("{error:?} {error}"),
    };
    assert!(!shown.contains(SECRET), "{shown}");
});
