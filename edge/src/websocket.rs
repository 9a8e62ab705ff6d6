//! An echo server over the edge's own reader, writer and socket, for whoever wants to try the WebSocket path alone.
//! Not a public interface.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use trunkline_edge_core::framing::frame;
use trunkline_protocol::{Encoding, negotiate};

use crate::reader::{ReadEnd, Reader};
use crate::socket::ClientStream;
use crate::writer::Writer;

/// Bytes that a handshake may have.
const HEAD_BYTES_MAX: usize = 8 << 10;

/// One connection whose messages are sent back, as text or, with `?cf_protocol=protobuf`, as binary.
struct Echo {
    stream: ClientStream,
    encoding: Encoding,
    reader: Reader,
    writer: Writer,
    frames: VecDeque<Bytes>,
}

/// Serves one client until it closes or breaks the protocol.
///
/// # Errors
/// When the socket fails or no handshake comes.
pub async fn echo(mut tcp: TcpStream) -> io::Result<()> {
    let encoding = shake_hands(&mut tcp).await?;
    let mut echo = Echo {
        stream: ClientStream::Plain(tcp),
        encoding,
        reader: Reader::new(),
        writer: Writer::default(),
        frames: VecDeque::new(),
    };
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = echo.stream.read(&mut buffer).await?;
        let goes_on = count > 0 && echo.take(&buffer[..count]);
        echo.flush().await?;
        if !goes_on {
            return echo.stream.shutdown().await;
        }
    }
}

impl Echo {
    /// Takes bytes that came; false when nothing more is to be read.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let mut control = Vec::new();
        let (encoding, frames) = (self.encoding, &mut self.frames);
        let on_message = |message: Bytes| frames.push_back(frame(encoding, &message));
        let end = self.reader.feed(bytes, &mut control, on_message).err();
        self.writer.push_control(&control);
        if let Some((code, reason)) = end.as_ref().and_then(ReadEnd::close) {
            self.writer.push_close(code, reason);
        }
        end.is_none()
    }

    async fn flush(&mut self) -> io::Result<()> {
        loop {
            let written = self.writer.write(&mut self.stream, self.frames.iter())?;
            self.written(written.bytes);
            if !written.blocked {
                return Ok(());
            }
            poll_fn(|ctx| self.stream.poll_write_ready(ctx)).await?;
        }
    }

    fn written(&mut self, mut bytes: usize) {
        while let Some(first) = self.frames.front_mut().filter(|_| bytes > 0) {
            let now = bytes.min(first.len());
            first.advance(now);
            bytes -= now;
            if first.is_empty() {
                self.frames.pop_front();
            }
        }
    }
}

/// As little of HTTP as a handshake needs.
async fn shake_hands(tcp: &mut TcpStream) -> io::Result<Encoding> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(tcp.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let header = |wanted: &str| {
        let mut headers = head.lines().filter_map(|line| line.split_once(':'));
        headers.find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then(|| value.trim()))
    };
    let key = header("sec-websocket-key").ok_or(io::ErrorKind::InvalidData)?;
    let target = head.split(' ').nth(1).unwrap_or_default();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    tcp.write_all(answer.as_bytes()).await?;
    Ok(negotiate([], query).encoding)
}
