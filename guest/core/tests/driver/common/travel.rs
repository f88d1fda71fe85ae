//! Requests that take more than one attempt.

use std::time::Duration;

use urlpool_core::policy::fields::USER_AGENT;
use urlpool_core::sim::Script;
use urlpool_core::types::{
    Content, Error, Event, Exhausted, Headers, PoolSettings, RequestOptions, Retries, Timeouts,
};

use super::{World, answer, origin_of};

/// How long a lookup and a connection take.
pub(crate) const DIAL: Duration = Duration::from_millis(2);

/// A server that answers each of these in turn on one connection, and the last one up to twenty times.
pub(crate) fn in_turn(responses: &[Vec<u8>]) -> Script {
    let (last, first) = responses.split_last().unwrap();
    let script = first.iter().fold(Script::new(), |script, response| {
        script.request().send(response.clone())
    });
    (1..20).fold(script, |script, _| script.request().send(last.clone()))
}

/// Retries of these statuses too.
pub(crate) fn listing(statuses: &[u16], retries: Retries) -> Retries {
    Retries {
        statuses: Some(statuses.to_vec()),
        ..retries
    }
}

/// Retries that wait longer and longer.
pub(crate) fn growing(factor: Duration, retries: Retries) -> Retries {
    Retries {
        backoff_factor: Some(factor),
        ..retries
    }
}

/// A world whose requests are tried again like this, in this time.
pub(crate) fn retrying(retries: Retries, timeouts: Timeouts) -> World {
    World::of_pools(PoolSettings {
        retries,
        timeouts,
        ..PoolSettings::default()
    })
}

/// After how long each attempt of a request was followed by another.
pub(crate) fn delays(world: &World) -> Vec<Duration> {
    let delay = |event| match event {
        Event::Retried { delay } => Some(delay),
        _ => None,
    };
    let events = world.manager.take_events();
    events.into_iter().filter_map(delay).collect()
}

/// A response that leads elsewhere.
pub(crate) fn to(status: &str, location: &str) -> Vec<u8> {
    answer(status, &[&format!("Location: {location}")], "moved")
}

pub(crate) fn found(location: &str) -> Vec<u8> {
    to("302 Found", location)
}

/// A world of `a.test`, which answers like this, and `b.test`, which says yes to everything.
pub(crate) fn leading(responses: &[Vec<u8>]) -> World {
    let world = World::retrying(Retries::total(3));
    world.serve("a.test", vec![in_turn(responses)]);
    world.serve("b.test", origin_of("b"));
    world
}

pub(crate) fn with_headers(fields: &[(&str, &str)]) -> RequestOptions {
    RequestOptions {
        headers: Some(Headers::parse(fields.iter().copied()).unwrap()),
        ..RequestOptions::default()
    }
}

pub(crate) fn with_retries(retries: Retries) -> RequestOptions {
    RequestOptions {
        retries,
        ..RequestOptions::default()
    }
}

/// Sends a request; its status, its URL and its body.
pub(crate) fn ask(
    world: &World,
    method: &str,
    url: &str,
    content: &str,
    options: RequestOptions,
) -> Result<(u16, String, String), Error> {
    let content = match content {
        "" => Content::Empty,
        text => Content::Bytes(text.into()),
    };
    let request = world.manager.request(method, url, content, options);
    let response = world.net.run(request)?;
    let url = response.head().url.clone();
    let reply = world.finish(response)?;
    Ok((reply.status, url, String::from_utf8(reply.body).unwrap()))
}

pub(crate) fn get(world: &World, url: &str) -> Result<(u16, String, String), Error> {
    ask(world, "GET", url, "", RequestOptions::default())
}

/// A GET without fields of the caller's.
pub(crate) fn plain(target: &str, host: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\nUser-Agent: {USER_AGENT}\r\n\r\n"
    )
}

pub(crate) fn lines(request: &str) -> Vec<&str> {
    request.lines().filter(|line| !line.is_empty()).collect()
}

pub(crate) fn has_field(request: &str, name: &str) -> bool {
    request.lines().skip(1).any(|line| {
        line.split_once(':')
            .is_some_and(|(field, _)| field.eq_ignore_ascii_case(name))
    })
}

pub(crate) fn exhausted(error: Error) -> Exhausted {
    match error {
        Error::RetriesExhausted(exhausted) => *exhausted,
        other => panic!("the retries are not what is exhausted: {other:?}"),
    }
}

pub(crate) fn too_many(error: Error) -> Exhausted {
    match error {
        Error::TooManyRedirects(exhausted) => *exhausted,
        other => panic!("there are not too many redirects: {other:?}"),
    }
}
