//! S-14 and R-10: what a subscriber gets while somebody publishes all the time, by the default limits.

use std::time::Duration;

use serde_json::json;
use trunkline_protocol::Encoding;

use super::api::{publication, publications};
use super::client::Client;
use super::mesh::Edge;
use super::publisher::Publisher;
use super::stage::Stage;

const CLIENTS: usize = 50;
const CUTS: usize = 20;
/// 200 publications per second.
const PACE: Duration = Duration::from_millis(5);

/// Follows a channel from a position: each publication must be the next one.
struct Follower {
    client: Client,
    offset: u64,
}

impl Follower {
    /// Reads up to an offset; joins are passed over.
    fn read_to(&mut self, channel: &str, offset: u64) {
        while self.offset < offset {
            let push = self.client.push(channel);
            if push.get("join").is_none() {
                assert_eq!(push, json!({ "pub": publication(self.offset + 1) }));
                self.offset += 1;
            }
        }
    }
}

#[test]
fn s_14_nothing_comes_before_a_subscribe_reply_and_nothing_is_missed_after_it() {
    for stage in Stage::all().filter(|stage| stage.encoding == Encoding::Json) {
        let channel = stage.channel("rec", "s-14");
        let user =
            |number: usize| Client::user_at(Edge::Usual, stage.encoding, &format!("{number}"));
        let mut clients: Vec<Client> = (0..CLIENTS).map(user).collect();
        let publisher = Publisher::start(Edge::Usual, &channel, Duration::ZERO);
        publisher.go_on(10);
        let subscribe = json!({ "subscribe": { "channel": channel, "join_leave": true } });
        clients.iter_mut().for_each(|client| {
            client.begin(subscribe.clone());
        });
        let followers = clients.into_iter().map(|mut client| {
            let first = client.arrived();
            let top = first["subscribe"]["offset"].as_u64();
            let offset = top.unwrap_or_else(|| panic!("{first} before the reply"));
            Follower { client, offset }
        });
        let followers: Vec<Follower> = followers.collect();
        publisher.go_on(10);
        let last = publisher.stop();
        for mut follower in followers {
            follower.read_to(&channel, last);
        }
    }
}

#[test]
fn r_10_a_client_that_is_cut_twenty_times_gets_every_offset_once_and_in_order() {
    for stage in Stage::all() {
        let channel = stage.channel("long", "r-10");
        let publisher = Publisher::start(Edge::Usual, &channel, PACE);
        publisher.go_on(1);
        let mut position = Position::default();
        for _ in 0..CUTS {
            let mut follower = position.come_back(stage, &channel);
            follower.read_to(&channel, follower.offset + 10);
            position.offset = follower.offset;
        }
        let last = publisher.stop();
        let mut follower = position.come_back(stage, &channel);
        follower.read_to(&channel, last);
        follower.client.expect_silence();
    }
}

/// Where a client stands; at first nowhere, which recovers everything.
#[derive(Default)]
struct Position {
    epoch: String,
    offset: u64,
}

impl Position {
    /// A new connection that recovers from here; the reply brings the next publications and no others.
    fn come_back(&mut self, stage: Stage, channel: &str) -> Follower {
        let mut client = Client::user_at(Edge::Usual, stage.encoding, "42");
        let request = json!({
            "channel": channel, "recover": true, "offset": self.offset, "epoch": self.epoch,
        });
        let mut reply = client.ask(json!({ "subscribe": request }));
        let result = &mut reply["subscribe"];
        assert_eq!(result["recovered"], true, "{result}");
        let missed = result["publications"].as_array().map_or(0, Vec::len) as u64;
        if missed > 0 {
            let next = self.offset + 1..=self.offset + missed;
            assert_eq!(result["publications"], publications(next));
        }
        self.epoch = result["epoch"].as_str().expect("an epoch").to_owned();
        let offset = self.offset + missed;
        Follower { client, offset }
    }
}
