//! What becomes of a connection whose body is left where it is, and of a body that ends before its time.

use urlpool_core::sim::Script;
use urlpool_core::types::Reading;

use crate::common::{CHUNKED, FRAMINGS, Framing, MILLI, SECOND, World, dripping, gzip, within};

const URL: &str = "http://a.test/";

/// How a caller may part with a body.
#[derive(Clone, Copy, Debug)]
enum Parting {
    Release,
    Close,
    Drop,
    Drain,
}

#[test]
fn the_connection_is_kept_exactly_where_all_of_the_body_is_there() {
    use Parting::{Close, Drain, Drop, Release};
    let body = gzip(&[b"hello".as_slice(); 20].concat());
    for framing in FRAMINGS {
        let response = framing.respond("gzip", &body);
        let head = response.len() - body.len();
        for there in [head, head + 1, response.len() - 1, response.len()] {
            let (front, back) = response.split_at(there);
            for parting in [Release, Close, Drop, Drain] {
                for read in [0, 1, 5] {
                    let script = Script::new().request().send(front).pause(SECOND).send(back);
                    let world = World::serving(vec![match framing {
                        Framing::UntilClose => script.close(),
                        _ => script.again(),
                    }]);
                    let mut opened = world.open(URL);
                    let case = format!("{framing:?} {there} {parting:?} {read}");
                    // What is not there must not be waited for.
                    let span = within(&world.net, MILLI, opened.read_full(read));
                    drop(world.net.run(span));
                    let is_whole = there == response.len();
                    match parting {
                        Release => opened.release(),
                        Close => opened.close(),
                        Drop => {}
                        Drain => world.net.run(opened.drain()).expect(&case),
                    }
                    if !matches!(parting, Drop) {
                        assert_eq!(world.read(&mut opened, 9), Ok(Vec::new()), "{case}");
                    }
                    drop(opened);
                    let is_kept = is_whole || matches!(parting, Drain);
                    let kept = if is_kept { framing.kept() } else { 0 };
                    assert_eq!(world.net.open_connections(), kept, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_body_may_be_short_where_that_is_allowed_but_it_may_not_break() {
    let reading = Reading {
        may_be_short: true,
        ..Reading::default()
    };
    let length = "Content-Length: 9\r\n";
    for (case, head, end, kind) in [
        ("closed", length, Script::new().close(), None),
        (
            "reset",
            length,
            Script::new().reset(),
            Some("incomplete-body"),
        ),
        (
            "chunks",
            CHUNKED,
            Script::new().close(),
            Some("incomplete-body"),
        ),
        (
            "reset until close",
            "",
            Script::new().reset(),
            Some("protocol"),
        ),
    ] {
        let world = dripping(head, &[b"he", b"llo"], end);
        let mut opened = world.open_reading(URL, reading).unwrap();
        let (pieces, error) = world.pieces(&mut opened, 99);
        assert_eq!(pieces.concat(), b"hello", "{case}");
        assert_eq!(error.map(|error| error.kind()), kind, "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
    let world = dripping(length, &[b"he"], Script::new());
    let mut opened = world.open_reading(URL, reading).unwrap();
    assert_eq!(world.read(&mut opened, 9).unwrap(), b"he");
    let waited = world
        .net
        .run(within(&world.net, SECOND * 5, opened.read(9)));
    assert!(waited.is_none(), "only the end of the connection is an end");
}
