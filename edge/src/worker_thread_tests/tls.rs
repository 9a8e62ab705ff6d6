//! Clients that come by TLS, and those that should.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use trunkline_edge_core::exchange::{Answer, ToUpstream};

use super::client::Client;
use super::fixture::{Thread, config, position, publication, within};
use crate::config::EdgeConfig;
use crate::gate::GateCounters;
use crate::tls::tests::{client, self_signed};

/// Time that a handshake gets where a test waits for its end.
const SHORT: Duration = Duration::from_millis(200);

/// A worker's thread with a certificate.
struct Secured {
    thread: Thread,
    root: CertificateDer<'static>,
}

impl Secured {
    fn start(change: impl FnOnce(&mut EdgeConfig)) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (section, root) = self_signed(dir.path());
        let mut config = config();
        config.edge.tls = section;
        change(&mut config);
        Self {
            thread: Thread::start(config),
            root,
        }
    }

    async fn connect(&self, config: rustls::ClientConfig) -> TlsStream<TcpStream> {
        let tcp = within(TcpStream::connect(self.thread.address)).await;
        begin(config, tcp.expect("connected")).await
    }

    fn client(&self) -> rustls::ClientConfig {
        client(self.root.clone(), &[&TLS13, &TLS12])
    }

    async fn websocket(
        &self,
        config: rustls::ClientConfig,
    ) -> WebSocketStream<TlsStream<TcpStream>> {
        let tls = self.connect(config).await;
        let url = "wss://localhost/connection/websocket";
        let upgrade = Box::pin(client_async(url, tls));
        let (socket, _) = within(upgrade).await.expect("an upgrade");
        socket
    }

    /// Waits until something has been counted so many times.
    async fn counted(&self, times: u64, counter: impl Fn(&GateCounters) -> &AtomicU64) {
        let all = async {
            while counter(self.thread.gate.counters()).load(Ordering::Relaxed) != times {
                // The thread counts right after it has let a socket go.
                self.thread.report().await;
            }
        };
        within(all).await;
    }
}

/// Does a client's handshake.
async fn begin(config: rustls::ClientConfig, tcp: TcpStream) -> TlsStream<TcpStream> {
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    within(connector.connect(name, tcp))
        .await
        .expect("a handshake")
}

async fn text(socket: &mut WebSocketStream<TlsStream<TcpStream>>) -> String {
    let message = within(socket.next())
        .await
        .expect("no end")
        .expect("no error");
    message.into_text().expect("text").to_string()
}

async fn say(socket: &mut WebSocketStream<TlsStream<TcpStream>>, command: &str) {
    within(socket.send(Message::text(command)))
        .await
        .expect("sent");
}

