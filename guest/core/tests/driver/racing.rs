//! Addresses of one name that are tried at the same time (RFC 8305), and what their sockets are told.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use urlpool_core::driver::Net as _;
use urlpool_core::sim::{Attempt, AttemptState, Listener, SimNet};
use urlpool_core::types::{
    AddressFamily, Event, HostEntry, Limit, ManagerSettings, Phase, PoolSettings, Probes,
    SocketOptions, SocketSettings, TcpKeepAlive,
};

use crate::common::{MILLI, SECOND, World, after, connect, origin_of, times_out};

const URL: &str = "http://a.test/";
/// How long the simulation takes to look up a name.
const LOOKUP: Duration = MILLI;

/// What somebody at an address does.
#[derive(Clone, Copy, Debug)]
enum Peer {
    Accepts,
    AcceptsAfter(u64),
    Refuses,
    RefusesAfter(u64),
    Denied,
    Silent,
}

use Peer::{Accepts, AcceptsAfter, Denied, Refuses, RefusesAfter, Silent};

impl Peer {
    fn listener(self) -> Listener {
        let good = || Listener::Accept(origin_of("here"));
        let late = |millis, other| Listener::Late(Duration::from_millis(millis), Box::new(other));
        match self {
            Accepts => good(),
            AcceptsAfter(millis) => late(millis, good()),
            Refuses => Listener::Refuse,
            RefusesAfter(millis) => late(millis, Listener::Refuse),
            Denied => Listener::Deny,
            Silent => Listener::BlackHole,
        }
    }
}

fn numbered(number: usize) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, u8::try_from(number).unwrap()).into()
}

/// Gives `a.test` one address for each peer.
fn settle(net: &SimNet, peers: &[Peer]) {
    let addresses: Vec<IpAddr> = (1..=peers.len()).map(numbered).collect();
    net.name("a.test", &addresses);
    for (address, peer) in addresses.into_iter().zip(peers) {
        net.listen(SocketAddr::new(address, 80), peer.listener());
    }
}

/// When attempts began, after the lookup, and what became of them.
fn history(net: &SimNet) -> Vec<(u128, AttemptState)> {
    let told = |attempt: &Attempt| ((attempt.at - LOOKUP).as_millis(), attempt.state);
    net.attempts().iter().map(told).collect()
}

#[test]
fn the_next_address_is_tried_after_a_failure_or_the_delay() {
    use AttemptState::{Connected, Failed, GivenUp};
    for (case, peers, expected, took) in [
        ("at once", vec![Accepts, Accepts], vec![(0, Connected)], 1),
        (
            "after silence",
            vec![Silent, Accepts],
            vec![(0, GivenUp), (250, Connected)],
            251,
        ),
        (
            "after more silence",
            vec![Silent, Silent, Silent, Accepts],
            vec![
                (0, GivenUp),
                (250, GivenUp),
                (500, GivenUp),
                (750, Connected),
            ],
            751,
        ),
        (
            "after a refusal",
            vec![Refuses, Accepts],
            vec![(0, Failed), (1, Connected)],
            2,
        ),
        (
            "after a denial",
            vec![Denied, Accepts],
            vec![(0, Failed), (1, Connected)],
            2,
        ),
        (
            "after a late refusal, from which the delay counts anew",
            vec![RefusesAfter(99), Silent, Accepts],
            vec![(0, Failed), (100, GivenUp), (350, Connected)],
            351,
        ),
        (
            "a late answer that is still the first",
            vec![AcceptsAfter(399), AcceptsAfter(399)],
            vec![(0, Connected), (250, GivenUp)],
            400,
        ),
        (
            "a later address that answers first",
            vec![AcceptsAfter(399), AcceptsAfter(99)],
            vec![(0, GivenUp), (250, Connected)],
            350,
        ),
        (
            "both at the same time",
            vec![AcceptsAfter(350), AcceptsAfter(100)],
            vec![(0, Connected), (250, GivenUp)],
            351,
        ),
        (
            "one fails when the other answers",
            vec![RefusesAfter(350), AcceptsAfter(100), Accepts],
            vec![(0, Failed), (250, Connected)],
            351,
        ),
    ] {
        let world = World::new();
        settle(&world.net, &peers);
        let (reply, elapsed) = world.timed_by(|| world.get(URL).expect(case));
        assert_eq!(reply.body, b"here", "{case}");
        assert_eq!(history(&world.net), expected, "{case}");
        assert_eq!(elapsed, LOOKUP + Duration::from_millis(took), "{case}");
        assert_eq!(world.net.open_connections(), 1, "{case}");
    }
}

