//! Networks: the addresses that begin with the same bits.

use std::net::IpAddr;

/// The addresses of one family that begin with the same bits (RFC 4632, section 3.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// The addresses that have these first bits of `address`. No address has more than all of them.
    #[must_use]
    pub const fn new(address: IpAddr, bits: u8) -> Self {
        Self { address, bits }
    }

    /// This address alone.
    #[must_use]
    pub const fn single(address: IpAddr) -> Self {
        Self::new(address, length(address))
    }

    /// `192.0.2.0/24`: its first address or any other of it, and the number of its bits. An IPv6 address may stand in brackets.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let bare = address
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(address);
        let address: IpAddr = bare.parse().ok()?;
        let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits: u8 = bits.parse().ok().filter(|_| is_number)?;
        (bits <= length(address)).then_some(Self { address, bits })
    }

    /// Whether an address is in it. One of the other family never is, not even an IPv4 address that is mapped into IPv6.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let differing = match (address, self.address) {
            (IpAddr::V4(address), IpAddr::V4(network)) => {
                u128::from(address.to_bits() ^ network.to_bits()) << 96
            }
            (IpAddr::V6(address), IpAddr::V6(network)) => address.to_bits() ^ network.to_bits(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        differing.leading_zeros() >= u32::from(self.bits)
    }
}

/// How many bits an address has.
const fn length(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}
