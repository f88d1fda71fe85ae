//! The servers, tried with a bare socket.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{
    Authority, DeafListener, End, Gate, Origin, Peer, RefusingPort, Reply, Server, Step, within,
};

const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.authority()).await.unwrap()
}

async fn read_exactly(stream: &mut TcpStream, expected: &str) {
    let mut bytes = vec![0; expected.len()];
    within("a response", stream.read_exact(&mut bytes))
        .await
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
}

async fn read_to_end(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    within("the end", stream.read_to_end(&mut bytes)).await?;
    Ok(bytes)
}

#[tokio::test]
async fn an_origin_answers_in_order_and_counts() {
    let origin = Origin::new()
        .reply(Reply::ok("one"))
        .reply(Reply::ok("two"))
        .start()
        .await;
    let mut client = connect(&origin).await;
    for body in ["one", "two", "two"] {
        client.write_all(GET).await.unwrap();
        let expected = format!("HTTP/1.1 200 Status\r\nContent-Length: 3\r\n\r\n{body}");
        read_exactly(&mut client, &expected).await;
    }
    assert_eq!((origin.accepted(), origin.requests().len()), (1, 3));
    assert_eq!(origin.closed_by_client(), 0);
    drop(client);
    origin.closed(1).await;
    let connection = origin.connections().remove(0);
    assert_eq!(connection.received, GET.repeat(3));
    assert_eq!(connection.reads, [GET.len(); 3]);
}

#[tokio::test]
async fn a_gate_holds_the_answer_and_not_the_clients_end() {
    let gate = Gate::new();
    let origin = Origin::new()
        .reply(Reply::ok("x").after(&gate))
        .start()
        .await;
    let mut impatient = connect(&origin).await;
    impatient.write_all(GET).await.unwrap();
    origin.requested(1).await;
    drop(impatient);
    origin.closed(1).await;

    let mut patient = connect(&origin).await;
    patient.write_all(GET).await.unwrap();
    origin.requested(2).await;
    gate.open();
    read_exactly(&mut patient, "HTTP/1.1 200").await;
}

#[tokio::test]
async fn a_server_that_hangs_up_is_the_one_that_closed() {
    let origin = Origin::new().reply(Reply::ok("x").hang_up()).start().await;
    let mut client = connect(&origin).await;
    client.write_all(GET).await.unwrap();
    assert!(
        read_to_end(&mut client)
            .await
            .unwrap()
            .ends_with(b"\r\n\r\nx")
    );
    origin.hung_up(1).await;
    drop(client);
    assert_eq!(origin.connections()[0].end, Some(End::Server));
    assert_eq!(origin.closed_by_client(), 0);
}

#[tokio::test]
async fn a_peer_follows_its_script() {
    let peer = Peer::new()
        .connection([Step::Bytes, Step::send("a"), Step::Bytes, Step::send("b")])
        .connection([Step::Bytes, Step::Reset])
        .connection([Step::Bytes, Step::Drip(b"xy".into())])
        .connection([Step::Bytes, Step::Flood(vec![b'z'; 1000])])
        .connection([Step::Hold])
        .start()
        .await;
    let mut scripted = connect(&peer).await;
    scripted.write_all(b"1").await.unwrap();
    read_exactly(&mut scripted, "a").await;
    scripted.write_all(b"2").await.unwrap();
    assert_eq!(read_to_end(&mut scripted).await.unwrap(), b"b");

    let mut reset = connect(&peer).await;
    reset.write_all(b"1").await.unwrap();
    let error = read_to_end(&mut reset).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);

    for expected in ["xyxyx".to_owned(), "z".repeat(100_000), String::new()] {
        let mut client = connect(&peer).await;
        client.write_all(b"1").await.unwrap();
        read_exactly(&mut client, &expected).await;
    }
    peer.closed(3).await;
    assert_eq!(peer.accepted(), 5);
}

#[tokio::test]
async fn an_authority_makes_servers_that_speak_tls() {
    let origin = Origin::new()
        .tls(Authority::new().issue(&["localhost", "127.0.0.1"]).tls())
        .start()
        .await;
    assert!(origin.url("/x").starts_with("https://127.0.0.1:"));
    let mut client = connect(&origin).await;
    client.write_all(GET).await.unwrap();
    // A fatal alert, because that is no ClientHello.
    assert_eq!(read_to_end(&mut client).await.unwrap().first(), Some(&21));
    origin.closed(1).await;
    assert!(origin.connections()[0].handshake_error.is_some());
}

#[tokio::test]
async fn nobody_answers_at_these_ports() {
    let refusing = RefusingPort::new();
    let authority = |url: String| url.replace("http://", "").replace("/", "");
    let error = TcpStream::connect(authority(refusing.url("/"))).await;
    assert_eq!(
        error.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionRefused
    );
    if cfg!(target_os = "linux") {
        assert!(DeafListener::start().await.is_some());
    }
}