#[test]
fn a_setting_changes_the_delay() {
    for (case, delay, began) in [
        ("longer", after(1), vec![0, 1000, 2000]),
        ("shorter", Some(Limit::After(MILLI * 20)), vec![0, 20, 40]),
        ("too short", Some(Limit::After(MILLI)), vec![0, 10, 20]),
    ] {
        let world = World::of_pools(PoolSettings {
            address_delay: delay,
            ..PoolSettings::default()
        });
        settle(&world.net, &[Silent, Silent, Accepts]);
        assert_eq!(world.get(URL).unwrap().body, b"here", "{case}");
        let starts = history(&world.net).into_iter().map(|(at, _)| at);
        assert_eq!(Vec::from_iter(starts), began, "{case}");
    }
}

#[test]
fn what_happened_last_has_the_last_word() {
    for (case, peers, kind, took) in [
        ("all refuse", vec![Refuses, Refuses], "connection-failed", 3),
        ("refused, then denied", vec![Refuses, Denied], "denied", 3),
        (
            "a late denial",
            vec![RefusesAfter(0), Denied, RefusesAfter(9)],
            "connection-failed",
            13,
        ),
        (
            "the first fails last",
            vec![RefusesAfter(699), Denied],
            "connection-failed",
            701,
        ),
        (
            "refused, then silence",
            vec![Refuses, Silent],
            "connect-timeout",
            3000,
        ),
        (
            "silence, and a refusal meanwhile",
            vec![Silent, Refuses],
            "connect-timeout",
            3000,
        ),
    ] {
        let world = World::timed(connect(3));
        settle(&world.net, &peers);
        let (told, phase, _, elapsed) = times_out(&world, URL, case);
        assert_eq!((told, phase), (kind, Phase::Connect), "{case}");
        assert_eq!(elapsed, Duration::from_millis(took), "{case}");
        assert_eq!(world.net.open_connections(), 0, "{case}");
    }
}

#[test]
fn many_addresses_that_never_answer_end_on_time_and_all_have_their_turn() {
    for (case, delay) in [("paced", None), ("one by one", Some(Limit::Unlimited))] {
        let world = World::of_pools(PoolSettings {
            timeouts: connect(3),
            address_delay: delay,
            ..PoolSettings::default()
        });
        settle(&world.net, &[Silent; 40]);
        let (kind, phase, _, took) = times_out(&world, URL, case);
        assert_eq!(
            (kind, phase, took),
            ("connect-timeout", Phase::Connect, SECOND * 3),
            "{case}"
        );
        let tried = world.net.attempts().into_iter();
        let tried: Vec<IpAddr> = tried.map(|attempt| attempt.address.ip()).collect();
        assert_eq!(tried, (1..=32).map(numbered).collect::<Vec<_>>(), "{case}");
        assert!(
            history(&world.net)
                .iter()
                .all(|(_, state)| *state == AttemptState::GivenUp),
            "{case}"
        );
    }
}

#[test]
fn the_oldest_of_many_gives_way_even_where_nothing_bounds_the_wait() {
    let world = World::new();
    let mut peers = vec![Silent; 9];
    peers.push(Accepts);
    settle(&world.net, &peers);
    assert_eq!(world.get(URL).unwrap().body, b"here");
    let starts: Vec<u128> = history(&world.net).into_iter().map(|(at, _)| at).collect();
    // Eight at the delay of 250 ms, then each two seconds after the one before.
    assert_eq!(
        starts,
        [0, 250, 500, 750, 1000, 1250, 1500, 1750, 3750, 5750]
    );
}

