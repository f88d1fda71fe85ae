//! The server of all rows and what it serves.

use std::fs::File;
use std::io::Read;

use urlpool_tests::nginx::{AccessLog, Exchange, Nginx};

/// Neither a power of two nor a multiple of any buffer.
const LARGE: usize = 3 * 1024 * 1024 + 17;
const SMALL: usize = 100;

/// nginx with two files of random bytes.
pub(crate) struct Served {
    pub(crate) nginx: Nginx,
    pub(crate) large: Vec<u8>,
    pub(crate) small: Vec<u8>,
}

impl Served {
    pub(crate) fn start() -> Self {
        let nginx = Nginx::start(AccessLog::Kept);
        let (large, small) = (random(LARGE), random(SMALL));
        nginx.serve("large", &large);
        nginx.serve("small", &small);
        Self {
            nginx,
            large,
            small,
        }
    }

    /// Asserts that the log has `count` requests for `path`, all answered with 200 and all over one connection that speaks `protocol`.
    #[track_caller]
    pub(crate) fn assert_one_connection(&self, path: &str, protocol: &str, count: usize) {
        let exchanges = self.nginx.exchanges(path);
        assert_eq!(exchanges.len(), count, "requests for {path}");
        let first = exchanges.first().expect("at least one request");
        let expected = Exchange {
            connection: first.connection,
            status: 200,
            protocol: protocol.to_owned(),
        };
        for (index, exchange) in exchanges.iter().enumerate() {
            assert_eq!(exchange, &expected, "request {index} for {path}");
        }
    }
}

pub(crate) fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .expect("randomness");
    bytes
}
