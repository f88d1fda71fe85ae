//! A TCP connection over `wasi:sockets` and `wasi:io`.

use std::net::SocketAddrV4;

use wasi::io::poll::Pollable;
use wasi::io::streams::{InputStream, OutputStream, StreamError};
use wasi::sockets::instance_network::instance_network;
use wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasi::sockets::tcp::TcpSocket;
use wasi::sockets::tcp_create_socket::create_tcp_socket;

use crate::{Channel, Error};

/// The host reads no more than this at once.
const READ: u64 = 64 * 1024;

/// An open connection. The order of the fields is that in which they have to be dropped.
pub struct Wire {
    readable: Pollable,
    writable: Pollable,
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
    may_have_more: bool,
}

impl Wire {
    /// Opens it.
    ///
    /// # Errors
    /// Where nobody listens there.
    pub fn connect(address: SocketAddrV4) -> Result<Self, Error> {
        let socket = create_tcp_socket(IpAddressFamily::Ipv4)?;
        let [a, b, c, d] = address.ip().octets();
        let address = IpSocketAddress::Ipv4(Ipv4SocketAddress {
            port: address.port(),
            address: (a, b, c, d),
        });
        socket.start_connect(&instance_network(), address)?;
        let connected = socket.subscribe();
        let (input, output) = loop {
            match socket.finish_connect() {
                Err(ErrorCode::WouldBlock) => connected.block(),
                ended => break ended?,
            }
        };
        drop(connected);
        Ok(Self {
            readable: input.subscribe(),
            writable: output.subscribe(),
            input,
            output,
            _socket: socket,
            may_have_more: false,
        })
    }

    /// Waits for bytes and returns up to 64 KiB of them.
    ///
    /// While a body flows there mostly is more, so the wait comes first only where the last read did not fill its buffer.
    ///
    /// # Errors
    /// Where the connection broke or ended.
    pub fn read(&mut self) -> Result<Vec<u8>, Error> {
        loop {
            if !self.may_have_more {
                self.readable.block();
            }
            let bytes = self.input.read(READ).map_err(ended)?;
            self.may_have_more = bytes.len() as u64 == READ;
            if !bytes.is_empty() {
                return Ok(bytes);
            }
        }
    }
}

impl Channel for Wire {
    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let permit = usize::try_from(self.output.check_write().map_err(ended)?)?;
            let (now, later) = bytes.split_at(permit.min(bytes.len()));
            if now.is_empty() {
                self.writable.block();
            } else {
                self.output.write(now).map_err(ended)?;
            }
            bytes = later;
        }
        Ok(())
    }

    fn receive(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        sink(&self.read()?);
        Ok(())
    }
}

fn ended(error: StreamError) -> Error {
    match error {
        StreamError::LastOperationFailed(error) => error.to_debug_string().into(),
        StreamError::Closed => "the server closed the connection".into(),
    }
}
