//! kill -9 of a node, of an edge and of a database's primary at random moments under load, and a link cut under load: nothing
//! acked is lost or doubled, each publisher's order stands, and subscribers go on without a gap that nobody told them.
//!
//! Moments are drawn from seeds that are printed: `TRUNKLINE_SEED=N` draws those of one run again (processes and threads
//! are real, so that the rest of a run isn't the same), `TRUNKLINE_RUNS=N` makes more or fewer runs.

mod harness;

#[path = "crash/away.rs"]
mod away;
#[path = "crash/check.rs"]
mod check;
#[path = "crash/client.rs"]
mod client;
#[path = "crash/fail_over.rs"]
mod fail_over;
#[path = "crash/frozen.rs"]
mod frozen;
#[path = "crash/load.rs"]
mod load;
#[path = "crash/publisher.rs"]
mod publisher;
#[path = "crash/seed.rs"]
mod seed;
#[path = "crash/stage.rs"]
mod stage;
#[path = "crash/subscriber.rs"]
mod subscriber;

use std::time::Instant;

use check::{Entries, check_followed, check_kept, check_told, history};
use harness::process::Process;
use harness::wait_until;
use load::Load;
use publisher::{Plan, Sent};
use seed::{Seed, runs};
use stage::{Stage, metric};
use subscriber::Log;
use trunkline_loadtest::wan::{UdpRelay, WanConfig};

/// Publishes of one run.
const PUBLISHES: usize = 10_000;

/// Publishers of one run.
const PUBLISHERS: u64 = 8;

/// With such an idle time-out nothing but a reset tells an edge in time that its node was restarted.
const LONG_IDLE: &str = "idle_timeout = \"60s\"\nkeep_alive = \"3s\"";

/// A cut link counts as lost well before the deadline of the publishes on it.
const SHORT_IDLE: &str = "idle_timeout = \"1s\"\nkeep_alive = \"300ms\"\nreconnect_max = \"200ms\"";

/// More messages than a buffered channel's ring of 10 holds.
const BEYOND_THE_RING: u64 = 50;

fn plan(edge: &str, channel: &str, publisher: u64, count: usize, window: usize) -> Plan {
    Plan {
        edge: edge.to_owned(),
        channel: channel.to_owned(),
        publisher,
        count,
        window,
    }
}

/// Publishers that go by both edges in turn, or by the first alone.
fn plans(channel: &str, edges: &[&str]) -> Vec<Plan> {
    let count = PUBLISHES / PUBLISHERS as usize;
    (0..PUBLISHERS)
        .map(|publisher| {
            let edge = edges[publisher as usize % edges.len()];
            plan(edge, channel, publisher, count, 32)
        })
        .collect()
}

/// Publishes sent before a kill and not answered before there was a new process: by then no answer is under way.
fn unanswered(sent: &[Sent], killed: Instant, ready: Instant) -> usize {
    sent.iter()
        .filter(|one| one.at < killed && one.answered_at.is_none_or(|at| at > ready))
        .count()
}

/// How long there was no process, and how long it then took to the first answer.
fn outage(sent: &[Sent], killed: Instant, ready: Instant) -> String {
    let answers = sent.iter().filter_map(|one| one.answered_at);
    let first = answers
        .filter(|at| *at > ready)
        .min()
        .map(|first| first - ready);
    format!(
        "down {:?}, first answer {first:?} later",
        ready.duration_since(killed)
    )
}

/// Checks a durable channel and its subscribers after everything; returns its messages.
fn check_durable(edge: &str, channel: &str, sent: &[Sent], logs: &[Log]) -> Entries {
    assert_eq!(sent.len(), PUBLISHES);
    let (epoch, entries) = history(edge, channel);
    check_kept(&entries, sent);
    for log in logs {
        assert_eq!(log.epoch, epoch, "the epoch is the store's");
        check_followed(log, &entries);
    }
    entries
}

/// What a run says of itself.
fn summary(sent: &[Sent], logs: &[Log], open: usize, entries: &Entries) -> String {
    let acked = sent.iter().filter(|one| one.acked).count();
    let refused: Vec<_> = sent
        .iter()
        .filter(|one| !one.acked)
        .filter_map(|one| Some(one.answered_at? - one.at))
        .collect();
    let recovered: Vec<_> = logs.iter().map(|log| log.recovered).collect();
    format!(
        "{open} unanswered at the kill; acked {acked}, refused {} (earliest after {:?}) of {}, kept {}; resumed {recovered:?}",
        refused.len(),
        refused.iter().min(),
        sent.len(),
        entries.len(),
    )
}

#[test]
fn a_killed_node_loses_and_doubles_nothing_that_it_has_acked() {
    let stage = Stage::new(LONG_IDLE);
    runs("node", 20, |seed| {
        let (channel, store) = ("chat:crash", format!("store-{}", seed.number()));
        let node = stage.node(&store, &stage.any_port(), "");
        let link = node.address("link");
        let edges = ["edge-1", "edge-2"].map(|name| stage.edge(name, &stage.any_port(), &link));
        let listen = edges.each_ref().map(|edge| edge.address("listen"));
        let listen = listen.each_ref().map(String::as_str);
        let load = Load::start(channel, listen, &plans(channel, &listen));
        load.wait_for(seed.below(PUBLISHES as u64 * 9 / 10), seed);
        let killed = Instant::now();
        node.kill();
        let node = stage.node(&store, &link, "");
        let ready = Instant::now();
        let (sent, logs) = load.finish(listen[1], channel);
        let entries = check_durable(listen[0], channel, &sent, &logs);
        let open = unanswered(&sent, killed, ready);
        let found = metric(&node, "trunkline_backbone_repeats_found");
        let said = summary(&sent, &logs, open, &entries);
        let outage = outage(&sent, killed, ready);
        drop((edges, node));
        std::fs::remove_dir_all(stage.store(&store)).expect("the store can be removed");
        (open > 0, format!("{said}; repeats found {found}; {outage}"))
    });
}

