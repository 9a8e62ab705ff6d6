//! A client of the mesh, for the tools of the command line: one connection to one edge, in the JSON encoding.
//!
//! It asks one thing at a time and keeps the pushes that come meanwhile, in their order. Connecting again is up to
//! whoever uses it: what must be asked again differs.

mod args;
mod dial;
mod endpoint;
mod error;
mod tls;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};
use trunkline_protocol::client::{ServerMessage, decode_messages, encode_commands};
use trunkline_protocol::message::ConnectRequest;
use trunkline_protocol::{Command, Encoding, Push, Reply, ReplyBody, Request};

pub(crate) use args::ClientArgs;
pub(crate) use error::ClientError;

/// Time for TCP, TLS and both handshakes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for an answer, as in the SDKs; an edge answers within 4 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How much later than announced a ping may come before the connection counts as lost, as in the SDKs.
const PING_DELAY_MAX: Duration = Duration::from_secs(10);

/// Time for a farewell.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A connected client.
pub(crate) struct Client {
    socket: WebSocketStream<Box<dyn dial::Stream>>,
    /// Decoded and not yet looked at.
    inbox: VecDeque<ServerMessage>,
    /// Pushes that came while an answer was waited for.
    kept: VecDeque<(String, Push)>,
    last_id: u32,
    /// Longest silence of a living edge; none where it sends no pings.
    silence_max: Option<Duration>,
    last_heard: Instant,
}

impl Client {
    /// Connects to the edge and is let in.
    pub(crate) async fn connect(args: &ClientArgs) -> Result<Self, ClientError> {
        let opened = timeout(CONNECT_TIMEOUT, Self::open(args)).await;
        opened.map_err(|_| ClientError::Unanswered {
            what: args.url.clone(),
            within: CONNECT_TIMEOUT,
        })?
    }

    async fn open(args: &ClientArgs) -> Result<Self, ClientError> {
        let mut client = Self {
            socket: dial::dial(args).await?,
            inbox: VecDeque::new(),
            kept: VecDeque::new(),
            last_id: 0,
            silence_max: None,
            last_heard: Instant::now(),
        };
        let request = Request::Connect(ConnectRequest {
            token: args.token.clone().unwrap_or_default(),
            name: "trunkline".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..ConnectRequest::default()
        });
        let answer = client.call("connect", request).await;
        let ReplyBody::Connect(result) = answer.map_err(|error| explain(error, args))? else {
            return Err(unexpected("connect"));
        };
        client.silence_max =
            (result.ping > 0).then(|| Duration::from_secs(u64::from(result.ping)) + PING_DELAY_MAX);
        Ok(client)
    }

    /// Asks, and waits for the answer; `what` is for the message where it is an error.
    pub(crate) async fn call(
        &mut self,
        what: &str,
        request: Request,
    ) -> Result<ReplyBody, ClientError> {
        self.last_id += 1;
        let command = Command {
            id: self.last_id,
            request,
        };
        let frame = encode_commands(Encoding::Json, &[command])
            .map_err(|error| ClientError::Protocol(error.to_string()))?;
        self.send(frame).await?;
        let answer = timeout(ANSWER_TIMEOUT, self.answer(self.last_id)).await;
        let answer = answer.map_err(|_| ClientError::Unanswered {
            what: what.to_owned(),
            within: ANSWER_TIMEOUT,
        })??;
        if let ReplyBody::Error(error) = answer {
            let what = what.to_owned();
            return Err(ClientError::Refused { what, error });
        }
        Ok(answer)
    }

    async fn answer(&mut self, wanted: u32) -> Result<ReplyBody, ClientError> {
        loop {
            match self.receive().await? {
                ServerMessage::Reply(Reply { id, body }) if id == wanted => return Ok(body),
                ServerMessage::Push { channel, push } => self.kept.push_back((channel, push)),
                ServerMessage::Unknown { id } if id == wanted => return Err(unexpected("command")),
                ServerMessage::Reply(_) | ServerMessage::Ping | ServerMessage::Unknown { .. } => {}
            }
        }
    }

    /// The next push and its channel, in the order of the edge; may be dropped and called again.
    pub(crate) async fn next_push(&mut self) -> Result<(String, Push), ClientError> {
        if let Some(kept) = self.kept.pop_front() {
            return Ok(kept);
        }
        loop {
            match self.receive().await? {
                ServerMessage::Push { channel, push } => return Ok((channel, push)),
                // An answer that came too late, or something of a newer protocol.
                ServerMessage::Reply(_) | ServerMessage::Ping | ServerMessage::Unknown { .. } => {}
            }
        }
    }

    /// Says goodbye, so that the edge needn't find out.
    pub(crate) async fn close(mut self) {
        let _ = timeout(CLOSE_TIMEOUT, self.socket.close(None)).await;
    }

    /// The next message; pings are answered here.
    async fn receive(&mut self) -> Result<ServerMessage, ClientError> {
        loop {
            match self.inbox.pop_front() {
                Some(ServerMessage::Ping) => self.send(Encoding::Json.ping().to_vec()).await?,
                Some(message) => return Ok(message),
                None => self.read().await?,
            }
        }
    }

    async fn read(&mut self) -> Result<(), ClientError> {
        let next = self.socket.next();
        let read = match self.silence_max {
            Some(max) => timeout_at(self.last_heard + max, next)
                .await
                .map_err(|_| ClientError::Silent(max))?,
            None => next.await,
        };
        self.last_heard = Instant::now();
        let message = read.ok_or_else(|| ClientError::Lost("the edge hung up".to_owned()))?;
        match message.map_err(|error| ClientError::Lost(error.to_string()))? {
            Message::Text(text) => self.take(&Bytes::from(text)),
            Message::Binary(bytes) => self.take(&bytes),
            Message::Close(Some(frame)) => Err(ClientError::Closed {
                code: frame.code.into(),
                reason: frame.reason.to_string(),
            }),
            Message::Close(None) => Err(ClientError::Lost("closed without a code".to_owned())),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    fn take(&mut self, frame: &Bytes) -> Result<(), ClientError> {
        for message in decode_messages(Encoding::Json, frame) {
            self.inbox.push_back(message?);
        }
        Ok(())
    }

    async fn send(&mut self, frame: Vec<u8>) -> Result<(), ClientError> {
        let text = String::from_utf8(frame).expect("JSON is UTF-8");
        let sent = self.socket.send(Message::text(text)).await;
        match sent {
            // Why the edge closed is found by reading.
            Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed)
            | Ok(()) => Ok(()),
            Err(error) => Err(ClientError::Lost(error.to_string())),
        }
    }
}

/// An edge that lets nobody in without credentials closes with 3501, which says nothing of them.
fn explain(error: ClientError, args: &ClientArgs) -> ClientError {
    if let ClientError::Closed { code: 3501, reason } = &error
        && args.token.is_none()
    {
        return ClientError::TokenWanted {
            code: 3501,
            reason: reason.clone(),
        };
    }
    error
}

fn unexpected(what: &str) -> ClientError {
    ClientError::Protocol(format!("the answer to {what} is none"))
}
