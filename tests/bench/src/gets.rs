//! Part (a): sequential GETs of 100 bytes over one connection.

use std::rc::Rc;
use std::time::Duration;

use urlpool_tests::nginx::Nginx;
use wasmtime::{Result, bail};

use crate::Scale;
use crate::clients::{Reading, Reqwest, Urlpool, WithoutNetwork};
use crate::guests::{Clock, Guests};
use crate::place::Place;
use crate::python::{GETS, Urllib3};
use crate::rounds::{Contender, alternate};
use crate::table::{Compared, Goal, Quantity, Row, Table};

/// Against the least that a component can do.
const NEAR_THE_LIMIT: Goal = Goal::TimesItsTime(1.25);
/// Against CPython.
const FAR_FROM_PYTHON: Goal = Goal::TimesItsRate(3.5);

/// Both schemes, each with all contenders in alternation.
pub(crate) async fn measure(
    table: &mut Table,
    scale: Scale,
    place: &Place,
    nginx: &Nginx,
    guests: &Rc<Guests>,
) -> Result<()> {
    for secure in [false, true] {
        let (part, url) = if secure {
            ("(a) GET of 100 bytes, https", nginx.https("/small"))
        } else {
            ("(a) GET of 100 bytes, http", nginx.http("/small"))
        };
        let mut contenders = contenders(place, nginx, guests, &url, secure).await?;
        let medians = alternate(&mut contenders, scale.rounds, scale.requests).await?;
        let [ours, limit, urllib3, reqwest, stock] = &medians[..] else {
            bail!("five contenders have five medians");
        };
        if ours.time.as_secs_f64() > limit.time.as_secs_f64() * 1.25 {
            let roots = &nginx.authority_file();
            let urlpool = Urlpool::new(url.clone(), Some(roots), 100, Reading::Whole).await?;
            let spent = urlpool.time_without_network(scale.requests).await?;
            let over = ours.time.saturating_sub(limit.time);
            table.note(reason(part, over, spent));
        }
        let time = |median| Quantity::Time(median);
        for (theirs, goal) in [
            (limit, Some(NEAR_THE_LIMIT)),
            (urllib3, Some(FAR_FROM_PYTHON)),
            (reqwest, None),
            (stock, None),
        ] {
            table.add(Row::against(
                part,
                &ours.name,
                time(ours.time),
                Compared::new(&theirs.name, time(theirs.time)),
                goal,
            ));
        }
    }
    table.note("The stock wasi:http client trusts only its built-in roots: for https its send_request is replaced by one that does the same with our root added (tests/bench/src/hooks.rs).");
    Ok(())
}

/// Where the time beyond the bare loop goes, as far as it can be measured without a network.
fn reason(part: &str, over: Duration, spent: WithoutNetwork) -> String {
    let micros = |span: Duration| span.as_secs_f64() * 1e6;
    let WithoutNetwork {
        empty_call,
        pool_call,
    } = spent;
    format!(
        "{part}: {:.1} us over the bare loop, which sends the same bytes again and looks for the end of the head. A request of ours is four calls \
         into the component ({:.2} us each when they do nothing) and parses a URL and finds its pool ({:.1} us); the rest is heads: written from \
         fields, read into fields, handed through the component's boundary field by field, and one look whether the idle connection still lives.",
        micros(over),
        micros(empty_call),
        micros(pool_call.saturating_sub(empty_call * 2)),
    )
}

async fn contenders(
    place: &Place,
    nginx: &Nginx,
    guests: &Rc<Guests>,
    url: &str,
    secure: bool,
) -> Result<Vec<Box<dyn Contender>>> {
    let roots = &nginx.authority_file();
    let (limit, binary, address) = if secure {
        ("bare rustls in wasm", "bench-rustls", nginx.secure())
    } else {
        ("raw sockets in wasm", "bench-raw", nginx.plain())
    };
    let bare = [address.to_string(), "/small".to_owned()];
    Ok(vec![
        Box::new(Urlpool::new(url.to_owned(), Some(roots), 100, Reading::Whole).await?),
        Box::new(guests.guest(limit, &place.guest(binary)?, Clock::Guests, &bare)?),
        Box::new(Urllib3::start(place, GETS, &[url, &roots.display().to_string()]).await?),
        Box::new(Reqwest::new(url.to_owned(), roots)?),
        Box::new(guests.guest(
            "stock wasi:http through wstd",
            &place.guest("bench-wstd")?,
            Clock::Guests,
            &[url.to_owned()],
        )?),
    ])
}