#[test]
fn a_caller_that_gives_up_ends_all_attempts() {
    let world = World::new();
    settle(&world.net, &[Silent, AcceptsAfter(5000), Silent]);
    let request = world.manager.request(
        "GET",
        URL,
        urlpool_core::types::Content::Empty,
        urlpool_core::types::RequestOptions::default(),
    );
    let outcome = world
        .net
        .run(crate::common::within(&world.net, SECOND, request));
    assert!(outcome.is_none(), "nobody answers within a second");
    assert_eq!(
        history(&world.net),
        [0, 250, 500].map(|at| (at, AttemptState::GivenUp))
    );
}

fn peers() -> impl Strategy<Value = Vec<Peer>> {
    let peer = prop_oneof![
        1 => Just(Accepts),
        2 => (0u64..3000).prop_map(AcceptsAfter),
        4 => Just(Refuses),
        4 => (0u64..3000).prop_map(RefusesAfter),
        2 => Just(Denied),
        8 => Just(Silent),
    ];
    vec(peer, 1..40)
}

proptest! {
    /// Whoever is there and whatever the delay: a connection, or every address had its turn; on time; nothing left behind.
    #[test]
    fn every_address_is_tried_or_one_connects(
        peers in peers(),
        timeout in 1u32..20,
        delay in prop_oneof![Just(None), Just(Some(Limit::Unlimited)), (1u64..3000).prop_map(|millis| Some(Limit::After(MILLI * u32::try_from(millis).unwrap())))],
    ) {
        let world = World::of_pools(PoolSettings {
            timeouts: connect(timeout),
            address_delay: delay,
            ..PoolSettings::default()
        });
        settle(&world.net, &peers);
        let (outcome, took) = world.timed_by(|| world.get(URL));
        prop_assert!(took <= SECOND * timeout);
        let attempts = world.net.attempts();
        let count = |state| attempts.iter().filter(|attempt| attempt.state == state).count();
        prop_assert_eq!(count(AttemptState::Running), 0);
        prop_assert_eq!(count(AttemptState::Connected), usize::from(outcome.is_ok()));
        prop_assert_eq!(world.net.connections(), usize::from(outcome.is_ok()));
        if outcome.is_err() {
            prop_assert_eq!(attempts.len(), peers.len().min(32));
        }
        let tried: Vec<IpAddr> = attempts.iter().map(|attempt| attempt.address.ip()).collect();
        prop_assert_eq!(tried, (1..=attempts.len()).map(numbered).collect::<Vec<_>>());
    }
}

/// A world where `a.test` has addresses of both families, at all of which somebody answers.
fn of_both_families(settings: ManagerSettings) -> World {
    let world = World::with(settings);
    let addresses = ["2001:db8::1", "2001:db8::2", "192.0.2.1"].map(|text| text.parse().unwrap());
    world.net.name("a.test", &addresses);
    for address in addresses {
        let good = Listener::Accept(origin_of("here"));
        world.net.listen(SocketAddr::new(address, 80), good);
    }
    world
}

#[test]
fn families_are_tried_by_turns_and_only_those_that_are_wanted() {
    let v4 = Some("198.51.100.7:0".parse().unwrap());
    for (case, family, source, expected) in [
        (
            "any",
            None,
            None,
            &["2001:db8::1", "192.0.2.1", "2001:db8::2"][..],
        ),
        ("IPv4", Some(AddressFamily::Ipv4), None, &["192.0.2.1"]),
        (
            "IPv6",
            Some(AddressFamily::Ipv6),
            None,
            &["2001:db8::1", "2001:db8::2"],
        ),
        ("from IPv4", None, v4, &["192.0.2.1"]),
    ] {
        let world = of_both_families(ManagerSettings {
            pool: PoolSettings {
                family,
                source_address: source,
                ..PoolSettings::default()
            },
            ..ManagerSettings::default()
        });
        assert_eq!(world.get(URL).unwrap().body, b"here", "{case}");
        let resolved = world.manager.take_events().into_iter().find_map(|event| {
            let Event::Resolved { addresses, .. } = event else {
                return None;
            };
            Some(addresses)
        });
        assert_eq!(resolved.unwrap(), expected, "{case}");
        let first = &world.net.attempts()[0];
        assert_eq!(first.address.ip().to_string(), expected[0], "{case}");
        assert_eq!(first.socket.source, source, "{case}");
    }
}