#[test]
fn a_killed_edge_loses_and_doubles_nothing_that_it_has_acked() {
    let stage = Stage::new(LONG_IDLE);
    let node = stage.node("store", &stage.any_port(), "");
    let link = node.address("link");
    let other = stage.edge("edge-2", &stage.any_port(), &link);
    runs("edge", 20, |seed| {
        let channel = format!("chat:edge-{}", seed.number());
        let edge = stage.edge("edge-1", &stage.any_port(), &link);
        let listen = edge.address("listen");
        let both = [listen.as_str(), &other.address("listen")];
        let load = Load::start(&channel, both, &plans(&channel, &both[..1]));
        load.wait_for(seed.below(PUBLISHES as u64 * 9 / 10), seed);
        let killed = Instant::now();
        edge.kill();
        let _edge = stage.edge("edge-1", &listen, &link);
        let ready = Instant::now();
        let (sent, logs) = load.finish(both[1], &channel);
        let entries = check_durable(both[1], &channel, &sent, &logs);
        let open = unanswered(&sent, killed, ready);
        assert_eq!(
            logs[0].recovered, 1,
            "the subscriber of the killed edge resumed"
        );
        (open > 0, summary(&sent, &logs, open, &entries))
    });
}

#[test]
fn a_message_committed_and_not_answered_is_there_once_after_the_nodes_end() {
    frozen::ends_between_commit_and_answer(&Stage::new(LONG_IDLE));
}

#[test]
fn a_fail_over_to_a_synchronous_standby_loses_nothing_that_was_acked() {
    let run = |seed: &mut Seed| fail_over::loses_nothing(seed).unwrap_or((true, String::new()));
    runs("fail-over", 1, run);
}

#[test]
fn a_fail_over_that_loses_what_was_acked_tells_everybody_who_saw_it() {
    let run =
        |seed: &mut Seed| fail_over::tells_of_what_it_lost(seed).unwrap_or((true, String::new()));
    runs("fail-over behind", 1, run);
}

#[test]
fn without_its_database_a_mesh_refuses_durable_publishes_and_nothing_else_until_it_is_back() {
    away::fails_static();
}

/// Which datagrams of a link are lost.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// Those of the node: it goes on taking what the edge sends, and its answers don't come.
    Answers,
    /// All.
    Both,
}

impl Cut {
    fn config(self) -> WanConfig {
        let mut config = WanConfig::default();
        config.down.cut = true;
        config.up.cut = match self {
            Self::Answers => false,
            Self::Both => true,
        };
        config
    }
}

/// Starts a node and two edges, of which the first reaches it by a relay.
fn behind_a_relay(stage: &Stage) -> (UdpRelay, Process, [Process; 2]) {
    let node = stage.node("store", &stage.any_port(), "");
    let link = node.address("link");
    let target = link.parse().expect("an address");
    let relay = UdpRelay::start((stage.ip, 0).into(), target, WanConfig::default(), 1);
    let relay = relay.expect("a free port");
    let edges = [
        stage.edge_by(&relay, "edge-1", &stage.any_port()),
        stage.edge("edge-2", &stage.any_port(), &link),
    ];
    (relay, node, edges)
}

/// Cuts the first edge's link until both ends have given it up and the others have published more than the ring holds.
fn cut_and_heal(relay: &UdpRelay, cut: Cut, edge: &Process, load: &Load, seed: &mut Seed) {
    relay.set(cut.config());
    wait_until("the end of the link", || {
        (metric(edge, "trunkline_upstream_links") == 0).then_some(())
    });
    load.wait_for(BEYOND_THE_RING, seed);
    relay.set(WanConfig::default());
    wait_until("a new link", || {
        (metric(edge, "trunkline_upstream_links") == 1).then_some(())
    });
}

#[test]
fn a_link_cut_under_load_loses_and_doubles_nothing_of_a_buffered_channel() {
    runs("cut", 1, |seed| {
        let stage = Stage::new(SHORT_IDLE);
        let (relay, node, edges) = behind_a_relay(&stage);
        let listen = edges.each_ref().map(|edge| edge.address("listen"));
        let listen = listen.each_ref().map(String::as_str);
        let channel = "live:cut";
        let plans = [(0, 16), (0, 16), (1, 1), (1, 1)].map(|(edge, window)| (listen[edge], window));
        let plans = (0_u64..)
            .zip(plans)
            .map(|(publisher, (edge, window))| plan(edge, channel, publisher, usize::MAX, window));
        let load = Load::start(channel, listen, &plans.collect::<Vec<_>>());
        for cut in [Cut::Answers, Cut::Both, Cut::Answers] {
            load.wait_for(500 + seed.below(500), seed);
            cut_and_heal(&relay, cut, &edges[0], &load, seed);
        }
        load.wait_for(500, seed);
        load.stop();
        let (sent, [cut_off, connected]) = load.finish(listen[1], channel);
        check_kept(&connected.entries, &sent);
        check_followed(&connected, &connected.entries);
        check_told(&cut_off, &connected.entries);
        assert_eq!(cut_off.epoch, connected.epoch, "the owner lived on");
        let found = metric(&node, "trunkline_backbone_repeats_found");
        let acked = sent.iter().filter(|one| one.acked).count();
        let said = format!(
            "acked {acked} of {}, repeats found {found}; the cut off subscriber got {} and was told {} times",
            sent.len(),
            cut_off.entries.len(),
            cut_off.told.len(),
        );
        (found > 0, said)
    });
}
