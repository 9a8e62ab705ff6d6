//! A client that stays until the edge closes its connection, and says how that was.

use std::net::TcpStream;
use std::time::Instant;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client::client};

use crate::harness::PATIENCE;

/// A connection on which `connect` has been answered.
pub(crate) struct Guest {
    socket: WebSocket<TcpStream>,
}

/// How a connection ended.
#[derive(Debug)]
pub(crate) struct End {
    /// The code of the edge's close frame.
    pub(crate) code: u16,
    pub(crate) at: Instant,
    /// What the edge has acknowledged of what was published.
    pub(crate) acked: Vec<u64>,
}

impl Guest {
    /// Connects as nobody.
    ///
    /// # Errors
    /// The HTTP status of an edge that lets nobody in.
    ///
    /// # Panics
    /// When it can't be reached.
    pub(crate) fn connect(edge: &str) -> Result<Self, u16> {
        let stream = TcpStream::connect(edge).expect("the edge listens");
        stream.set_nodelay(true).expect("a live socket");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a live socket");
        let url = format!("ws://{edge}/connection/websocket");
        let socket = match client(url, stream) {
            Ok((socket, _)) => socket,
            Err(error) => {
                let response = error.to_string();
                let status = response.rsplit(' ').find_map(|word| word.parse().ok());
                return Err(status.unwrap_or_else(|| panic!("{response}")));
            }
        };
        let mut guest = Self { socket };
        guest.say(&json!({ "id": 1, "connect": {} }));
        let reply = guest.hear().expect("an answer");
        assert!(reply.get("connect").is_some(), "{reply}");
        Ok(guest)
    }

    /// Waits until the edge closes the connection.
    pub(crate) fn stay(mut self) -> End {
        loop {
            if let Err(code) = self.hear() {
                return End::with(code, Vec::new());
            }
        }
    }

    /// Publishes `first` and the numbers after it to a channel, each when the one before is answered, until the edge closes
    /// the connection.
    pub(crate) fn publish(mut self, channel: &str, first: u64) -> End {
        let mut acked = Vec::new();
        for number in first.. {
            let publish = json!({ "channel": channel, "data": number });
            self.say(&json!({ "id": 2, "publish": publish }));
            match self.hear() {
                Ok(reply) => {
                    assert!(reply.get("publish").is_some(), "{reply}");
                    acked.push(number);
                }
                Err(code) => return End::with(code, acked),
            }
        }
        unreachable!("numbers don't end")
    }

    /// A socket that the edge is closing takes nothing more; its close frame is read next.
    fn say(&mut self, command: &Value) {
        let _ = self.socket.send(Message::text(command.to_string()));
    }

    /// The next reply; pings are left unanswered, since a test is over before the edge minds.
    fn hear(&mut self) -> Result<Value, u16> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) if text.as_str() == "{}" => {}
                Ok(Message::Text(text)) => {
                    return Ok(serde_json::from_str(&text).expect("the edge speaks JSON"));
                }
                Ok(Message::Close(frame)) => {
                    let code = frame.expect("a code").code.into();
                    // Sends the answer that tungstenite has prepared.
                    let _ = self.socket.flush();
                    return Err(code);
                }
                Ok(other) => panic!("the edge said {other:?}"),
                Err(error) => panic!("the edge left without a word: {error}"),
            }
        }
    }
}

impl End {
    fn with(code: u16, acked: Vec<u64>) -> Self {
        let at = Instant::now();
        Self { code, at, acked }
    }
}
