//! Which addresses are public, and sets of addresses.
//!
//! Public is what the special-purpose registries of IANA (RFC 6890) call globally reachable; what they list with exceptions is taken as a
//! whole, and not as public. An IPv6 address that carries an IPv4 one is as public as that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use urlpool_core::types::{Host, Network};

/// What is not public.
const SPECIAL: [Network; 18] = [
    // This network; Linux takes 0.0.0.0 for the loopback.
    v4([0, 0, 0, 0], 8),
    // Private use (RFC 1918).
    v4([10, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
    // Shared by a provider and its customers (RFC 6598).
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    // Link-local, where clouds keep the credentials of their machines.
    v4([169, 254, 0, 0], 16),
    v4([192, 0, 0, 0], 24),
    // Documentation (RFC 5737).
    v4([192, 0, 2, 0], 24),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    // Relays of 6to4, which are no more (RFC 7526).
    v4([192, 88, 99, 0], 24),
    // Benchmarks (RFC 2544).
    v4([198, 18, 0, 0], 15),
    // Multicast.
    v4([224, 0, 0, 0], 4),
    // Reserved, and the broadcast address.
    v4([240, 0, 0, 0], 4),
    // Protocol assignments, Teredo (RFC 4380) among them.
    v6([0x2001, 0], 23),
    // Documentation (RFC 3849, RFC 9637).
    v6([0x2001, 0xdb8], 32),
    v6([0x3fff, 0], 20),
];

/// Outside of it, nothing of IPv6 is public.
const UNICAST: Network = v6([0x2000, 0], 3);

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Network {
    Network::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits)
}

const fn v6([a, b]: [u16; 2], bits: u8) -> Network {
    Network::new(IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0)), bits)
}

/// Whether an address is of the public Internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V6(outer) => carried(outer).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    (address.is_ipv4() || UNICAST.contains(address))
        && !SPECIAL.iter().any(|network| network.contains(address))
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

/// Reads `10.0.0.0/8`, `fd00::/8` or a single address in any spelling that a URL may have.
pub(crate) fn network(text: &str) -> Option<Network> {
    if text.contains('/') {
        return Network::parse(text);
    }
    let address = Host::parse(text).ok()?.address()?;
    Some(Network::single(address.to_canonical()))
}

/// Whether an address is in a network; one that is mapped into IPv6 is the IPv4 address.
pub(crate) fn holds(network: &Network, address: IpAddr) -> bool {
    network.contains(address.to_canonical())
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
            let network = super::network(network.trim_start_matches('[').trim_end_matches(']'))
                .unwrap_or_else(|| panic!("{network}"));
            let held = holds(&network, address.parse().unwrap());
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
            assert_eq!(network(text), None, "{text:?}");
        }
    }
}
