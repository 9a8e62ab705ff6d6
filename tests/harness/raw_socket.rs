//! A WebSocket client that sends whatever bytes a test wants, and shows what comes back byte for byte.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::PATIENCE;

/// A connection of a client that keeps to no rule.
pub(crate) struct RawSocket(TcpStream);

/// A frame of a server: its first byte and its payload.
pub(crate) type ServerFrame = (u8, Vec<u8>);

impl RawSocket {
    /// Connects without a word.
    pub(crate) fn connect(listen: &str) -> Self {
        let tcp = TcpStream::connect(listen).expect("the edge listens");
        tcp.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        Self(tcp)
    }

    /// Connects and does the WebSocket handshake; `query` begins with `?` or is empty.
    pub(crate) fn open(listen: &str, query: &str) -> Self {
        let mut socket = Self::connect(listen);
        let request = format!(
            "GET /connection/websocket{query} HTTP/1.1\r\nHost: {listen}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        socket.send(request.as_bytes());
        let head = socket.response_head();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        socket
    }

    /// The head of an HTTP response; empty when the edge hangs up instead.
    pub(crate) fn response_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Some(byte) = self.bytes(1) else { break };
            head.extend(byte);
        }
        String::from_utf8(head).expect("a head is text")
    }

    /// Sends bytes; an edge that has hung up already is no fault of the test.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Sends one masked frame.
    pub(crate) fn send_frame(&mut self, first: u8, payload: &[u8]) -> bool {
        self.send(&masked(first, payload))
    }

    /// Sends a text message.
    pub(crate) fn say(&mut self, text: &str) {
        assert!(
            self.send_frame(0x81, text.as_bytes()),
            "the edge has hung up"
        );
    }

    /// The next frame; `None` when the edge has hung up.
    pub(crate) fn frame(&mut self) -> Option<ServerFrame> {
        let head = self.bytes(2)?;
        let length = match head[1] {
            126 => self.number(2)?,
            127 => self.number(8)?,
            short => usize::from(short),
        };
        Some((head[0], self.bytes(length)?))
    }

    /// The next text message that isn't the protocol's ping.
    pub(crate) fn text(&mut self) -> String {
        loop {
            match self.frame() {
                Some((0x81, text)) if text == b"{}" => {}
                Some((0x81, text)) => return String::from_utf8(text).expect("text"),
                other => panic!("no text: {other:?}"),
            }
        }
    }

    /// Code and reason of the edge's Close frame; what comes before is passed over.
    pub(crate) fn closed(&mut self) -> (u16, String) {
        loop {
            match self.frame() {
                Some((0x88, payload)) => {
                    let (code, reason) = payload.split_first_chunk().expect("a code");
                    let reason = String::from_utf8(reason.to_vec()).expect("a reason is text");
                    return (u16::from_be_bytes(*code), reason);
                }
                Some(_) => {}
                None => panic!("the edge hung up without a Close frame"),
            }
        }
    }

    /// Waits until the edge hangs up.
    pub(crate) fn hung_up(&mut self) {
        while self.bytes(1).is_some() {}
    }

    fn number(&mut self, bytes: usize) -> Option<usize> {
        let bytes = self.bytes(bytes)?;
        Some(
            bytes
                .iter()
                .fold(0, |number, byte| number << 8 | usize::from(*byte)),
        )
    }

    fn bytes(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        match self.0.read_exact(&mut bytes) {
            Ok(()) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("nothing came within {PATIENCE:?}")
            }
            Err(_) => None,
        }
    }
}

/// A client's frame with the given first byte.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..=125), _) => frame.push(0x80 | short),
        (_, Ok(medium)) => {
            frame.push(0x80 | 126);
            frame.extend(medium.to_be_bytes());
        }
        (_, Err(_)) => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    let bytes = payload.iter().zip(mask.iter().cycle());
    frame.extend(bytes.map(|(byte, mask)| byte ^ mask));
    frame
}
