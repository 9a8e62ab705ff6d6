//! A client that speaks bytes, so that it can also speak nonsense.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fixture::within;
use crate::reader::tests::masked;

/// Headers of a good handshake.
pub(super) const HANDSHAKE: &str = "GET /connection/websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A socket to the edge.
pub(super) struct Client(pub(super) TcpStream);

impl Client {
    pub(super) async fn new(address: SocketAddr) -> Self {
        Self(
            within(TcpStream::connect(address))
                .await
                .expect("connected"),
        )
    }

    /// A WebSocket on which `connect` has been answered.
    pub(super) async fn connected(address: SocketAddr) -> Self {
        Self::connected_with(address, "").await
    }

    /// As [`Self::connected`], with a token.
    pub(super) async fn connected_with(address: SocketAddr, token: &str) -> Self {
        let mut client = Self::new(address).await;
        let response = client.request(&format!("{HANDSHAKE}\r\n")).await;
        assert!(response.starts_with("HTTP/1.1 101"), "{response}");
        client
            .send_text(&format!(r#"{{"id":1,"connect":{{"token":"{token}"}}}}"#))
            .await;
        let reply = client.text().await;
        assert!(
            reply.starts_with(r#"{"id":1,"connect":{"client":""#),
            "{reply}"
        );
        client
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) {
        within(self.0.write_all(bytes)).await.expect("written");
    }

    pub(super) async fn send_text(&mut self, text: &str) {
        self.send(&masked(0x81, text.as_bytes())).await;
    }

    /// Sends a request and reads the header of its response.
    pub(super) async fn request(&mut self, request: &str) -> String {
        self.send(request.as_bytes()).await;
        self.response().await
    }

    /// Reads the header of a response.
    pub(super) async fn response(&mut self) -> String {
        let mut header = Vec::new();
        while !header.ends_with(b"\r\n\r\n") {
            header.push(within(self.0.read_u8()).await.expect("a header"));
        }
        String::from_utf8(header)
            .expect("ASCII")
            .to_lowercase()
            .replace("http/1.1", "HTTP/1.1")
    }

    /// Reads one frame: its first byte and its payload.
    pub(super) async fn frame(&mut self) -> (u8, Vec<u8>) {
        let first = within(self.0.read_u8()).await.expect("a frame");
        let length = match within(self.0.read_u8()).await.expect("a length") {
            126 => within(self.0.read_u16()).await.expect("a length").into(),
            127 => within(self.0.read_u64()).await.expect("a length"),
            short => short.into(),
        };
        let mut payload = vec![0; usize::try_from(length).expect("short")];
        within(self.0.read_exact(&mut payload))
            .await
            .expect("a payload");
        (first, payload)
    }

    /// Reads a text message.
    pub(super) async fn text(&mut self) -> String {
        let (first, payload) = self.frame().await;
        assert_eq!(first, 0x81, "{payload:?}");
        String::from_utf8(payload).expect("UTF-8")
    }

    /// Reads a Close frame: its code and reason.
    pub(super) async fn close(&mut self) -> (u16, String) {
        let (first, payload) = self.frame().await;
        assert_eq!(first, 0x88, "{payload:?}");
        let code = u16::from_be_bytes([payload[0], payload[1]]);
        (
            code,
            String::from_utf8(payload[2..].to_vec()).expect("UTF-8"),
        )
    }

    /// Answers a Close frame and waits for the end of the connection.
    pub(super) async fn answer_close(&mut self) {
        self.send(&masked(0x88, b"\x03\xe8")).await;
        self.end().await;
    }

    /// Waits for the end of the connection, with nothing before it.
    pub(super) async fn end(&mut self) {
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = within(self.0.read_to_end(&mut rest)).await;
        assert_eq!(rest, b"");
    }
}
