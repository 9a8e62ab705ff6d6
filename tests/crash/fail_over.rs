//! PostgreSQL with a standby: the primary is killed under load and the standby takes over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::check::{Entries, check_followed, check_kept, history};
use super::client::Client;
use super::load::Load;
use super::publisher::{Plan, Sent};
use super::seed::Seed;
use super::stage::{Stage, metric};
use super::subscriber::Log;
use super::{SHORT_IDLE, plan};
use crate::harness::postgres::{Postgres, dsn};
use crate::harness::process::Process;
use crate::harness::{api, own_ip, wait_until};

const CHANNEL: &str = "chat:fail-over";

/// A channel in which nothing is published after the fail-over.
const IDLE: &str = "chat:idle";

/// Two servers, of which the second follows the first, a node on them, and two edges.
struct Pair {
    primary: Postgres,
    standby: Postgres,
    _stage: Stage,
    node: Process,
    edges: [Process; 2],
}

impl Pair {
    /// Starts everything; `None` where there is no PostgreSQL.
    fn start(replication: &str) -> Option<Self> {
        let primary = Postgres::start(own_ip(), &[])?;
        let database = primary.database();
        let standby = primary.standby(own_ip());
        if replication == "sync" {
            primary.synchronize();
        }
        let stage = Stage::new(SHORT_IDLE);
        let store = format!(
            "kind = \"postgres\"\npostgres.dsn = \"{}\"\npostgres.replication = \"{replication}\"",
            dsn(&[&primary, &standby], &database)
        );
        let node = stage.node_on(&store, &stage.any_port(), "");
        let link = node.address("link");
        let edges = ["edge-1", "edge-2"].map(|name| stage.edge(name, &stage.any_port(), &link));
        Some(Self {
            primary,
            standby,
            _stage: stage,
            node,
            edges,
        })
    }

    fn listen(&self) -> [String; 2] {
        self.edges.each_ref().map(|edge| edge.address("listen"))
    }

    /// Kills the primary and lets the standby take over.
    fn fail_over(&mut self) -> Moments {
        let killed = Instant::now();
        self.primary.crash();
        self.standby.promote();
        let promoted = Instant::now();
        Moments { killed, promoted }
    }
}

/// When the primary was killed, and when the standby took writes.
#[derive(Clone, Copy)]
struct Moments {
    killed: Instant,
    promoted: Instant,
}

impl Moments {
    /// Publishes that weren't answered when the primary was killed.
    fn in_flight(self, sent: &[Sent]) -> usize {
        sent.iter()
            .filter(|one| one.at < self.killed && one.answered_at.is_none_or(|at| at > self.killed))
            .count()
    }

    /// Time without a durable publish: the longest one without an answer "kept".
    fn outage(self, sent: &[Sent]) -> Duration {
        let acked = sent.iter().filter(|one| one.acked);
        let mut answers: Vec<_> = acked.filter_map(|one| one.answered_at).collect();
        answers.sort();
        let pauses = answers.windows(2).map(|pair| pair[1] - pair[0]);
        pauses.max().expect("publishes were answered")
    }

    /// What a run says of it.
    fn said(self, sent: &[Sent]) -> String {
        format!(
            "{} in flight at the kill; no durable publish for {:?}, the standby took writes {:?} after the kill",
            self.in_flight(sent),
            self.outage(sent),
            self.promoted - self.killed,
        )
    }
}

/// Publishers that go on until they are told to stop, two by each edge.
fn plans(edges: [&str; 2]) -> Vec<Plan> {
    (0..4)
        .map(|publisher| {
            let edge = edges[publisher as usize % edges.len()];
            plan(edge, CHANNEL, publisher, usize::MAX, 4)
        })
        .collect()
}

/// Plays a fail-over to a synchronous standby; says whether publishes were under way, and how long none was kept.
pub(crate) fn loses_nothing(seed: &mut Seed) -> Option<(bool, String)> {
    let mut pair = Pair::start("sync")?;
    let listen = pair.listen();
    let listen = listen.each_ref().map(String::as_str);
    let load = Load::start(CHANNEL, listen, &plans(listen));
    load.wait_for(300 + seed.below(500), seed);
    let moments = pair.fail_over();
    load.wait_for(500, seed);
    load.stop();
    let (sent, logs) = load.finish(listen[1], CHANNEL);
    let (epoch, entries) = history(listen[0], CHANNEL);
    check_kept(&entries, &sent);
    for log in &logs {
        assert_eq!(log.epoch, epoch, "nothing was lost: the epoch goes on");
        check_followed(log, &entries);
    }
    assert_eq!(metric(&pair.node, "trunkline_store_fail_overs"), 0);
    let acked = sent.iter().filter(|one| one.acked).count();
    let said = moments.said(&sent);
    Some((
        moments.in_flight(&sent) > 0,
        format!("{said}; acked {acked}, kept {}, lost 0", entries.len()),
    ))
}

