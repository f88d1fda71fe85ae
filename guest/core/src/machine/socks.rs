//! Asking a SOCKS proxy for a connection: SOCKS 4, 4A and 5 (RFC 1928, RFC 1929).
//!
//! Each side speaks in turn, so whatever a proxy sends before it is asked, or behind its last reply, is an error and is never taken for the
//! server's. GSSAPI, `BIND` and UDP are not spoken, as in urllib3.

use std::net::{IpAddr, Ipv4Addr};

use crate::policy::route::{Login, SocksVersion};
use crate::types::Host;

/// Why there is no connection, for people.
pub type SocksError = String;

/// The longest name that SOCKS 5 can carry, in bytes; 4A takes no longer one here either.
const MAX_NAME: usize = 255;
const CONNECT: u8 = 1;
const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;
const NOTHING_ACCEPTABLE: u8 = 0xff;

/// Where the proxy is to connect to.
#[derive(Clone, Copy, Debug)]
pub enum Destination<'a> {
    /// A name, which the proxy looks up.
    Name(&'a Host),
    /// An address.
    Address(IpAddr),
}

impl<'a> Destination<'a> {
    /// A host that the proxy is to look up, unless it is an address already.
    #[must_use]
    pub fn of(host: &'a Host) -> Self {
        host.address().map_or(Self::Name(host), Self::Address)
    }
}

/// What to do next.
#[derive(Debug, Eq, PartialEq)]
pub enum Step {
    /// More must arrive first.
    More,
    /// These bytes are to be sent, in one write; then more must arrive.
    Write(Vec<u8>),
    /// The connection is there.
    Open,
}

/// What we wait for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// SOCKS 4: the reply.
    Reply4,
    /// SOCKS 5: which method of authentication the proxy picks.
    Method,
    /// SOCKS 5: whether name and password are right.
    Status,
    /// SOCKS 5: the reply.
    Reply5,
}

/// A conversation with a proxy.
pub struct Socks {
    state: State,
    bytes: Vec<u8>,
    /// What is sent once the proxy asks for name and password.
    login: Option<Vec<u8>>,
    /// What is sent after that.
    request: Vec<u8>,
}

impl Socks {
    /// A conversation, and the bytes that begin it, in one write.
    ///
    /// # Errors
    /// Says what is wrong where the version cannot say what it should; then nothing is to be sent.
    pub fn new(
        version: SocksVersion,
        destination: Destination<'_>,
        port: u16,
        login: Option<&Login>,
    ) -> Result<(Self, Vec<u8>), SocksError> {
        let (state, first, login, request) = match version {
            SocksVersion::V4 => (
                State::Reply4,
                request4(destination, port, login)?,
                None,
                Vec::new(),
            ),
            SocksVersion::V5 => {
                let first = match login {
                    None => vec![5, 1, NO_AUTHENTICATION],
                    Some(_) => vec![5, 2, NO_AUTHENTICATION, PASSWORD],
                };
                let request = request5(destination, port)?;
                (
                    State::Method,
                    first,
                    login.map(password).transpose()?,
                    request,
                )
            }
        };
        let socks = Self {
            state,
            bytes: Vec::new(),
            login,
            request,
        };
        Ok((socks, first))
    }

    /// Takes what has arrived next.
    ///
    /// # Errors
    /// Says why there is no connection: each of the proxy's codes in its own words.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Step, SocksError> {
        self.bytes.extend_from_slice(bytes);
        let Some(length) = self.expected()? else {
            return Ok(Step::More);
        };
        let behind = self.bytes.len() - length;
        if behind > 0 {
            return Err(format!("the proxy sent {behind} bytes behind its reply"));
        }
        let code = self.bytes.get(1).copied().unwrap_or_default();
        self.bytes.clear();
        match self.state {
            State::Reply4 | State::Reply5 => Ok(Step::Open),
            State::Method if code == PASSWORD => {
                self.state = State::Status;
                Ok(Step::Write(self.login.take().unwrap_or_default()))
            }
            State::Method | State::Status => {
                self.state = State::Reply5;
                Ok(Step::Write(std::mem::take(&mut self.request)))
            }
        }
    }

    /// How long the reply is that we wait for, where all of it is there; what is wrong with it is found as soon as it shows.
    fn expected(&self) -> Result<Option<usize>, SocksError> {
        let at = |index: usize| self.bytes.get(index).copied();
        let version = match self.state {
            State::Reply4 => 0,
            State::Method | State::Reply5 => 5,
            State::Status => 1,
        };
        match at(0) {
            Some(first) if first != version => return Err(wrong_version(self.state, first)),
            _ => {}
        }
        let length = match (self.state, at(1)) {
            (_, None) => return Ok(None),
            (State::Reply4, Some(0x5a)) => 8,
            (State::Reply4, Some(code)) => return Err(refusal4(code)),
            (State::Method, Some(NO_AUTHENTICATION)) => 2,
            (State::Method, Some(PASSWORD)) if self.login.is_some() => 2,
            (State::Method, Some(method)) => return Err(wrong_method(method)),
            (State::Status, Some(0)) => 2,
            (State::Status, Some(_)) => return Err("SOCKS5 authentication failed".into()),
            (State::Reply5, Some(0)) => match (at(3), at(4)) {
                (Some(1), _) => 10,
                (Some(4), _) => 22,
                (Some(3), Some(name)) => 7 + usize::from(name),
                (None | Some(3), _) => return Ok(None),
                (Some(kind), _) => {
                    return Err(format!(
                        "the proxy's reply has an address of the unknown type 0x{kind:02x}"
                    ));
                }
            },
            (State::Reply5, Some(code)) => return Err(refusal5(code)),
        };
        Ok((self.bytes.len() >= length).then_some(length))
    }
}

