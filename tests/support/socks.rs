//! What a SOCKS client asks for: SOCKS 4, 4a and 5 (RFC 1928, RFC 1929), from the server's side.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::server::Link;

const NO_PASSWORD: u8 = 0;
const PASSWORD: u8 = 2;
const NO_METHOD: u8 = 0xff;

/// Whom a client wants to reach.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SocksHost {
    /// By an address that it knows.
    Address(IpAddr),
    /// By a name that the server is to look up.
    Name(String),
}

/// All that a client told a SOCKS server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SocksRequest {
    /// 4 or 5; 4a is 4 with a name.
    pub version: u8,
    /// The methods of authentication that were offered; none in version 4.
    pub methods: Vec<u8>,
    /// The user, where one was named.
    pub user: Option<String>,
    /// The password, where one was given.
    pub password: Option<String>,
    /// The host.
    pub host: SocksHost,
    /// Its port.
    pub port: u16,
}

/// What a server asks of its clients.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demands {
    /// The user and the password.
    pub(crate) credentials: Option<(String, String)>,
    /// The answer to a greeting of version 5, whatever it offers.
    pub(crate) method: Option<u8>,
}

/// Reads what a client sends, bit by bit.
pub(crate) struct Dialogue<'a> {
    link: &'a mut Link,
    /// How many bytes have been read.
    pub(crate) read: usize,
}

impl<'a> Dialogue<'a> {
    pub(crate) fn new(link: &'a mut Link) -> Self {
        Self { link, read: 0 }
    }

    /// Reads to the end of the request; `None` where the client is gone or has been turned away.
    pub(crate) async fn request(&mut self, demands: &Demands) -> Option<SocksRequest> {
        match self.byte().await? {
            4 => self.version4(demands).await,
            5 => self.version5(demands).await,
            _ => None,
        }
    }

    async fn version4(&mut self, demands: &Demands) -> Option<SocksRequest> {
        let _command = self.byte().await?;
        let port = self.port().await?;
        let address = Ipv4Addr::from(self.bytes::<4>().await?);
        let user = self.terminated().await?;
        let host = match address.octets() {
            [0, 0, 0, last] if last > 0 => SocksHost::Name(self.terminated().await?),
            _ => SocksHost::Address(address.into()),
        };
        if let Some((wanted, _)) = &demands.credentials
            && *wanted != user
        {
            self.link.send(&refusal(4, 93)).await;
            return None;
        }
        Some(SocksRequest {
            version: 4,
            methods: Vec::new(),
            user: (!user.is_empty()).then_some(user),
            password: None,
            host,
            port,
        })
    }

    async fn version5(&mut self, demands: &Demands) -> Option<SocksRequest> {
        let methods = self.counted().await?;
        let wanted = match &demands.credentials {
            Some(_) => PASSWORD,
            None => NO_PASSWORD,
        };
        let offered = if methods.contains(&wanted) {
            wanted
        } else {
            NO_METHOD
        };
        let method = demands.method.unwrap_or(offered);
        if !self.link.send(&[5, method]).await {
            return None;
        }
        let (user, password) = match method {
            NO_METHOD => return None,
            PASSWORD => self.credentials(demands).await?,
            _ => (None, None),
        };
        let [_version, _command, _reserved, kind] = self.bytes().await?;
        let host = match kind {
            1 => SocksHost::Address(Ipv4Addr::from(self.bytes::<4>().await?).into()),
            3 => SocksHost::Name(text(self.counted().await?)),
            4 => SocksHost::Address(Ipv6Addr::from(self.bytes::<16>().await?).into()),
            _ => return None,
        };
        Some(SocksRequest {
            version: 5,
            methods,
            user,
            password,
            host,
            port: self.port().await?,
        })
    }

    /// RFC 1929.
    async fn credentials(&mut self, demands: &Demands) -> Option<(Option<String>, Option<String>)> {
        let _version = self.byte().await?;
        let user = text(self.counted().await?);
        let password = text(self.counted().await?);
        let is_right = demands
            .credentials
            .as_ref()
            .is_none_or(|(name, word)| *name == user && *word == password);
        let is_sent = self.link.send(&[1, u8::from(!is_right)]).await;
        (is_sent && is_right).then_some((Some(user), Some(password)))
    }

    async fn byte(&mut self) -> Option<u8> {
        self.bytes::<1>().await.map(|[byte]| byte)
    }

    async fn port(&mut self) -> Option<u16> {
        self.bytes().await.map(u16::from_be_bytes)
    }

    /// As many bytes as the first says.
    async fn counted(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for _ in 0..self.byte().await? {
            bytes.push(self.byte().await?);
        }
        Some(bytes)
    }

    /// All before a zero.
    async fn terminated(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        loop {
            match self.byte().await? {
                0 => return Some(text(bytes)),
                byte => bytes.push(byte),
            }
        }
    }

    async fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (ledger, number) = (self.link.ledger.clone(), self.link.number);
        let needed = self.read + N;
        let arrived = ledger.until(number, |connection| connection.received.len() >= needed);
        if !self.link.unless_ended(arrived).await {
            return None;
        }
        let bytes = ledger.received_from(number, self.read);
        self.read = needed;
        bytes.first_chunk().copied()
    }
}

/// The reply of a server that has done what was asked. The address in it is of no use to anybody.
pub(crate) fn good(version: u8) -> Vec<u8> {
    match version {
        4 => vec![0, 90, 0, 0, 0, 0, 0, 0],
        _ => vec![5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    }
}

/// The reply of one that has not.
pub(crate) fn refusal(version: u8, code: u8) -> Vec<u8> {
    match version {
        // Version 4 has its own codes, from 91 on.
        4 => vec![0, code.max(91), 0, 0, 0, 0, 0, 0],
        _ => vec![5, code, 0, 1, 0, 0, 0, 0, 0, 0],
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
