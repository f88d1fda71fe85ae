//! The proxies, tried with a bare socket.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto, pki_types::CertificateDer};

use crate::{
    Authority, Gate, HttpProxy, Origin, Reply, Server, SocksHost, SocksProxy, Tunnel, within,
};

const GET: &str = "GET /inside HTTP/1.1\r\n\r\n";
const OPENED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 Status\r\nContent-Length: 3\r\n\r\none";

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.authority()).await.unwrap()
}

async fn read(stream: &mut impl Stream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    within("a reply", stream.read_exact(&mut bytes))
        .await
        .unwrap();
    bytes
}

async fn read_to_end(stream: &mut impl Stream) -> String {
    let mut bytes = Vec::new();
    within("the end", stream.read_to_end(&mut bytes))
        .await
        .unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn say(stream: &mut impl Stream, what: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
    stream.write_all(what.as_ref()).await.unwrap();
    let expected = expected.as_ref();
    let got = read(stream, expected.len()).await;
    assert_eq!(
        String::from_utf8_lossy(&got),
        String::from_utf8_lossy(expected)
    );
}

async fn origin() -> Server {
    Origin::new().reply(Reply::ok("one")).start().await
}

fn ask(origin: &Server) -> String {
    format!(
        "CONNECT far.test:{} HTTP/1.1\r\nX: y\r\n\r\n",
        origin.port()
    )
}

#[tokio::test]
async fn a_tunnel_carries_bytes_both_ways_and_both_ends() {
    let (origin, proxy) = (origin().await, HttpProxy::new().start().await);
    let mut client = connect(&proxy).await;
    say(&mut client, ask(&origin), OPENED).await;
    say(&mut client, GET, ANSWER).await;
    say(&mut client, GET, ANSWER).await;
    assert_eq!(proxy.request().head_text(), ask(&origin));
    assert_eq!(proxy.connections()[0].tunnelled(), GET.repeat(2).as_bytes());
    assert_eq!(origin.requests().len(), 2);
    drop(client);
    proxy.closed(1).await;
    origin.closed(1).await;

    let brief = Origin::new()
        .reply(Reply::ok("one").hang_up())
        .start()
        .await;
    let mut client = connect(&proxy).await;
    say(&mut client, ask(&brief), OPENED).await;
    client.write_all(GET.as_bytes()).await.unwrap();
    assert_eq!(read_to_end(&mut client).await, ANSWER);
}

#[tokio::test]
async fn an_http_proxy_answers_what_it_would_forward() {
    let proxy = HttpProxy::new()
        .reply(Reply::ok("one"))
        .at("http://b.test/", Reply::ok("two"))
        .start()
        .await;
    let mut client = connect(&proxy).await;
    say(&mut client, "GET http://a.test/ HTTP/1.1\r\n\r\n", ANSWER).await;
    let other = ANSWER.replace("one", "two");
    say(&mut client, "GET http://b.test/ HTTP/1.1\r\n\r\n", other).await;
    let targets: Vec<String> = proxy.requests().iter().map(|each| each.target()).collect();
    assert_eq!(targets, ["http://a.test/", "http://b.test/"]);
}

#[tokio::test]
async fn an_http_proxy_knows_its_users() {
    let origin = origin().await;
    let proxy = HttpProxy::new().credentials("me", "word").start().await;
    let with = |head: String, pair: &str| {
        head.replace(
            "\r\n\r\n",
            &format!("\r\nProxy-Authorization: Basic {pair}\r\n\r\n"),
        )
    };
    for (case, head, expected) in [
        ("none", ask(&origin), "HTTP/1.1 407 "),
        ("wrong", with(ask(&origin), "bWU6"), "HTTP/1.1 407 "),
        ("right", with(ask(&origin), "bWU6d29yZA=="), OPENED),
        ("forwarded, none", GET.into(), "HTTP/1.1 407 "),
        (
            "forwarded",
            with(GET.into(), "bWU6d29yZA=="),
            "HTTP/1.1 200 ",
        ),
    ] {
        let mut client = connect(&proxy).await;
        client.write_all(head.as_bytes()).await.unwrap();
        let got = read(&mut client, expected.len()).await;
        assert_eq!(String::from_utf8_lossy(&got), expected, "{case}");
    }
}

#[tokio::test]
async fn a_tunnel_follows_its_script() {
    let origin = origin().await;
    let gate = Gate::new();
    let proxy = HttpProxy::new()
        .tunnel(Tunnel::refusing_with("HTTP/1.1 403 No\r\n\r\n"))
        .tunnel(Tunnel::closing())
        .tunnel(Tunnel::opening_with("HTTP/1.1 299 Yes\r\n\r\n").byte_by_byte())
        .tunnel(Tunnel::open().extra("more"))
        .tunnel(Tunnel::open().after(&gate))
        .tunnel(Tunnel::holding())
        .start()
        .await;
    for expected in ["HTTP/1.1 403 No\r\n\r\n", ""] {
        let mut client = connect(&proxy).await;
        client.write_all(ask(&origin).as_bytes()).await.unwrap();
        assert_eq!(read_to_end(&mut client).await, expected);
    }
    let mut odd = connect(&proxy).await;
    say(&mut odd, ask(&origin), "HTTP/1.1 299 Yes\r\n\r\n").await;
    say(&mut odd, GET, ANSWER).await;

    let mut early = connect(&proxy).await;
    say(&mut early, ask(&origin), format!("{OPENED}more")).await;

    let mut late = connect(&proxy).await;
    late.write_all(ask(&origin).as_bytes()).await.unwrap();
    proxy.requested(5).await;
    gate.open();
    say(&mut late, "", OPENED).await;

    let mut held = connect(&proxy).await;
    held.write_all(ask(&origin).as_bytes()).await.unwrap();
    proxy.requested(6).await;
    drop(held);
    proxy.closed(1).await;
}

#[tokio::test]
async fn an_unreachable_origin_is_the_proxys_502() {
    let proxy = HttpProxy::new().start().await;
    let nobody = crate::RefusingPort::new();
    let authority = nobody.url("").replace("http://", "");
    let mut client = connect(&proxy).await;
    let ask = format!("CONNECT {authority} HTTP/1.1\r\n\r\n");
    say(&mut client, ask, "HTTP/1.1 502 Bad Gateway\r\n").await;
}

#[tokio::test]
async fn an_https_proxy_tunnels_within_tls() {
    let origin = origin().await;
    let authority = Authority::new();
    let identity = authority.issue(&["localhost"]);
    let proxy = HttpProxy::new().tls(identity.tls()).start().await;
    assert!(proxy.url("").starts_with("https://"));
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(&authority.pem()).unwrap();
    roots.add(root).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = TlsConnector::from(Arc::new(config))
        .connect(name, connect(&proxy).await)
        .await
        .unwrap();
    say(&mut client, ask(&origin), OPENED).await;
    say(&mut client, GET, ANSWER).await;
    assert_eq!(proxy.request().head_text(), ask(&origin));
}

/// A request of SOCKS: what is said and heard before the reply, and the last thing said.
struct Asked {
    before: Vec<(Vec<u8>, Vec<u8>)>,
    last: Vec<u8>,
}

fn version4(port: u16, address: [u8; 4], rest: &[u8]) -> Asked {
    let last = [&[4, 1], &port.to_be_bytes()[..], &address, rest].concat();
    Asked {
        before: Vec::new(),
        last,
    }
}

fn version5(port: u16, password: Option<&[u8]>, host: &[u8]) -> Asked {
    let before = match password {
        None => vec![(vec![5, 1, 0], vec![5, 0])],
        Some(said) => vec![(vec![5, 2, 0, 2], vec![5, 2]), (said.into(), vec![1, 0])],
    };
    let last = [&[5, 1, 0], host, &port.to_be_bytes()[..]].concat();
    Asked { before, last }
}

async fn ask_socks(proxy: &Server, asked: Asked, reply: &[u8]) -> TcpStream {
    let mut client = connect(proxy).await;
    for (said, heard) in asked.before {
        say(&mut client, said, heard).await;
    }
    say(&mut client, asked.last, reply).await;
    client
}

const GOOD4: [u8; 8] = [0, 90, 0, 0, 0, 0, 0, 0];
const GOOD5: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

#[tokio::test]
async fn a_socks_proxy_speaks_every_version() {
    let origin = origin().await;
    let proxy = SocksProxy::new().start().await;
    let port = origin.port();
    let address = |text: &str| SocksHost::Address(text.parse().unwrap());
    let name = || SocksHost::Name("far.test".into());
    let ipv6 = [&[4_u8][..], &[0; 15], &[1]].concat();
    for (case, asked, reply, version, host, user) in [
        (
            "4",
            version4(port, [127, 0, 0, 1], b"\0"),
            &GOOD4[..],
            4,
            address("127.0.0.1"),
            None,
        ),
        (
            "4a",
            version4(port, [0, 0, 0, 9], b"me\0far.test\0"),
            &GOOD4,
            4,
            name(),
            Some("me"),
        ),
        (
            "5",
            version5(port, None, &[1, 127, 0, 0, 1]),
            &GOOD5,
            5,
            address("127.0.0.1"),
            None,
        ),
        (
            "5, name",
            version5(port, None, b"\x03\x08far.test"),
            &GOOD5,
            5,
            name(),
            None,
        ),
        (
            "5, IPv6",
            version5(port, None, &ipv6),
            &GOOD5,
            5,
            address("::1"),
            None,
        ),
    ] {
        let mut client = ask_socks(&proxy, asked, reply).await;
        say(&mut client, GET, ANSWER).await;
        let connection = proxy.connections().pop().unwrap();
        assert_eq!(connection.tunnelled(), GET.as_bytes(), "{case}");
        let asked = connection.socks.unwrap();
        assert_eq!((asked.version, asked.port), (version, port), "{case}");
        assert_eq!((asked.host, asked.user.as_deref()), (host, user), "{case}");
    }
    assert_eq!(proxy.requests(), [], "no request is for a SOCKS proxy");
}

#[tokio::test]
async fn a_socks_proxy_knows_its_users() {
    let origin = origin().await;
    let proxy = SocksProxy::new().credentials("me", "word").start().await;
    let name = b"\x03\x08far.test";
    let right = version5(origin.port(), Some(b"\x01\x02me\x04word"), name);
    let mut client = ask_socks(&proxy, right, &GOOD5).await;
    say(&mut client, GET, ANSWER).await;
    let asked = proxy.connections().remove(0).socks.unwrap();
    assert_eq!(asked.methods, [0, 2]);
    let given = (asked.user.as_deref(), asked.password.as_deref());
    assert_eq!(given, (Some("me"), Some("word")));

    for (case, said, heard) in [
        ("wrong password", &b"\x01\x02me\x00"[..], &[5, 2, 1, 1][..]),
        ("not offered", b"", &[5, 255]),
        ("other user of 4", b"", &[0, 93, 0, 0, 0, 0, 0, 0]),
    ] {
        let mut client = connect(&proxy).await;
        let greeting: &[u8] = match case {
            "wrong password" => &[5, 1, 2],
            "not offered" => &[5, 1, 0],
            _ => b"\x04\x01\x00\x50\x7f\x00\x00\x01you\0",
        };
        client.write_all(&[greeting, said].concat()).await.unwrap();
        let got = read_to_end(&mut client).await;
        assert_eq!(got, String::from_utf8_lossy(heard), "{case}");
    }
}

#[tokio::test]
async fn a_socks_proxy_follows_its_script() {
    let origin = origin().await;
    let proxy = SocksProxy::new()
        .tunnel(Tunnel::code(4))
        .tunnel(Tunnel::refusing_with("garbage"))
        .tunnel(Tunnel::open().byte_by_byte())
        .start()
        .await;
    for expected in [&b"\x05\x04\0\x01\0\0\0\0\0\0"[..], b"garbage"] {
        let asked = version5(origin.port(), None, &[1, 127, 0, 0, 1]);
        let mut client = ask_socks(&proxy, asked, expected).await;
        assert_eq!(read_to_end(&mut client).await, "");
    }
    let asked = version5(origin.port(), None, &[1, 127, 0, 0, 1]);
    let mut client = ask_socks(&proxy, asked, &GOOD5).await;
    say(&mut client, GET, ANSWER).await;

    let odd = SocksProxy::new().method(9).start().await;
    let mut client = connect(&odd).await;
    say(&mut client, [5, 1, 0], [5, 9]).await;
}
