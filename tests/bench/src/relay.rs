//! A relay on a thread of its own: a proxy that is asked with CONNECT, and a forwarder that is not asked.
//!
//! Both hand bytes on with the same code, so that what a tunnel costs can be told from what the way through another process costs.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::{self, JoinHandle};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use wasmtime::{Result, format_err};

/// The longest head of a CONNECT.
const HEAD: usize = 8 * 1024;

/// A running relay to one server. Dropping it stops it.
pub(crate) struct Relay {
    addresses: Addresses,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug)]
struct Addresses {
    forwarder: SocketAddr,
    proxy: SocketAddr,
}

impl Relay {
    /// Whatever a CONNECT asks for, `server` is what it gets.
    pub(crate) async fn start(server: SocketAddr) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                let forwarder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
                let proxy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
                let (Ok(forwarder), Ok(proxy)) = (forwarder, proxy) else {
                    return;
                };
                let (Ok(first), Ok(second)) = (forwarder.local_addr(), proxy.local_addr()) else {
                    return;
                };
                let addresses = Addresses {
                    forwarder: first,
                    proxy: second,
                };
                if tell.send(addresses).is_ok() {
                    tokio::select! {
                        () = accept(&forwarder, server, false) => {}
                        () = accept(&proxy, server, true) => {}
                        _ = stopped => {}
                    }
                }
            });
        });
        let addresses = told
            .await
            .map_err(|_| format_err!("the relay does not start"))?;
        Ok(Self {
            addresses,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The server's `https` URL of a path, through the forwarder.
    pub(crate) fn https(&self, path: &str) -> String {
        format!("https://{}{path}", self.addresses.forwarder)
    }

    /// The URL of the proxy.
    pub(crate) fn proxy(&self) -> String {
        format!("http://{}", self.addresses.proxy)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            eprintln!("bench: the relay ended badly");
        }
    }
}

async fn accept(listener: &TcpListener, server: SocketAddr, is_proxy: bool) {
    while let Ok((client, _)) = listener.accept().await {
        // A connection that breaks is its client's to tell.
        tokio::spawn(async move { serve(client, server, is_proxy).await.ok() });
    }
}

async fn serve(mut client: TcpStream, server: SocketAddr, is_proxy: bool) -> io::Result<()> {
    client.set_nodelay(true)?;
    if is_proxy {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if client.read_buf(&mut head).await? == 0 || head.len() > HEAD {
                return Ok(());
            }
        }
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    }
    let mut server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