#[test]
fn an_address_that_may_not_be_used_is_not_tried() {
    for (case, url, family, source, message) in [
        (
            "a family the name has not",
            "http://six.test/",
            Some(AddressFamily::Ipv4),
            None,
            "there is no IPv4 address",
        ),
        (
            "an address in the URL",
            "http://192.0.2.1/",
            Some(AddressFamily::Ipv6),
            None,
            "there is no IPv6 address",
        ),
        (
            "a source of the other family",
            "http://six.test/",
            None,
            Some("198.51.100.7:0"),
            "no address can be reached from the source address 198.51.100.7",
        ),
    ] {
        let world = World::of_pools(PoolSettings {
            family,
            source_address: source.map(|text| text.parse().unwrap()),
            ..PoolSettings::default()
        });
        world
            .net
            .name("six.test", &["2001:db8::1".parse().unwrap()]);
        let (kind, phase, told, _) = times_out(&world, url, case);
        assert_eq!(
            (kind, phase),
            ("connection-failed", Phase::Connect),
            "{case}"
        );
        assert_eq!(
            told,
            format!("Failed to establish a new connection: {message}"),
            "{case}"
        );
        assert_eq!(world.net.attempts(), [], "{case}");
    }
}

#[test]
fn every_socket_is_told_the_same() {
    let probes = Probes {
        idle: SECOND * 60,
        interval: SECOND * 10,
        count: 3,
    };
    let source = Some("198.51.100.7:4000".parse().unwrap());
    let world = World::of_pools(PoolSettings {
        source_address: source,
        socket: SocketSettings {
            keep_alive: Some(TcpKeepAlive::On(probes)),
            receive_buffer: Some(65_536),
            send_buffer: Some(32_768),
            hop_limit: Some(7),
        },
        ..PoolSettings::default()
    });
    settle(&world.net, &[Refuses, Accepts]);
    assert_eq!(world.get(URL).unwrap().body, b"here");
    let told = SocketOptions {
        source,
        keep_alive: Some(probes),
        receive_buffer: Some(65_536),
        send_buffer: Some(32_768),
        hop_limit: Some(7),
    };
    let attempts = world.net.attempts();
    assert_eq!(attempts.len(), 2);
    assert!(attempts.iter().all(|attempt| attempt.socket == told));
}

#[test]
fn the_table_of_hosts_comes_before_lookup() {
    let known = |name: &str, addresses: &[&str]| HostEntry {
        name: name.to_owned(),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
    };
    let world = of_both_families(ManagerSettings {
        hosts: vec![
            known("A.Test", &["192.0.2.1"]),
            known("made-up.test", &["192.0.2.9", "192.0.2.1"]),
            known("nowhere.test", &[]),
        ],
        ..ManagerSettings::default()
    });
    for (url, took, remote) in [
        (URL, MILLI, "192.0.2.1:80"),
        ("http://MADE-UP.test/", MILLI * 2, "192.0.2.1:80"),
    ] {
        let (reply, elapsed) = world.timed_by(|| world.get(url).unwrap());
        assert_eq!(reply.connection.remote, remote, "{url}");
        assert_eq!(elapsed, took, "{url}: no lookup took any time");
    }
    let (kind, phase, message, took) = times_out(&world, "http://nowhere.test/", "no address");
    assert_eq!(
        (kind, phase, took),
        ("name-resolution", Phase::Resolve, Duration::ZERO)
    );
    assert_eq!(
        message,
        "Failed to resolve 'nowhere.test' (the name has no address)"
    );
    let (kind, ..) = times_out(
        &world,
        "http://www.a.test/",
        "a name below one in the table",
    );
    assert_eq!(kind, "name-resolution");
}

#[test]
fn what_is_random_here_is_the_same_in_every_run() {
    let drawn = |seed| {
        let (net, mut bytes) = (SimNet::new(), [0; 16]);
        net.seed(seed);
        net.random(&mut bytes);
        bytes
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
    assert_ne!(drawn(0), [0; 16]);
}
