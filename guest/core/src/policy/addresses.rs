//! Which addresses of a name are tried, in which order and how soon one after the other (RFC 8305: Happy Eyeballs).
//!
//! The addresses of both families come from one lookup, so nothing here waits for the other family's answer (RFC 8305, section 3), and they
//! come in the order of preference that whoever looked them up has found (section 4), of which only the families are interleaved.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::types::{AddressFamily, Error, Limit};

/// How many addresses of one name are tried. More are a mistake or an attack.
pub const MAX_ADDRESSES: usize = 32;
/// How many are tried at the same time: as many as most names have, few enough for any network. RFC 8305 sets no limit.
const MAX_RUNNING: usize = 8;
/// Connection Attempt Delay (RFC 8305, section 8).
const DEFAULT_DELAY: Duration = Duration::from_millis(250);
/// What the delay must not be set below (RFC 8305, section 8).
const MIN_DELAY: Duration = Duration::from_millis(10);
/// Maximum Connection Attempt Delay (RFC 8305, section 8): how long the oldest of [`MAX_RUNNING`] may keep the next address waiting.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// The addresses to try, first to last: those that may be used, each once, the families by turns. The first one's family begins.
///
/// # Errors
/// Where none may be used, the reason in words.
pub fn order(
    addresses: &[IpAddr],
    family: AddressFamily,
    source: Option<SocketAddr>,
) -> Result<Vec<IpAddr>, String> {
    let (mut leading, mut others): (Vec<IpAddr>, Vec<IpAddr>) = (Vec::new(), Vec::new());
    let mut is_any_in_family = false;
    for address in addresses {
        let is_in_family = match family {
            AddressFamily::Any => true,
            AddressFamily::Ipv4 => address.is_ipv4(),
            AddressFamily::Ipv6 => address.is_ipv6(),
        };
        is_any_in_family |= is_in_family;
        if !is_in_family || source.is_some_and(|source| source.is_ipv4() != address.is_ipv4()) {
            continue;
        }
        let leads = |first: &IpAddr| first.is_ipv4() == address.is_ipv4();
        let kept = if leading.first().is_none_or(leads) {
            &mut leading
        } else {
            &mut others
        };
        if kept.len() < MAX_ADDRESSES && !kept.contains(address) {
            kept.push(*address);
        }
    }
    if leading.is_empty() {
        return Err(none_left(family, source.filter(|_| is_any_in_family)));
    }
    Ok(by_turns(leading, others))
}

fn none_left(family: AddressFamily, source: Option<SocketAddr>) -> String {
    match (source, family) {
        (Some(source), _) => {
            let ip = source.ip();
            format!("no address can be reached from the source address {ip}")
        }
        (None, AddressFamily::Ipv4) => "there is no IPv4 address".into(),
        (None, AddressFamily::Ipv6) => "there is no IPv6 address".into(),
        (None, AddressFamily::Any) => "there is no address".into(),
    }
}

fn by_turns(leading: Vec<IpAddr>, others: Vec<IpAddr>) -> Vec<IpAddr> {
    if others.is_empty() {
        return leading;
    }
    let (mut leading, mut others) = (leading.into_iter(), others.into_iter());
    let mut ordered = Vec::new();
    while ordered.len() < MAX_ADDRESSES {
        let before = ordered.len();
        ordered.extend(leading.next());
        ordered.extend(others.next());
        if ordered.len() == before {
            break;
        }
    }
    ordered
}

/// How soon one address follows another.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Pace {
    /// `None`: one at a time.
    delay: Option<Duration>,
}

impl Pace {
    /// What a setting says; `None` means the default.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] where it is 0.
    pub fn of(delay: Option<Limit>) -> Result<Self, Error> {
        let delay = match delay {
            None => Some(DEFAULT_DELAY),
            Some(Limit::Unlimited) => None,
            Some(Limit::After(span)) if span.is_zero() => {
                return Err(Error::InvalidSettings(
                    "The delay between addresses cannot be 0.".into(),
                ));
            }
            Some(Limit::After(span)) => Some(span.max(MIN_DELAY)),
        };
        Ok(Self { delay })
    }

    /// Whether the oldest attempt must be given up before another begins.
    #[must_use]
    pub const fn is_full(self, running: usize) -> bool {
        running >= if self.delay.is_some() { MAX_RUNNING } else { 1 }
    }

