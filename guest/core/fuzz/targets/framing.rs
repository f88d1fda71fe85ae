//! Two readers of one head never disagree about where its body ends: what says two things is refused, or its connection is not used again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use urlpool_core::machine::h1::HeadReader;
use urlpool_core::policy::framing::{BodyFraming, of_response};
use urlpool_core::policy::reuse::{Reuse, after};
use urlpool_core::types::{Headers, Method};
use urlpool_fuzz::first_line;

fuzz_target!(|input: &[u8]| {
    let (method, bytes) = first_line(input);
    let Some(method) = std::str::from_utf8(method)
        .ok()
        .and_then(|method| Method::parse(method).ok())
    else {
        return;
    };
    let Ok(Some(head)) = HeadReader::default().read(bytes) else {
        return;
    };
    let (status, headers) = (head.line.status, &head.headers);
    let Ok(framing) = of_response(&method, status, headers) else {
        return;
    };

    let lengths: Vec<u128> = headers
        .all("content-length")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(|length| {
            let text = std::str::from_utf8(length.trim_ascii()).unwrap_or("");
            text.parse().unwrap_or(u128::MAX)
        })
        .collect();
    let codings: Vec<String> = headers
        .elements("transfer-encoding")
        .map(|coding| String::from_utf8_lossy(coding).to_ascii_lowercase())
        .collect();
    let has_none = method.is("HEAD") || matches!(status, 204 | 304);
    match framing {
        BodyFraming::Length(0) if has_none => {}
        BodyFraming::Length(length) => {
            assert!(
                !lengths.is_empty() && lengths.iter().all(|other| *other == u128::from(length))
            );
            assert!(codings.is_empty() || codings == ["identity"]);
        }
        BodyFraming::Chunked => assert_eq!(codings, ["chunked"]),
        BodyFraming::UntilClose => assert!(lengths.is_empty()),
    }

    let reuse = after(&Headers::default(), true, &head.line, headers, framing);
    let says_two_things = !lengths.is_empty() && headers.has("transfer-encoding");
    if framing == BodyFraming::UntilClose || says_two_things {
        assert!(matches!(reuse, Reuse::Close(_)), "{reuse:?}");
    }
});
