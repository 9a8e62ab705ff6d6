//! Nodes on one PostgreSQL under an edge that publishes: one joins, one leaves, one is killed, one is frozen and goes on. What
//! they tell of it: `cluster/ring.rs`.

#[path = "crash/check.rs"]
mod check;
#[path = "crash/client.rs"]
mod client;
mod harness;
#[path = "crash/load.rs"]
#[expect(dead_code, reason = "subscribers of an edge that dies have a test")]
mod load;
#[path = "crash/publisher.rs"]
#[expect(
    dead_code,
    reason = "how long nothing was published is measured elsewhere"
)]
mod publisher;
#[path = "cluster/ring.rs"]
mod ring;
#[path = "crash/seed.rs"]
#[expect(dead_code, reason = "moments are drawn where the moment matters")]
mod seed;
#[path = "crash/stage.rs"]
#[expect(dead_code, reason = "a node with a store of its own has tests")]
mod stage;
#[path = "crash/subscriber.rs"]
mod subscriber;

use check::{check_followed, check_kept, history};
use harness::postgres::Postgres;
use harness::process::Process;
use harness::{own_ip, wait_until};
use load::Load;
use publisher::Plan;
use seed::Seed;
use stage::{Stage, metric};

/// Links find a peer that died soon.
const SHORT_IDLE: &str = "idle_timeout = \"1s\"\nkeep_alive = \"300ms\"\nreconnect_max = \"200ms\"";

/// In slots of all nodes.
const CHANNELS: [&str; 6] = ["chat:a", "chat:b", "chat:c", "chat:d", "chat:e", "chat:f"];

/// Nodes on one database.
struct Cluster {
    server: Postgres,
    database: String,
    stage: Stage,
}

impl Cluster {
    /// `None` where there is no PostgreSQL.
    fn prepare() -> Option<Self> {
        let server = Postgres::start(own_ip(), &[])?;
        let database = server.database();
        Some(Self {
            server,
            database,
            stage: Stage::new(SHORT_IDLE),
        })
    }

    fn node(&self, name: &str) -> Process {
        let dsn = self.server.dsn(&self.database);
        let store = format!("kind = \"postgres\"\npostgres.dsn = \"{dsn}\"");
        self.stage.node_as(name, &store, &self.stage.any_port(), "")
    }

    /// Waits until a node holds a view with so many members, none of which joins or leaves.
    fn expect_members(&self, node: &Process, members: u64) {
        wait_until("a view", || {
            let is = |name, value| metric(node, name) == value;
            let all =
                is("trunkline_backbone_members", members) && is("trunkline_backbone_moves", 0);
            all.then_some(())
        });
    }
}

#[test]
fn durable_publishes_go_on_while_nodes_join_leave_die_and_freeze() {
    let Some(cluster) = Cluster::prepare() else {
        return;
    };
    let first = cluster.node("backbone-1");
    let second = cluster.node("backbone-2");
    let any_port = cluster.stage.any_port();
    let edge = cluster
        .stage
        .edge("edge-1", &any_port, &first.address("link"));
    let edge = edge.address("listen");
    let loads = CHANNELS.map(|channel| {
        let plan = |publisher| Plan {
            edge: edge.clone(),
            channel: channel.to_owned(),
            publisher,
            count: usize::MAX,
            window: 4,
        };
        Load::start(channel, [&edge, &edge], &[plan(0), plan(1)])
    });
    let mut seed = Seed::new(1);
    let mut go_on = || loads.iter().for_each(|load| load.wait_for(100, &mut seed));
    go_on();

    let third = cluster.node("backbone-3");
    cluster.expect_members(&first, 3);
    go_on();

    assert!(second.stop().success(), "a planned leave ends well");
    cluster.expect_members(&first, 2);
    go_on();

    let second = cluster.node("backbone-2");
    cluster.expect_members(&first, 3);
    third.kill();
    cluster.expect_members(&first, 2);
    go_on();

    second.freeze();
    cluster.expect_members(&first, 1);
    go_on();
    second.thaw();
    cluster.expect_members(&first, 2);
    assert_eq!(metric(&second, "trunkline_backbone_rejoins"), 1);
    go_on();

    for (load, channel) in loads.into_iter().zip(CHANNELS) {
        load.stop();
        let (sent, logs) = load.finish(&edge, channel);
        let (epoch, entries) = history(&edge, channel);
        check_kept(&entries, &sent);
        for log in &logs {
            assert_eq!(log.epoch, epoch, "one numbering whoever owned the slot");
            check_followed(log, &entries);
        }
    }
}
