//! A client's socket: complete frames in, bytes out, and no memory of its own while nothing is under way.

use std::cell::RefCell;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::frame::{self, Frame};
use crate::target::Target;

/// Bytes of one read.
const READ_BYTES: usize = 64 << 10;

/// Bytes of a response's head beyond which it is none.
const HEAD_BYTES_MAX: usize = 16 << 10;

thread_local! {
    /// All sockets of a thread read into the same bytes.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    /// The begin of something whose end hasn't come.
    rest: Vec<u8>,
}

impl Socket {
    /// Connects, from a given address or from whatever the system chooses.
    ///
    /// # Errors
    /// When nobody listens.
    pub(crate) async fn connect(to: SocketAddr, from: Option<SocketAddr>) -> Result<Self> {
        let socket = if to.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        if let Some(from) = from {
            socket.set_reuseaddr(true)?;
            socket.bind(from)?;
        }
        let stream = socket.connect(to).await.with_context(|| to.to_string())?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            rest: Vec::new(),
        })
    }

    /// Connects and does the WebSocket handshake.
    ///
    /// # Errors
    /// When nobody listens or the answer isn't 101.
    pub(crate) async fn open(to: &Target, from: Option<SocketAddr>) -> Result<Self> {
        let mut socket = Self::connect(to.address, from).await?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dHJ1bmtsaW5lLWxvYWR0ZQ==\r\n\r\n",
            to.path, to.host
        );
        socket.send(request.as_bytes()).await?;
        let head = socket.head().await?;
        if !head.starts_with("HTTP/1.1 101 ") {
            bail!("no WebSocket: {}", head.lines().next().unwrap_or_default());
        }
        Ok(socket)
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// When the socket is broken.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Waits for bytes and hands over each frame that is complete, perhaps none.
    ///
    /// # Errors
    /// When the server ends the connection.
    pub(crate) async fn read_frames(&mut self, mut on_frame: impl FnMut(Frame<'_>)) -> Result<()> {
        let rest = &mut self.rest;
        let mut closed = None;
        read(&self.stream, |bytes| {
            let kept = !rest.is_empty();
            if kept {
                rest.extend_from_slice(bytes);
            }
            let all = if kept { &rest[..] } else { bytes };
            let mut used = 0;
            while let Some(frame) = frame::first(&all[used..]) {
                used += frame.size;
                match frame.opcode {
                    frame::CLOSE => closed = Some(frame.payload.to_vec()),
                    _ => on_frame(frame),
                }
            }
            if kept {
                rest.drain(..used);
            } else {
                rest.extend_from_slice(&bytes[used..]);
            }
            if rest.is_empty() {
                *rest = Vec::new();
            }
        })
        .await?;
        match closed {
            Some(reason) => bail!("closed by the server: {}", close_reason(&reason)),
            None => Ok(()),
        }
    }

    /// Reads the head of an HTTP response; what comes behind it stays for the next read.
    ///
    /// # Errors
    /// When the connection ends before it does, or it is far too long.
    pub(crate) async fn head(&mut self) -> Result<String> {
        loop {
            let end = self.rest.windows(4).position(|part| part == b"\r\n\r\n");
            if let Some(end) = end {
                let head: Vec<u8> = self.rest.drain(..end + 4).collect();
                return Ok(String::from_utf8(head)?);
            }
            if self.rest.len() > HEAD_BYTES_MAX {
                bail!("a head of more than {HEAD_BYTES_MAX} bytes");
            }
            self.read_on().await?;
        }
    }

    /// Reads exactly so many bytes.
    ///
    /// # Errors
    /// When the connection ends before.
    pub(crate) async fn bytes(&mut self, count: usize) -> Result<Vec<u8>> {
        while self.rest.len() < count {
            self.read_on().await?;
        }
        Ok(self.rest.drain(..count).collect())
    }

    async fn read_on(&mut self) -> Result<()> {
        let rest = &mut self.rest;
        read(&self.stream, |bytes| rest.extend_from_slice(bytes)).await
    }
}

/// Waits for bytes and hands them over.
async fn read(stream: &TcpStream, on_bytes: impl FnOnce(&[u8])) -> Result<()> {
    loop {
        stream.readable().await?;
        let taken = SCRATCH.with_borrow_mut(|scratch| stream.try_read(scratch));
        match taken {
            Ok(0) => bail!("the server hung up"),
            Ok(count) => {
                SCRATCH.with_borrow(|scratch| on_bytes(&scratch[..count]));
                return Ok(());
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn close_reason(payload: &[u8]) -> String {
    let (code, reason) = payload.split_first_chunk().unwrap_or((&[0, 0], &[]));
    let code = u16::from_be_bytes(*code);
    format!("{code} {}", String::from_utf8_lossy(reason))
}