/// The request of SOCKS 4; a name stands behind an address that is none, as in 4A.
fn request4(
    destination: Destination<'_>,
    port: u16,
    login: Option<&Login>,
) -> Result<Vec<u8>, SocksError> {
    let (address, name) = match destination {
        Destination::Address(IpAddr::V4(address)) => (address, None),
        Destination::Address(IpAddr::V6(address)) => {
            return Err(format!("SOCKS4 cannot reach the IPv6 address {address}"));
        }
        Destination::Name(host) => (Ipv4Addr::new(0, 0, 0, 1), Some(name(host)?)),
    };
    let user = login.map_or(&b""[..], |login| &login.username);
    if user.contains(&0) {
        return Err("the user id of SOCKS4 contains a zero byte".into());
    }
    let [high, low] = port.to_be_bytes();
    let mut request = vec![4, CONNECT, high, low];
    request.extend(address.octets());
    request.extend(user);
    request.push(0);
    if let Some(name) = name {
        request.extend(name);
        request.push(0);
    }
    Ok(request)
}

/// The request of SOCKS 5 (RFC 1928, section 4).
fn request5(destination: Destination<'_>, port: u16) -> Result<Vec<u8>, SocksError> {
    let mut request = vec![5, CONNECT, 0];
    match destination {
        Destination::Address(IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Destination::Address(IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Destination::Name(host) => {
            request.push(3);
            request.extend(counted(name(host)?, "the name of the host")?);
        }
    }
    request.extend(port.to_be_bytes());
    Ok(request)
}

/// Name and password (RFC 1929, section 2).
fn password(login: &Login) -> Result<Vec<u8>, SocksError> {
    let username = counted(&login.username, "the name for the proxy")?;
    let password = counted(&login.password, "the password for the proxy")?;
    Ok([vec![1], username, password].concat())
}

/// Bytes behind their number.
fn counted(bytes: &[u8], what: &str) -> Result<Vec<u8>, SocksError> {
    let length = u8::try_from(bytes.len())
        .ok()
        .filter(|length| *length > 0)
        .ok_or_else(|| format!("{what} must have 1 to 255 bytes for SOCKS5"))?;
    Ok([&[length], bytes].concat())
}

fn name(host: &Host) -> Result<&[u8], SocksError> {
    let name = host.as_str().as_bytes();
    if name.len() > MAX_NAME || name.contains(&0) {
        return Err("the name of the host is none that SOCKS can carry".into());
    }
    Ok(name)
}

fn wrong_version(state: State, byte: u8) -> SocksError {
    let version = match state {
        State::Reply4 => 4,
        State::Method | State::Status | State::Reply5 => 5,
    };
    format!("the proxy does not speak SOCKS{version}: its reply begins with 0x{byte:02x}")
}

fn wrong_method(method: u8) -> SocksError {
    if method == NOTHING_ACCEPTABLE {
        "all offered SOCKS5 authentication methods were rejected".into()
    } else {
        format!(
            "the proxy picked the SOCKS5 authentication method 0x{method:02x}, which was not offered"
        )
    }
}

/// What the reply codes of SOCKS 4 mean.
fn refusal4(code: u8) -> SocksError {
    let why = match code {
        0x5b => "Request rejected or failed",
        0x5c => "Request rejected because SOCKS server cannot connect to identd on the client",
        0x5d => "Request rejected because the client program and identd report different user-ids",
        _ => "Unknown error",
    };
    format!("0x{code:02x}: {why}")
}

/// What the reply codes of SOCKS 5 mean (RFC 1928, section 6).
fn refusal5(code: u8) -> SocksError {
    let why = match code {
        1 => "General SOCKS server failure",
        2 => "Connection not allowed by ruleset",
        3 => "Network unreachable",
        4 => "Host unreachable",
        5 => "Connection refused",
        6 => "TTL expired",
        7 => "Command not supported, or protocol error",
        8 => "Address type not supported",
        _ => "Unknown error",
    };
    format!("0x{code:02x}: {why}")
}

#[cfg(test)]
mod tests;
