//! PostgreSQL is gone for a while: durable publishes fail fast, everything else goes on, and they resume by themselves.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::SHORT_IDLE;
use super::client::Client;
use super::stage::Stage;
use crate::harness::postgres::Postgres;
use crate::harness::process::Process;
use crate::harness::{api, own_ip, wait_until};

const DURABLE: &str = "chat:away";
const BUFFERED: &str = "live:away";
const EPHEMERAL: &str = "cursors:away";

/// An edge answers every command in this time.
const DEADLINE: Duration = Duration::from_secs(4);

/// A client with what it was told, replies and pushes apart.
struct Member {
    client: Client,
    pushes: Vec<Value>,
}

impl Member {
    fn connect(edge: &str) -> Self {
        Self {
            client: Client::connect(edge),
            pushes: Vec::new(),
        }
    }

    /// Sends a command and returns its reply.
    fn ask(&mut self, command: &str, request: &Value) -> Value {
        let sent = json!({ "id": 7, command: request });
        self.client.send(&[sent]).expect("its connection lives");
        loop {
            let said = self.client.receive().expect("its connection lives");
            let (replies, pushes): (Vec<_>, Vec<_>) =
                said.into_iter().partition(|one| one["id"] == 7);
            self.pushes.extend(pushes);
            if let [reply] = &replies[..] {
                return reply.clone();
            }
        }
    }

    fn subscribe(&mut self, request: &Value) -> Value {
        let reply = self.ask("subscribe", request);
        assert!(reply.get("subscribe").is_some(), "{reply}");
        reply["subscribe"].clone()
    }

    /// Waits for the next publication of a channel.
    fn publication(&mut self, channel: &str) -> Value {
        loop {
            let is_of =
                |one: &Value| one["push"]["channel"] == channel && one["push"].get("pub").is_some();
            if let Some(place) = self.pushes.iter().position(is_of) {
                return self.pushes.remove(place)["push"]["pub"].clone();
            }
            let said = self.client.receive().expect("its connection lives");
            self.pushes.extend(said);
        }
    }
}

/// A node on a database, an edge, and a member who has seen three durable messages.
struct Scene {
    server: Postgres,
    edge: String,
    member: Member,
    epoch: Value,
    _processes: [Process; 2],
    _stage: Stage,
}

impl Scene {
    fn start() -> Option<Self> {
        let server = Postgres::start(own_ip(), &[])?;
        let stage = Stage::new(SHORT_IDLE);
        let dsn = server.dsn(&server.database());
        let store = format!("kind = \"postgres\"\npostgres.dsn = \"{dsn}\"");
        let node = stage.node_on(&store, &stage.any_port(), "");
        let edge = stage.edge("edge-1", &stage.any_port(), &node.address("link"));
        let listen = edge.address("listen");
        let mut member = Member::connect(&listen);
        let epoch = member.subscribe(&json!({ "channel": DURABLE }))["epoch"].clone();
        member.subscribe(&json!({ "channel": BUFFERED }));
        member.subscribe(&json!({ "channel": EPHEMERAL }));
        for offset in 1..=3 {
            assert_eq!(publish(&listen, DURABLE)["result"]["offset"], offset);
            assert_eq!(member.publication(DURABLE)["offset"], offset);
        }
        Some(Self {
            server,
            edge: listen,
            member,
            epoch,
            _processes: [edge, node],
            _stage: stage,
        })
    }

    /// Durable publishes end in time with the temporary error: the first may wait for its deadline, later ones don't wait.
    fn expect_durable_refused(&mut self) {
        let begun = Instant::now();
        for _ in 0..20 {
            let publish = json!({ "channel": DURABLE, "data": {} });
            let reply = self.member.ask("publish", &publish);
            let error = &reply["error"];
            assert_eq!(
                (&error["code"], &error["temporary"]),
                (&json!(100), &json!(true)),
                "{reply}"
            );
        }
        let took = begun.elapsed();
        assert!(took < DEADLINE + Duration::from_secs(1), "{took:?}");
        let ready = ureq::get(format!("http://{}/health/ready", self.edge)).call();
        let mut ready = ready.expect("an edge stays ready");
        let body: Value = ready.body_mut().read_json().expect("JSON");
        assert_eq!(
            (&body["ready"], &body["store_away"]),
            (&json!(true), &json!(true))
        );
    }

    fn expect_the_rest_goes_on(&mut self) {
        let sent = self
            .member
            .ask("publish", &json!({ "channel": EPHEMERAL, "data": "here" }));
        assert!(sent.get("publish").is_some(), "{sent}");
        assert_eq!(self.member.publication(EPHEMERAL)["data"], "here");
        assert_eq!(publish(&self.edge, BUFFERED)["result"]["offset"], 1);
        assert_eq!(self.member.publication(BUFFERED)["offset"], 1);
        let mut newcomer = Member::connect(&self.edge);
        newcomer.subscribe(&json!({ "channel": EPHEMERAL }));
        let present = api(
            &self.edge,
            "presence_stats",
            &json!({ "channel": EPHEMERAL }),
        );
        assert_eq!(present["result"]["num_clients"], 2, "{present}");
        let position =
            json!({ "channel": DURABLE, "recover": true, "offset": 1, "epoch": self.epoch });
        let recovered = newcomer.subscribe(&position);
        assert_eq!(recovered["recovered"], true, "{recovered}");
        let missed = recovered["publications"]
            .as_array()
            .expect("what it missed");
        let offsets: Vec<_> = missed.iter().map(|one| one["offset"].clone()).collect();
        assert_eq!(offsets, [2, 3]);
    }

    /// Who stayed gets what is kept from then on, after the third and without a gap.
    fn expect_resumed(&mut self) {
        let kept = wait_until("a durable publish", || {
            publish(&self.edge, DURABLE)["result"]["offset"].as_u64()
        });
        for offset in 4..=kept {
            assert_eq!(self.member.publication(DURABLE)["offset"], offset);
        }
    }
}

fn publish(edge: &str, channel: &str) -> Value {
    api(edge, "publish", &json!({ "channel": channel, "data": {} }))
}

/// Plays it, where there is PostgreSQL.
pub(crate) fn fails_static() {
    let Some(mut scene) = Scene::start() else {
        return;
    };
    scene.server.crash();
    scene.expect_durable_refused();
    scene.expect_the_rest_goes_on();
    scene.server.run();
    scene.expect_resumed();
}
