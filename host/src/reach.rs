//! Which addresses are public, and sets of addresses.
//!
//! Public is what the special-purpose registries of IANA (RFC 6890) call globally reachable; what they list with exceptions is taken as a
//! whole, and not as public. An IPv6 address that carries an IPv4 one is as public as that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use urlpool_core::types::Host;

/// What is not public of IPv4.
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    // This network; Linux takes 0.0.0.0 for the loopback.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private use (RFC 1918).
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Shared by a provider and its customers (RFC 6598).
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, where clouds keep the credentials of their machines.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation (RFC 5737).
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Relays of 6to4, which are no more (RFC 7526).
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Benchmarks (RFC 2544).
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and the broadcast address.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// What is not public of 2000::/3, outside of which nothing is.
const SPECIAL_V6: [(Ipv6Addr, u32); 3] = [
    // Protocol assignments, Teredo (RFC 4380) among them.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation (RFC 3849, RFC 9637).
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is of the public Internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => carried(address).map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4
        .iter()
        .any(|(start, length)| shares_v4(*start, address, *length))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let unicast = Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0);
    shares_v6(unicast, address, 3)
        && !SPECIAL_V6
            .iter()
            .any(|(start, length)| shares_v6(*start, address, *length))
}

/// The IPv4 address that packets to an IPv6 one end at: mapped, compatible (RFC 4291, section 2.5.5), translated (RFC 2765, section 2.1),
/// behind NAT64 (RFC 6052, section 2.1) and 6to4 (RFC 3056).
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., y, z] = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..]
        | [0, 0, 0, 0, 0, 0, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(of(y, z)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

/// Whether two addresses begin with the same bits.
fn shares_v4(one: Ipv4Addr, other: Ipv4Addr, length: u32) -> bool {
    let difference = one.to_bits() ^ other.to_bits();
    difference.leading_zeros() >= length
}

fn shares_v6(one: Ipv6Addr, other: Ipv6Addr, length: u32) -> bool {
    let difference = one.to_bits() ^ other.to_bits();
    difference.leading_zeros() >= length
}

/// An address, or all that begin as it does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Network {
    start: IpAddr,
    length: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`, `fd00::/8` or a single address in any spelling that a URL may have.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once('/') {
            None => Some(Self::single(Host::parse(text).ok()?.address()?)),
            Some((start, length)) => {
                let start: IpAddr = start.parse().ok()?;
                let length: u32 = length.parse().ok()?;
                let whole = if start.is_ipv4() { 32 } else { 128 };
                (length <= whole).then_some(Self { start, length })
            }
        }
    }

    fn single(address: IpAddr) -> Self {
        let start = address.to_canonical();
        let length = if start.is_ipv4() { 32 } else { 128 };
        Self { start, length }
    }

    /// Whether an address is in it; one that is mapped into IPv6 is the IPv4 address.
    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        match (self.start, address.to_canonical()) {
            (IpAddr::V4(start), IpAddr::V4(address)) => shares_v4(start, address, self.length),
            (IpAddr::V6(start), IpAddr::V6(address)) => shares_v6(start, address, self.length),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_public_is_what_anybody_can_reach() {
        for (address, expected) in [
            ("1.1.1.1", true),
            ("9.255.255.255", true),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.128.0.0", true),
            ("126.255.255.255", true),
            ("128.0.0.0", true),
            ("169.253.255.255", true),
            ("172.15.255.255", true),
            ("172.32.0.0", true),
            ("192.0.1.0", true),
            ("192.167.255.255", true),
            ("192.169.0.0", true),
            ("198.17.255.255", true),
            ("198.20.0.0", true),
            ("223.255.255.255", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.0", false),
            ("10.255.255.255", false),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.255.255.255", false),
            ("169.254.169.254", false),
            ("172.16.0.0", false),
            ("172.31.255.255", false),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.0.0", false),
            ("192.168.255.255", false),
            ("198.18.0.0", false),
            ("198.19.255.255", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("239.255.255.255", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700:4700::1111", true),
            ("2001:200::1", true),
            ("2001:dba::1", true),
            ("2a00::1", true),
            ("::", false),
            ("::1", false),
            ("100::1", false),
            ("1fff:ffff::1", false),
            ("2001::1", false),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", false),
            ("2001:1ff:ffff::1", false),
            ("2001:db8::1", false),
            ("3fff::1", false),
            ("4000::1", false),
            ("5f00::1", false),
            ("64:ff9b:1::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("febf::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn an_address_that_carries_another_is_as_public_as_that() {
        for form in [
            "::ffff:{}",
            "::{}",
            "::ffff:0:{}",
            "64:ff9b::{}",
            "2002:{}::",
            "2002:{}::1",
        ] {
            for (inner, expected) in [
                (Ipv4Addr::new(1, 1, 1, 1), true),
                (Ipv4Addr::new(127, 0, 0, 1), false),
                (Ipv4Addr::new(10, 1, 2, 3), false),
                (Ipv4Addr::new(169, 254, 169, 254), false),
            ] {
                let [a, b, c, d] = inner.octets();
                let hex = format!("{a:02x}{b:02x}:{c:02x}{d:02x}");
                let outer: Ipv6Addr = form.replace("{}", &hex).parse().unwrap();
                assert_eq!(is_public(outer.into()), expected, "{form} of {inner}");
            }
        }
    }

    #[test]
    fn a_network_holds_what_begins_as_it_does() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("10.0.0.0/8", "::10.0.0.1", false),
            ("10.0.0.0/8", "64:ff9b::10.0.0.1", false),
            ("0.0.0.0/0", "127.0.0.1", true),
            ("0.0.0.0/0", "::1", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0x7f.1", "127.0.0.1", true),
            ("[::1]", "::1", true),
            ("::1", "::1", true),
            ("::ffff:192.168.0.1", "192.168.0.1", true),
        ] {
            let network = Network::parse(network.trim_start_matches('[').trim_end_matches(']'))
                .unwrap_or_else(|| panic!("{network}"));
            let held = network.holds(address.parse().unwrap());
            assert_eq!(held, expected, "{network:?} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in [
            "",
            "example.com",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10/8",
            "/8",
            "10.0.0.0/-1",
        ] {
            assert_eq!(Network::parse(text), None, "{text:?}");
        }
    }
}
