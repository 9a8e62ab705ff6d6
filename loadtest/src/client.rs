//! A client of the mesh: connected, asking one thing at a time or many together.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use trunkline_protocol::client::{ServerMessage, decode_messages, encode_commands};
use trunkline_protocol::message::{ConnectRequest, SubscribeRequest};
use trunkline_protocol::{Command, Encoding, Reply, ReplyBody, Request};

use crate::frame::{self, Frame};
use crate::socket::Socket;
use crate::target::Target;

/// Time within which an answer must come: longer than the mesh's own deadline for a command, 4 s.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A connected client; it speaks JSON.
#[derive(Debug)]
pub(crate) struct Client {
    socket: Socket,
    last_id: u32,
}

impl Client {
    /// Connects to an edge without a token.
    ///
    /// # Errors
    /// When the edge can't be reached or refuses.
    pub(crate) async fn connect(to: &Target, from: Option<SocketAddr>) -> Result<Self> {
        let mut client = Self::open(to, from).await?;
        client.call(connect_request()).await.context("connect")?;
        Ok(client)
    }

    /// Opens a socket; the first command must be [`connect_request`].
    ///
    /// # Errors
    /// When the edge can't be reached.
    pub(crate) async fn open(to: &Target, from: Option<SocketAddr>) -> Result<Self> {
        Ok(Self {
            socket: Socket::open(to, from).await?,
            last_id: 0,
        })
    }

    /// Subscribes to a channel.
    ///
    /// # Errors
    /// When the edge refuses.
    pub(crate) async fn subscribe(&mut self, channel: &str) -> Result<()> {
        let request = SubscribeRequest {
            channel: channel.to_owned(),
            ..SubscribeRequest::default()
        };
        self.call(Request::Subscribe(request))
            .await
            .with_context(|| format!("subscribe to {channel}"))?;
        Ok(())
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// When the answer is an error, or the connection ends.
    pub(crate) async fn call(&mut self, request: Request) -> Result<ReplyBody> {
        let body = self.ask(request).await?;
        if let ReplyBody::Error(error) = &body {
            bail!("error {}: {}", error.code, error.message);
        }
        Ok(body)
    }

    /// Asks and waits for the answer, of which an error is one.
    ///
    /// # Errors
    /// When the connection ends.
    pub(crate) async fn ask(&mut self, request: Request) -> Result<ReplyBody> {
        let id = self.send_all([request]).await?.start;
        loop {
            let replies = self.replies().await?;
            if let Some(reply) = replies.into_iter().find(|reply| reply.id == id) {
                return Ok(reply.body);
            }
        }
    }

    /// Sends commands in one frame; returns their ids.
    ///
    /// # Errors
    /// When the connection has ended.
    pub(crate) async fn send_all(
        &mut self,
        requests: impl IntoIterator<Item = Request>,
    ) -> Result<std::ops::Range<u32>> {
        let first = self.last_id + 1;
        let numbered = requests.into_iter().zip(first..);
        let commands: Vec<_> = numbered
            .map(|(request, id)| Command { id, request })
            .collect();
        self.last_id += u32::try_from(commands.len()).context("too many commands")?;
        let mut out = Vec::new();
        frame::push_text(&encode_commands(Encoding::Json, &commands)?, &mut out);
        self.socket.send(&out).await?;
        Ok(first..self.last_id + 1)
    }

    /// Waits for what comes, answers pings, passes over pushes and returns replies, perhaps none.
    ///
    /// # Errors
    /// When the connection ends, nothing comes within [`PATIENCE`], or what comes isn't of the protocol.
    pub(crate) async fn replies(&mut self) -> Result<Vec<Reply>> {
        let read = tokio::time::timeout(PATIENCE, self.messages()).await;
        Ok(replies_in(read.context("an answer is missing")??))
    }

    /// Waits for what comes, however long, answers pings and returns all else, perhaps nothing. May be
    /// dropped while it waits: nothing has been read then.
    ///
    /// # Errors
    /// When the connection ends, or what comes isn't of the protocol.
    pub(crate) async fn messages(&mut self) -> Result<Vec<ServerMessage>> {
        let mut frames = Vec::new();
        self.frames(|frame| frames.push(Bytes::copy_from_slice(frame.payload)))
            .await?;
        let messages = frames
            .iter()
            .flat_map(|frame| decode_messages(Encoding::Json, frame));
        Ok(messages.collect::<Result<_, _>>()?)
    }

    /// Waits for what comes, answers pings and hands over all other frames as they are, perhaps none.
    ///
    /// # Errors
    /// When the connection ends.
    pub(crate) async fn frames(&mut self, mut on_frame: impl FnMut(Frame<'_>)) -> Result<()> {
        let ping = Encoding::Json.ping();
        let mut pings = 0;
        let on_any = |frame: Frame<'_>| {
            if frame.payload == ping {
                pings += 1;
            } else {
                on_frame(frame);
            }
        };
        self.socket.read_frames(on_any).await?;
        let mut pongs = Vec::new();
        for _ in 0..pings {
            frame::push_text(ping, &mut pongs);
        }
        if !pongs.is_empty() {
            self.socket.send(&pongs).await?;
        }
        Ok(())
    }
}

/// The first command of a connection, without a token.
pub(crate) fn connect_request() -> Request {
    Request::Connect(ConnectRequest::default())
}

/// The replies among what a server sent.
pub(crate) fn replies_in(messages: Vec<ServerMessage>) -> Vec<Reply> {
    let reply = |message| match message {
        ServerMessage::Reply(reply) => Some(reply),
        ServerMessage::Push { .. } | ServerMessage::Ping | ServerMessage::Unknown { .. } => None,
    };
    messages.into_iter().filter_map(reply).collect()
}
