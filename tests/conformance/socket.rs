//! A WebSocket whose every byte the test decides, and whose every frame it sees with the time it came.

use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value, json};
use trunkline_protocol::Encoding;

use super::frame;
use super::wire;

/// What came.
#[derive(Debug)]
pub(super) enum Event {
    /// A reply or push.
    Message(Value),
    /// A ping, alone in its WebSocket message, as its bytes.
    Ping { bytes: Bytes, at: Instant },
    /// A Close frame.
    Closed {
        code: u16,
        reason: String,
        at: Instant,
    },
}

/// An open WebSocket; a thread reads it and, if asked to, answers pings.
pub(super) struct Socket {
    pub(super) encoding: Encoding,
    pub(super) events: Receiver<Event>,
    writer: Arc<Mutex<TcpStream>>,
}

/// How a WebSocket is asked for.
#[derive(Clone, Copy)]
pub(super) struct Handshake<'a> {
    pub(super) address: &'a str,
    pub(super) subprotocol: Option<&'a str>,
    pub(super) answers_pings: bool,
}

impl Handshake<'_> {
    /// Opens it; returns the response's header in lower case besides.
    pub(super) fn open(self, encoding: Encoding) -> (Socket, String) {
        let mut stream = TcpStream::connect(self.address).expect("the edge listens");
        stream.set_nodelay(true).expect("an option of every socket");
        stream
            .write_all(self.request().as_bytes())
            .expect("written");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let header = read_header(&mut reader);
        let writer = Arc::new(Mutex::new(stream));
        let (sender, events) = channel();
        let socket = Socket {
            encoding,
            events,
            writer: Arc::clone(&writer),
        };
        let pong = self.answers_pings.then_some(writer);
        thread::spawn(move || read_all(encoding, reader, pong.as_deref(), &sender));
        (socket, header)
    }

    /// The key is the RFC's example.
    fn request(self) -> String {
        let subprotocol = self.subprotocol.map_or_else(String::new, |offer| {
            format!("Sec-WebSocket-Protocol: {offer}\r\n")
        });
        format!(
            "GET /connection/websocket HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{subprotocol}\r\n"
        )
    }
}

/// Reads the header of an HTTP response, in lower case.
pub(super) fn read_header(reader: &mut impl Read) -> String {
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        reader.read_exact(&mut byte).expect("a whole header");
        header.extend_from_slice(&byte);
    }
    String::from_utf8(header).expect("ASCII").to_lowercase()
}

impl Socket {
    /// Sends bytes as they are.
    pub(super) fn send_bytes(&self, bytes: &[u8]) {
        // A server that has closed meanwhile is seen by what it sent.
        let _ = lock(&self.writer).write_all(bytes);
    }

    /// Sends one message.
    pub(super) fn send_message(&self, payload: &[u8]) {
        self.send_bytes(&frame::masked(first_byte(self.encoding), payload));
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = lock(&self.writer).shutdown(Shutdown::Both);
    }
}

fn lock(writer: &Mutex<TcpStream>) -> std::sync::MutexGuard<'_, TcpStream> {
    writer.lock().expect("no panics while held")
}

const fn first_byte(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Json => frame::TEXT,
        Encoding::Protobuf => frame::BINARY,
    }
}

/// Reads until the end; a panic in here ends the test with "the reader ended".
fn read_all(
    encoding: Encoding,
    mut reader: impl Read,
    pong: Option<&Mutex<TcpStream>>,
    events: &Sender<Event>,
) {
    while let Ok((first, payload)) = frame::read(&mut reader) {
        let at = Instant::now();
        if first == frame::CLOSE {
            let _ = events.send(closed(&payload, at));
            return;
        }
        assert_eq!(first, first_byte(encoding), "a whole message of the type");
        let bytes = Bytes::from(payload);
        for message in wire::decode(encoding, &bytes) {
            let is_ping = message == json!({});
            if let Some(writer) = pong.filter(|_| is_ping) {
                let pong = frame::masked(first, encoding.ping());
                let _ = lock(writer).write_all(&pong);
            }
            let event = if is_ping {
                let bytes = bytes.clone();
                Event::Ping { bytes, at }
            } else {
                Event::Message(message)
            };
            let _ = events.send(event);
        }
    }
}

fn closed(payload: &[u8], at: Instant) -> Event {
    let (code, reason) = payload.split_first_chunk().expect("a code");
    Event::Closed {
        code: u16::from_be_bytes(*code),
        reason: String::from_utf8(reason.to_vec()).expect("a reason is UTF-8"),
        at,
    }
}
