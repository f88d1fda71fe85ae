//! Wherever a redirect leads, only what may go there goes: a reference without a host stays at its origin, another origin gets no secret,
//! and the userinfo of a `Location` is neither used nor shown.
//!
//! The input: URL and `Location`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use urlpool_core::policy::redirect::{Hop, hop};
use urlpool_core::types::{Headers, Method, Url};
use urlpool_fuzz::texts;

const SECRET: &str = "hunter2";

fn follow(url: &Url, location: &str) -> Result<Hop, String> {
    let fields = [("Host", "h"), ("X", "y"), ("Cookie", "a=b")];
    let headers = Headers::parse(fields).expect("the fields are fields");
    let (removed, method) = (["cookie".to_owned()], Method::parse("HEAD"));
    let method = method.expect("the method is a method");
    let hop = hop(303, location, &method, url, &headers, &removed)?;

    let (next, stays) = (&hop.url, hop.url.origin() == url.origin());
    assert!(next.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
    let again = Url::parse(next.as_str()).expect("what was written parses");
    assert_eq!(
        (again.as_str(), again.origin()),
        (next.as_str(), next.origin())
    );
    assert_eq!(hop.headers.len(), if stays { 3 } else { 1 });
    let kept = url.credentials().filter(|_| stays);
    assert_eq!(next.credentials(), kept);
    assert_eq!(hop.method, method);
    Ok(hop)
}

fuzz_target!(|input: &[u8]| {
    let texts: Vec<_> = texts(input).map(String::from_utf8_lossy).collect();
    let [url, location, ..] = texts.as_slice() else {
        return;
    };
    let Ok(url) = Url::parse(url) else { return };
    let outcome = follow(&url, location);
    let may_name_a_host = location.starts_with("//") || location.contains(':');
    if let Ok(hop) = outcome {
        assert!(may_name_a_host || hop.url.origin() == url.origin());
    }

    let is_given_away = format!("{url:?}{location}").contains(SECRET);
    if let Some((scheme, rest)) = location.split_once("//").filter(|_| !is_given_away)
        && (scheme.is_empty() || scheme.ends_with(':'))
    {
        let shown = match follow(&url, &format!("{scheme}//u:{SECRET}@{rest}")) {
            Ok(hop) => format!("{:?} {:?}", hop.url, hop.headers),
            Err(why) => why,
        };
        // Behind what is no scheme it is part of a path, and no userinfo.
        let is_path = url.join(scheme).is_ok() && !scheme.is_empty();
        assert!(is_path || !shown.contains(SECRET), "{shown}");
    }
});
