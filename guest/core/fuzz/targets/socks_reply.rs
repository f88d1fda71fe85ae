//! What a SOCKS proxy says is the same however it arrives, and no byte that it was not asked for is let through.
//!
//! The first line is the version, `4` or `5`, `p` where there is a password or any other byte where there is none, and the sizes of pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use urlpool_core::machine::socks::{Destination, Socks, Step};
use urlpool_core::policy::route::{Login, SocksVersion};
use urlpool_core::types::Host;
use urlpool_fuzz::{first_line, pieces};

/// What was written, whether the connection is there, and what was wrong.
type Outcome = (Vec<Vec<u8>>, bool, Option<String>);

fn talk<'a>(how: &[u8], pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let version = match how.first() {
        Some(b'4') => SocksVersion::V4,
        _ => SocksVersion::V5,
    };
    let login = (how.get(1) == Some(&b'p')).then(|| Login {
        username: b"user".to_vec(),
        password: b"secret".to_vec(),
    });
    let host = Host::parse("origin.test").expect("it is a host");
    let destination = Destination::of(&host);
    let (mut socks, first) =
        Socks::new(version, destination, 443, login.as_ref()).expect("all of it fits");
    let mut written = vec![first];
    for piece in pieces {
        match socks.feed(piece) {
            Ok(Step::More) => {}
            Ok(Step::Write(bytes)) => {
                assert!(!bytes.is_empty());
                written.push(bytes);
            }
            Ok(Step::Open) => return (written, true, None),
            Err(error) => return (written, false, Some(error)),
        }
    }
    (written, false, None)
}

fuzz_target!(|input: &[u8]| {
    let (how, bytes) = first_line(input);
    let bytewise = talk(how, bytes.chunks(1));
    assert!(bytewise.0.len() <= 3);
    let sizes = how.get(2..).unwrap_or_default();
    for pieced in [
        talk(how, std::iter::once(bytes)),
        talk(how, pieces(sizes, bytes)),
    ] {
        // A proxy that speaks out of turn is found only where its bytes arrive together.
        let is_early = pieced
            .2
            .as_ref()
            .is_some_and(|error| error.ends_with("bytes behind its reply"));
        if is_early {
            assert!(bytewise.0.starts_with(&pieced.0));
        } else {
            assert_eq!(pieced, bytewise);
        }
    }
});