    /// How long `running` attempts are left to themselves before the first of `waiting` addresses is tried too, `left` being the time until
    /// all of them must have ended. `None` where only a failure makes room for it.
    ///
    /// It is never more than that address's share of the time, so each gets its turn.
    #[must_use]
    pub fn pause(self, left: Option<Duration>, running: usize, waiting: usize) -> Option<Duration> {
        if waiting == 0 {
            return None;
        }
        let shares = u32::try_from(waiting).unwrap_or(u32::MAX).saturating_add(1);
        let share = left.map(|left| left / shares);
        let delay = self.delay.map(|delay| {
            if self.is_full(running) {
                delay.max(MAX_DELAY)
            } else {
                delay
            }
        });
        share.into_iter().chain(delay).min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Vec<IpAddr> {
        text.split_whitespace()
            .map(|address| address.parse().unwrap())
            .collect()
    }

    #[test]
    fn families_take_turns_and_the_first_address_leads() {
        use AddressFamily::{Any, Ipv4, Ipv6};
        for (case, given, family, source, expected) in [
            ("one", "192.0.2.1", Any, None, Ok("192.0.2.1")),
            (
                "IPv6 leads",
                "::1 ::2 192.0.2.1 192.0.2.2",
                Any,
                None,
                Ok("::1 192.0.2.1 ::2 192.0.2.2"),
            ),
            (
                "IPv4 leads",
                "192.0.2.1 192.0.2.2 ::1",
                Any,
                None,
                Ok("192.0.2.1 ::1 192.0.2.2"),
            ),
            (
                "by turns already",
                "::1 192.0.2.1 ::2",
                Any,
                None,
                Ok("::1 192.0.2.1 ::2"),
            ),
            (
                "more of the other",
                "::1 192.0.2.1 192.0.2.2 192.0.2.3",
                Any,
                None,
                Ok("::1 192.0.2.1 192.0.2.2 192.0.2.3"),
            ),
            (
                "twice the same",
                "::1 ::1 192.0.2.1 ::1 192.0.2.1",
                Any,
                None,
                Ok("::1 192.0.2.1"),
            ),
            (
                "IPv4 only",
                "::1 192.0.2.1 ::2 192.0.2.2",
                Ipv4,
                None,
                Ok("192.0.2.1 192.0.2.2"),
            ),
            (
                "IPv6 only",
                "::1 192.0.2.1 ::2 192.0.2.2",
                Ipv6,
                None,
                Ok("::1 ::2"),
            ),
            (
                "from IPv4",
                "::1 192.0.2.1",
                Any,
                Some("192.0.2.9:0"),
                Ok("192.0.2.1"),
            ),
            (
                "from IPv6",
                "192.0.2.1 ::1",
                Any,
                Some("[::9]:0"),
                Ok("::1"),
            ),
            ("none", "", Any, None, Err("there is no address")),
            (
                "none of IPv4",
                "::1",
                Ipv4,
                None,
                Err("there is no IPv4 address"),
            ),
            (
                "none of IPv6",
                "192.0.2.1",
                Ipv6,
                None,
                Err("there is no IPv6 address"),
            ),
            (
                "none of the family at all",
                "::1",
                Ipv4,
                Some("192.0.2.9:0"),
                Err("there is no IPv4 address"),
            ),
            (
                "none from the source",
                "::1",
                Any,
                Some("192.0.2.9:80"),
                Err("no address can be reached from the source address 192.0.2.9"),
            ),
            (
                "a family that the source is not of",
                "::1 192.0.2.1",
                Ipv6,
                Some("192.0.2.9:0"),
                Err("no address can be reached from the source address 192.0.2.9"),
            ),
        ] {
            let source = source.map(|text| text.parse().unwrap());
            let ordered = order(&parsed(given), family, source);
            assert_eq!(
                ordered,
                expected.map(parsed).map_err(str::to_owned),
                "{case}"
            );
        }
    }

    #[test]
    fn a_flood_of_addresses_is_cut_without_losing_a_family() {
        let flood = |count: u128| (1..=count).map(|number| IpAddr::V6(number.into()));
        let only = order(&Vec::from_iter(flood(4000)), AddressFamily::Any, None).unwrap();
        assert_eq!(only, Vec::from_iter(flood(32)));
        let mixed: Vec<IpAddr> = flood(4000).chain(parsed("192.0.2.1")).collect();
        let mixed = order(&mixed, AddressFamily::Any, None).unwrap();
        assert_eq!((mixed.len(), mixed[1]), (32, "192.0.2.1".parse().unwrap()));
    }

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn an_address_waits_for_the_delay_or_its_share_of_the_time() {
        let after = |count| Some(Limit::After(millis(count)));
        for (case, delay, left, running, waiting, expected) in [
            ("the default", None, None, 1, 1, Some(250)),
            ("time enough", None, Some(30_000), 1, 1, Some(250)),
            ("a setting", after(100), Some(30_000), 1, 1, Some(100)),
            (
                "a setting that is too small",
                after(1),
                Some(30_000),
                1,
                1,
                Some(10),
            ),
            (
                "a setting that is large",
                after(9_000),
                Some(30_000),
                1,
                1,
                Some(9_000),
            ),
            ("just time enough", None, Some(1_000), 1, 3, Some(250)),
            ("not time enough", None, Some(1_000), 1, 4, Some(200)),
            ("less than the least", None, Some(60), 1, 11, Some(5)),
            ("no time", None, Some(0), 1, 1, Some(0)),
            ("nobody waits", None, Some(1_000), 1, 0, None),
            ("one below the most", None, None, 7, 1, Some(250)),
            ("the most", None, None, 8, 1, Some(2_000)),
            (
                "the most, little time",
                None,
                Some(3_000),
                8,
                2,
                Some(1_000),
            ),
            (
                "the most, a large setting",
                after(9_000),
                None,
                8,
                1,
                Some(9_000),
            ),
            (
                "one after another",
                Some(Limit::Unlimited),
                Some(3_000),
                1,
                2,
                Some(1_000),
            ),
            (
                "one after another without limit",
                Some(Limit::Unlimited),
                None,
                1,
                2,
                None,
            ),
        ] {
            let pace = Pace::of(delay).unwrap();
            let pause = pace.pause(left.map(millis), running, waiting);
            assert_eq!(pause, expected.map(millis), "{case}");
        }
        assert_eq!(Pace::of(after(0)).unwrap_err().kind(), "invalid-settings");
    }

    #[test]
    fn so_many_run_at_a_time() {
        for (case, delay, most) in [
            ("paced", None, 8),
            ("one after another", Some(Limit::Unlimited), 1),
        ] {
            let pace = Pace::of(delay).unwrap();
            let room = (0..100).take_while(|running| !pace.is_full(*running));
            assert_eq!(room.count(), most, "{case}");
        }
    }

    proptest! {
        /// Whatever is left out is left out for a reason, and nothing is made up.
        #[test]
        fn order_keeps_every_usable_address(
            numbers in vec((any::<bool>(), 0u8..20), 0..50),
            family in prop_oneof![Just(AddressFamily::Any), Just(AddressFamily::Ipv4), Just(AddressFamily::Ipv6)],
        ) {
            let given: Vec<IpAddr> = numbers
                .iter()
                .map(|(is_v4, number)| if *is_v4 { IpAddr::from([192, 0, 2, *number]) } else { IpAddr::V6(u128::from(*number).into()) })
                .collect();
            let usable = |address: &IpAddr| match family {
                AddressFamily::Any => true,
                AddressFamily::Ipv4 => address.is_ipv4(),
                AddressFamily::Ipv6 => address.is_ipv6(),
            };
            let mut expected: Vec<IpAddr> = given.iter().copied().filter(usable).collect();
            let first = expected.first().copied();
            expected.sort();
            expected.dedup();
            let ordered = order(&given, family, None).unwrap_or_default();
            prop_assert_eq!(ordered.first().copied(), first);
            prop_assert_eq!(ordered.len(), expected.len().min(MAX_ADDRESSES));
            let mut sorted = ordered.clone();
            sorted.sort();
            sorted.dedup();
            prop_assert_eq!(sorted.len(), ordered.len());
            prop_assert!(sorted.iter().all(|address| expected.contains(address)));
        }

        /// However little time there is and however few fail, all addresses have begun before it is over.
        #[test]
        fn every_address_has_its_turn(total in 1u64..100_000, count in 1usize..=MAX_ADDRESSES, delay in 1u64..20_000) {
            for pace in [Pace::of(Some(Limit::After(millis(delay)))).unwrap(), Pace::of(Some(Limit::Unlimited)).unwrap()] {
                let (mut left, mut running) = (millis(total), 1);
                for waiting in (1..count).rev() {
                    let pause = pace.pause(Some(left), running, waiting).unwrap();
                    prop_assert!(pause < left);
                    left -= pause;
                    running += usize::from(!pace.is_full(running));
                }
            }
        }
    }
}
