//! A client that stays while the store under its mesh is replaced.

use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::process::Process;
use crate::harness::wait_until;
use crate::subscribe;

/// A subscriber and the last position that it has seen.
pub(crate) struct Onlooker {
    client: Client,
    channel: &'static str,
    offset: u64,
    epoch: Value,
}

impl Onlooker {
    /// Subscribes to a durable channel in which `last` was the latest publish, and sees everything up to it.
    pub(crate) fn of(edge: &Process, channel: &'static str, last: &Value) -> Self {
        let mut onlooker = Self {
            client: Client::connect(&edge.address("listen")),
            channel,
            offset: 0,
            epoch: last["epoch"].clone(),
        };
        let subscribed = onlooker.recover();
        assert_eq!(subscribed["recovered"], true, "{subscribed}");
        onlooker.offset = last["offset"].as_u64().expect("an offset");
        let seen = subscribed["publications"].as_array().expect("some");
        let newest = seen.last().expect("one at least");
        assert_eq!(newest["offset"], onlooker.offset, "{subscribed}");
        onlooker
    }

    /// Subscribes with its position; returns the result.
    fn recover(&mut self) -> Value {
        let how = json!({
            "channel": self.channel, "recover": true, "offset": self.offset, "epoch": self.epoch,
        });
        subscribe(&mut self.client, &how)
    }

    /// It is told to subscribe again, and then that its position can't be recovered; returns the epoch that it hears of.
    pub(crate) fn expect_told(&mut self) -> Value {
        let told = wait_until("an unsubscribe", || {
            let said = self.client.receive().expect("its connection lives");
            said.into_iter()
                .find(|one| one["push"].get("unsubscribe").is_some())
        });
        assert_eq!(told["push"]["unsubscribe"]["code"], 2500, "{told}");
        let subscribed = self.recover();
        assert_ne!(subscribed["recovered"], true, "{subscribed}");
        assert_ne!(subscribed["epoch"], self.epoch, "{subscribed}");
        subscribed["epoch"].clone()
    }
}
