//! A subscriber that does what the SDKs do: it resumes from its position, and notes what it got and what it was told.

use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};

use super::client::{Client, Gone};
use super::publisher::Payload;

/// The publisher of the message at which a subscriber ends.
pub(crate) const END: u64 = 1_000_000;

/// What a subscriber got.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Offset and message, as they came; without the last one.
    pub(crate) entries: Vec<(u64, Payload)>,
    /// Lengths of `entries` at which it was told that something is missing.
    pub(crate) told: Vec<usize>,
    /// Times that it subscribed again and missed nothing.
    pub(crate) recovered: usize,
    pub(crate) epoch: String,
}

/// A subscriber at work.
pub(crate) struct Subscriber {
    edge: String,
    channel: String,
    log: Log,
    position: Option<u64>,
    ended: bool,
}

impl Subscriber {
    /// Subscribes and follows the channel up to the message of [`END`]; says that it is subscribed, and that it ends.
    pub(crate) fn start(
        edge: &str,
        channel: &str,
        subscribed: Sender<()>,
        end: Sender<()>,
    ) -> JoinHandle<Log> {
        let mut subscriber = Self {
            edge: edge.to_owned(),
            channel: channel.to_owned(),
            log: Log::default(),
            position: None,
            ended: false,
        };
        thread::spawn(move || {
            while !subscriber.ended {
                let client = Client::connect(&subscriber.edge);
                let _ = subscriber.follow(client, &subscribed);
            }
            // Nobody may listen any more: a test that fails elsewhere.
            let _ = end.send(());
            subscriber.log
        })
    }

    fn follow(&mut self, mut client: Client, subscribed: &Sender<()>) -> Result<(), Gone> {
        client.send(&[self.subscribe()])?;
        while !self.ended {
            for said in client.receive()? {
                if said["error"]["code"] == 100 || said["push"].get("unsubscribe").is_some() {
                    let code = &said["push"]["unsubscribe"]["code"];
                    assert!(code.is_null() || code == 2500, "{said}");
                    client.send(&[self.subscribe()])?;
                } else if let Some(reply) = said.get("subscribe") {
                    self.on_subscribed(reply);
                    let _ = subscribed.send(());
                } else {
                    let publication = said["push"].get("pub");
                    self.take(publication.unwrap_or_else(|| panic!("{said}")));
                }
            }
        }
        Ok(())
    }

    fn subscribe(&self) -> Value {
        let request = match self.position {
            None => json!({ "channel": self.channel }),
            Some(offset) => json!({
                "channel": self.channel, "recover": true, "offset": offset, "epoch": self.log.epoch,
            }),
        };
        json!({ "id": 2, "subscribe": request })
    }

    fn on_subscribed(&mut self, reply: &Value) {
        let epoch = reply["epoch"].as_str().expect("a positioned subscription");
        match (self.position, reply["recovered"] == true) {
            (Some(_), true) => {
                self.log.recovered += 1;
                for publication in reply["publications"].as_array().into_iter().flatten() {
                    self.take(publication);
                }
            }
            (before, _) => {
                if before.is_some() {
                    self.log.told.push(self.log.entries.len());
                }
                self.position = Some(reply["offset"].as_u64().unwrap_or(0));
                epoch.clone_into(&mut self.log.epoch);
            }
        }
    }

    fn take(&mut self, publication: &Value) {
        let offset = publication["offset"].as_u64().expect("an offset");
        self.position = Some(offset);
        let payload: Payload =
            serde_json::from_value(publication["data"].clone()).expect("a numbered message");
        if payload.0 == END {
            self.ended = true;
        } else if !self.ended {
            self.log.entries.push((offset, payload));
        }
    }
}