#[tokio::test]
async fn a_client_subscribes_and_hears_more_than_the_buffers_hold_in_either_version() {
    for version in [&TLS12, &TLS13] {
        let mut secured = Secured::start(|_| {});
        let mut socket = secured
            .websocket(client(secured.root.clone(), &[version]))
            .await;
        say(&mut socket, r#"{"id":1,"connect":{}}"#).await;
        assert!(
            text(&mut socket)
                .await
                .starts_with(r#"{"id":1,"connect":{"#)
        );
        say(&mut socket, r#"{"id":2,"subscribe":{"channel":"live:1"}}"#).await;
        let ToUpstream::Subscribe { ticket, .. } = secured.thread.said().await else {
            panic!("a subscribe")
        };
        let answer = Answer::Subscribed {
            position: Some(position(0)),
            caught_up: None,
        };
        secured.thread.answer(ticket, answer);
        assert!(
            text(&mut socket)
                .await
                .starts_with(r#"{"id":2,"subscribe":{"#)
        );
        let data = format!("\"{}\"", "x".repeat(60_000));
        for offset in 1..=10 {
            secured.thread.tell(publication(offset, data.clone()));
        }
        for offset in 1..=10 {
            let push = text(&mut socket).await;
            assert!(push.contains(&data), "all of {offset}");
            assert!(push.contains(&format!(r#""offset":{offset}"#)));
        }
        secured.counted(1, |counters| &counters.tls_done).await;
    }
}

#[tokio::test]
async fn http_1_is_what_is_spoken_inside_and_no_other_protocol() {
    let secured = Secured::start(|_| {});
    let mut both = secured.client();
    both.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tls = secured.connect(both).await;
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut other = secured.client();
    other.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(secured.thread.address)
        .await
        .expect("connected");
    let name = ServerName::try_from("localhost").expect("a name");
    let refused = within(TlsConnector::from(Arc::new(other)).connect(name, tcp)).await;
    assert!(refused.is_err());
    secured.counted(1, |counters| &counters.tls_failed).await;
}

#[tokio::test]
async fn plain_http_is_told_so_and_closed() {
    let secured = Secured::start(|_| {});
    let mut plain = Client::new(secured.thread.address).await;
    let response = plain
        .request("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert!(response.starts_with("HTTP/1.1 400"), "{response}");
    let mut rest = String::new();
    within(plain.0.read_to_string(&mut rest))
        .await
        .expect("an end, not a reset");
    assert!(rest.contains("https://"), "{rest}");
    secured
        .counted(1, |counters| &counters.tls_not_spoken)
        .await;
}

#[tokio::test]
async fn a_handshake_that_is_never_done_ends_and_keeps_nobody_out_until_then() {
    let secured = Secured::start(|config| config.edge.header_timeout = SHORT);
    let mut silent = Client::new(secured.thread.address).await;
    let mut slow = Client::new(secured.thread.address).await;
    // The head of a handshake record, of which nothing follows.
    slow.send(b"\x16\x03\x01\x02\x00").await;
    say(&mut secured.websocket(secured.client()).await, "{}").await;
    silent.end().await;
    slow.end().await;
    secured.counted(2, |counters| &counters.tls_slow).await;
}

#[tokio::test]
async fn a_handshake_takes_the_place_of_an_http_connection() {
    let secured = Secured::start(|config| config.edge.http_connection_limit = 1);
    let mut first = Client::new(secured.thread.address).await;
    first.send(b"\x16").await;
    let mut second = Client::new(secured.thread.address).await;
    // Without a word: what isn't TLS would only confuse a client that awaits it.
    second.end().await;
    secured.counted(1, |counters| &counters.refused_full).await;
}

#[tokio::test]
async fn a_handshake_under_way_does_not_hold_up_a_drain() {
    let secured = Secured::start(|_| {});
    let mut open = secured.websocket(secured.client()).await;
    say(&mut open, r#"{"id":1,"connect":{}}"#).await;
    text(&mut open).await;
    let mut half = Client::new(secured.thread.address).await;
    half.send(b"\x16\x03\x01").await;
    secured.thread.drain(Duration::from_millis(50));
    half.end().await;
    let Some(Ok(Message::Close(Some(frame)))) = within(open.next()).await else {
        panic!("a close frame")
    };
    assert_eq!(u16::from(frame.code), 3001);
    // The close frame's echo, then the end of TLS, said and not only cut off.
    assert!(within(open.next()).await.is_none());
    secured.thread.ended().await;
}

#[tokio::test]
async fn a_connection_that_a_drain_finds_before_its_handshake_is_ended_by_tls_and_not_cut_off() {
    let secured = Secured::start(|_| {});
    let tcp = within(TcpStream::connect(secured.thread.address)).await;
    secured.counted(1, |counters| &counters.accepted).await;
    secured.thread.drain(Duration::from_millis(50));
    let mut tls = begin(secured.client(), tcp.expect("connected")).await;
    let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    within(tls.write_all(request)).await.expect("sent");
    let mut response = String::new();
    within(tls.read_to_string(&mut response))
        .await
        .expect("an end, said and not only cut off");
    // A request that comes before the stop is seen is still answered.
    let is_answered = response.starts_with("HTTP/1.1 200");
    assert!(response.is_empty() || is_answered, "{response}");
    secured.thread.ended().await;
}