/// Plays a fail-over to a standby whose receiver had stopped.
pub(crate) fn tells_of_what_it_lost(seed: &mut Seed) -> Option<(bool, String)> {
    let mut pair = Pair::start("async")?;
    let listen = pair.listen();
    let listen = listen.each_ref().map(String::as_str);
    let load = Load::start(CHANNEL, listen, &plans(listen));
    load.wait_for(100 + seed.below(300), seed);
    pair.primary.leave_behind(&pair.standby);
    let mut idle = Onlooker::of_a_message(listen[0]);
    load.wait_for(100 + seed.below(300), seed);
    let moments = pair.fail_over();
    idle.expect_told();
    load.wait_for_subscribers();
    load.wait_for(100, seed);
    load.stop();
    let (sent, logs) = load.finish(listen[1], CHANNEL);
    let (epoch, entries) = history(listen[0], CHANNEL);
    let lost = lost(&sent, &entries);
    assert!(lost > 0, "the standby was behind");
    assert!(epoch.starts_with("2."), "the epoch is led by the timeline");
    for log in &logs {
        assert_eq!(log.epoch, epoch);
        check_told_of_loss(log, &entries);
    }
    assert_eq!(metric(&pair.node, "trunkline_store_fail_overs"), 1);
    let said = moments.said(&sent);
    Some((
        moments.in_flight(&sent) > 0,
        format!(
            "{said}; acked and lost {lost}, kept {}, everybody was told",
            entries.len()
        ),
    ))
}

/// How many messages were acked and aren't there.
fn lost(sent: &[Sent], entries: &Entries) -> usize {
    let kept: BTreeSet<_> = entries.iter().map(|(_, payload)| *payload).collect();
    let acked = sent.iter().filter(|one| one.acked);
    acked.filter(|one| !kept.contains(&one.payload)).count()
}

/// A subscriber saw an unbroken run of messages, was told, and then saw the store's messages to their end.
fn check_told_of_loss(log: &Log, entries: &Entries) {
    let [told] = log.told[..] else {
        panic!("told {:?} times", log.told.len());
    };
    let (before, after) = log.entries.split_at(told);
    for run in [before, after] {
        let unbroken = run.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1);
        assert!(unbroken, "a gap in silence");
    }
    assert_eq!(before.first().map(|(offset, _)| *offset), Some(1));
    assert!(!after.is_empty(), "publishes went on");
    assert!(entries.ends_with(after), "another end than the store's");
}

/// A client that has seen a message of a channel in which nothing else happens.
struct Onlooker {
    client: Client,
    epoch: Value,
}

impl Onlooker {
    fn of_a_message(edge: &str) -> Self {
        let mut client = Client::connect(edge);
        let subscribed = subscribe(&mut client, &json!({ "channel": IDLE }));
        let publish = api(edge, "publish", &json!({ "channel": IDLE, "data": 1 }));
        assert_eq!(publish["result"]["offset"], 1, "{publish}");
        let said = client.receive().expect("its connection lives");
        assert_eq!(said[0]["push"]["pub"]["offset"], 1, "{said:?}");
        Self {
            client,
            epoch: subscribed["epoch"].clone(),
        }
    }

    /// It is told that something is lost though nobody publishes, and by the answer to its new subscribe.
    fn expect_told(&mut self) {
        let said = self.client.receive().expect("its connection lives");
        let code = &said[0]["push"]["unsubscribe"]["code"];
        assert_eq!(code, 2500, "{said:?}");
        let position =
            json!({ "channel": IDLE, "recover": true, "offset": 1, "epoch": self.epoch });
        let subscribed = subscribe(&mut self.client, &position);
        assert_ne!(subscribed["recovered"], true, "{subscribed}");
        assert_ne!(subscribed["epoch"], self.epoch, "{subscribed}");
    }
}

/// Subscribes until there is no temporary error; returns the result.
fn subscribe(client: &mut Client, request: &Value) -> Value {
    wait_until("a subscription", || {
        client
            .send(&[json!({ "id": 2, "subscribe": request })])
            .expect("its connection lives");
        let said = client.receive().expect("its connection lives");
        let [reply] = &said[..] else {
            panic!("{said:?}");
        };
        let failed = &reply["error"]["code"];
        assert!(failed.is_null() || failed == 100, "{reply}");
        reply.get("subscribe").cloned()
    })
}
