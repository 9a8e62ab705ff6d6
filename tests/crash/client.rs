//! A small blocking client of the JSON protocol: it says what a test says and hides nothing that an SDK would mend.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client::client};

use crate::harness::{PATIENCE, wait_until};

/// Between two attempts to reach an edge that isn't there: attempts without a pause would take its processor.
pub(crate) const PACE: Duration = Duration::from_millis(10);

/// The connection has ended.
#[derive(Debug)]
pub(crate) struct Gone;

/// A connection on which `connect` has been answered.
pub(crate) struct Client {
    socket: WebSocket<TcpStream>,
}

impl Client {
    /// Connects as nobody, as soon as the edge is ready: before it has rules it refuses everything for the time being.
    pub(crate) fn connect(edge: &str) -> Self {
        wait_until("a connection", || {
            Self::try_connect(edge)
                .inspect_err(|_| thread::park_timeout(PACE))
                .ok()
        })
    }

    fn try_connect(edge: &str) -> Result<Self, Gone> {
        ureq::get(format!("http://{edge}/health/ready"))
            .call()
            .map_err(|_| Gone)?;
        let stream = TcpStream::connect(edge).map_err(|_| Gone)?;
        stream.set_nodelay(true).map_err(|_| Gone)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|_| Gone)?;
        let url = format!("ws://{edge}/connection/websocket");
        let (socket, _) = client(url, stream).map_err(|_| Gone)?;
        let mut client = Self { socket };
        client.send(&[json!({ "id": 1, "connect": {} })])?;
        let replies = client.receive()?;
        assert!(replies[0].get("connect").is_some(), "{replies:?}");
        Ok(client)
    }

    /// Sends commands in one frame.
    pub(crate) fn send(&mut self, commands: &[Value]) -> Result<(), Gone> {
        let lines: Vec<String> = commands.iter().map(Value::to_string).collect();
        self.socket
            .send(Message::text(lines.join("\n")))
            .map_err(|_| Gone)
    }

    /// Waits for replies and pushes; pings are answered here.
    ///
    /// # Panics
    /// When nothing but pings comes for long, and at a close that ends it for good.
    pub(crate) fn receive(&mut self) -> Result<Vec<Value>, Gone> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < give_up, "only pings came for {PATIENCE:?}");
            let text = match self.socket.read() {
                Ok(Message::Text(text)) => text,
                Ok(Message::Close(frame)) => {
                    let code = frame.map_or(0, |frame| frame.code.into());
                    assert!(!(3500..4000).contains(&code), "closed for good, {code}");
                    return Err(Gone);
                }
                Ok(other) => panic!("the edge said {other:?}"),
                Err(Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    panic!("nothing came for {PATIENCE:?}")
                }
                Err(_) => return Err(Gone),
            };
            let (pings, said): (Vec<_>, Vec<_>) = text
                .lines()
                .map(|line| serde_json::from_str(line).expect("the edge speaks JSON"))
                .partition(|value: &Value| value == &json!({}));
            if !pings.is_empty() {
                self.send(&[json!({})])?;
            }
            if !said.is_empty() {
                return Ok(said);
            }
        }
    }
}
