//! Worker, upstream and owner together, without a network: clients of two edges talk in plain JSON.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use trunkline_backbone_core::io::{
    self as node, EdgeIdentity, PartOutcome, StoreAnswer, StoreRequest,
};
use trunkline_backbone_core::{
    Control, ControlConfig, ControlInput, ControlOutput, Shard, ShardConfig,
};
use trunkline_edge_core::exchange::WorkerId;
use trunkline_edge_core::upstream::{self, Upstream, UpstreamConfig};
use trunkline_edge_core::worker::{self, ClientConfig, ConnId, Worker, WorkerConfig};
use trunkline_protocol::Encoding;
use trunkline_shared::rules::{Class, Namespace, Rules};
use trunkline_shared::{
    EdgeId, Incarnation, Instant, LinkId, Member, NodeId, Now, Region, RingView, Slot, StreamId,
    UnixMillis, ViewVersion,
};
use trunkline_store_core::memory::MemoryState;
use trunkline_store_core::{AppendOutcome, ClaimRequest};

const NODE: Incarnation = Incarnation([9; 16]);
const WORKER: WorkerId = WorkerId(0);

/// One edge: a worker, the way upstream, and what its clients were sent.
struct Edge {
    worker: Worker,
    upstream: Upstream,
    link: Option<LinkId>,
    identity: EdgeIdentity,
    received: Vec<(ConnId, Value)>,
    closed: Vec<(ConnId, u16)>,
}

struct Mesh {
    now: Now,
    edges: Vec<Edge>,
    shard: Shard,
    control: Control,
    store: MemoryState,
    links: u64,
    lives: u8,
}

fn namespace(name: &str, class: Class) -> Namespace {
    let kept = class != Class::Ephemeral;
    Namespace {
        name: name.to_owned(),
        class: Some(class),
        history_size: if kept { 100 } else { 0 },
        history_ttl: Duration::from_secs(if kept { 300 } else { 0 }),
        presence: kept,
        force_recovery: kept,
        allow_subscribe_for_client: true,
        allow_subscribe_for_anonymous: true,
        allow_publish_for_client: true,
        allow_publish_for_anonymous: true,
        allow_presence_for_client: true,
        allow_presence_for_anonymous: true,
        allow_history_for_client: true,
        allow_history_for_anonymous: true,
        ..Namespace::default()
    }
}

impl Edge {
    fn new(place: u8, now: Now) -> Self {
        let client = ClientConfig {
            allow_anonymous_connect_without_token: true,
            ..ClientConfig::default()
        };
        let incarnation = Incarnation([place; 16]);
        let config = UpstreamConfig {
            contacts: vec!["node:1".into()],
            ..UpstreamConfig::default()
        };
        let mut edge = Self {
            worker: Worker::new(WorkerConfig { client }, WORKER, [place; 32], now),
            upstream: Upstream::new(config, incarnation, u64::from(place), now),
            link: None,
            identity: EdgeIdentity {
                edge: EdgeId::parse(&format!("edge-{place}")).unwrap(),
                region: Region::parse("eu-west").unwrap(),
                incarnation,
            },
            received: Vec::new(),
            closed: Vec::new(),
        };
        edge.upstream
            .handle_input(now, upstream::Input::WorkerAdded(WORKER));
        edge
    }

    /// Reads what is in the outboxes, as a socket that takes everything.
    fn flush(&mut self, now: Now) {
        while let Some(conn) = self.worker.take_dirty() {
            let frames: Vec<Bytes> = self.worker.outbox(conn).cloned().collect();
            let bytes = frames.iter().map(Bytes::len).sum();
            frames
                .iter()
                .for_each(|frame| self.received.extend(texts(frame).map(|text| (conn, text))));
            self.worker.written(now, conn, bytes, false);
        }
    }
}

/// The JSON messages in one unmasked WebSocket frame.
fn texts(frame: &Bytes) -> impl Iterator<Item = Value> {
    assert_eq!(frame[0], 0x81, "a whole text frame");
    let start = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let text = String::from_utf8(frame[start..].to_vec()).unwrap();
    let messages: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    messages.into_iter()
}

impl Mesh {
    fn new() -> Self {
        let now = Now {
            instant: Instant::from_micros(1_000_000),
            unix: UnixMillis(1_700_000_000_000),
        };
        let store = MemoryState::new(1, UnixMillis(1));
        let mut mesh = Self {
            now,
            edges: vec![Edge::new(1, now), Edge::new(2, now)],
            shard: Shard::new(ShardConfig::default(), 1, now),
            control: Control::new(ControlConfig::default(), 1, now),
            store,
            links: 0,
            lives: 0,
        };
        mesh.start_node();
        mesh
    }

    /// A new life of the node: new machines, the view of that life, all slots claimed.
    fn start_node(&mut self) {
        self.lives += 1;
        let version = ViewVersion {
            birth: UnixMillis(1),
            timeline: 0,
            number: u64::from(self.lives),
        };
        let incarnation = Incarnation([NODE.0[0] + self.lives; 16]);
        let member = Member {
            name: NodeId::parse("node").unwrap(),
            incarnation,
            address: "node:1".into(),
        };
        let view = Arc::new(RingView::of_one(version, u64::from(self.lives), member));
        let slots = Slot::all().map(|slot| (slot, false)).collect();
        let slots = Arc::new(
            self.store
                .claim_now(&ClaimRequest {
                    view: version,
                    slots,
                })
                .unwrap(),
        );
        let namespaces = vec![
            namespace("chat", Class::Durable),
            namespace("live", Class::Buffered),
            namespace("cursors", Class::Ephemeral),
        ];
        let rules = Arc::new(Rules::new(u64::from(self.lives), namespaces).unwrap());
        self.shard = Shard::new(ShardConfig::default(), u64::from(self.lives), self.now);
        self.control = Control::new(ControlConfig::default(), 1, self.now);
        self.shard
            .handle_input(self.now, node::Input::Rules(Arc::clone(&rules)));
        self.shard.handle_input(
            self.now,
            node::Input::Own {
                view: Arc::clone(&view),
                slots,
            },
        );
        self.control
            .handle_input(self.now, ControlInput::View(view));
        self.control
            .handle_input(self.now, ControlInput::Rules(rules));
        for place in 0..self.edges.len() {
            self.link_up(place);
        }
        self.settle();
    }

    fn link_up(&mut self, place: usize) {
        self.links += 1;
        let link = LinkId(self.links);
        let edge = self.edges[place].identity.clone();
        self.edges[place].link = Some(link);
        self.shard.handle_input(
            self.now,
            node::Input::LinkUp {
                link,
                edge: edge.clone(),
            },
        );
        self.control
            .handle_input(self.now, ControlInput::LinkUp { link, edge });
        let incarnation = Incarnation([NODE.0[0] + self.lives; 16]);
        let up = upstream::Input::LinkUp {
            link,
            address: "node:1".into(),
            node: NodeId::parse("node").unwrap(),
            incarnation,
        };
        self.edges[place].upstream.handle_input(self.now, up);
    }

    fn link_down(&mut self, place: usize) {
        let link = self.edges[place].link.take().unwrap();
        self.edges[place]
            .upstream
            .handle_input(self.now, upstream::Input::LinkDown { link });
        self.shard.handle_input(
            self.now,
            node::Input::LinkDown {
                link,
                goodbye: false,
            },
        );
        self.control
            .handle_input(self.now, ControlInput::LinkDown { link });
    }

    /// Carries values until nobody has anything to say.
    fn settle(&mut self) {
        loop {
            let before = self.carry_from_edges() + self.carry_from_node();
            if before == 0 {
                break;
            }
        }
        for edge in &mut self.edges {
            edge.flush(self.now);
        }
        self.shard.check_invariants();
    }

    fn carry_from_edges(&mut self) -> usize {
        let now = self.now;
        let mut carried = 0;
        for edge in &mut self.edges {
            while let Some(output) = edge.worker.poll_output() {
                carried += 1;
                match output {
                    worker::Output::Upstream(message) => {
                        edge.upstream.handle_input(
                            now,
                            upstream::Input::Worker {
                                worker: WORKER,
                                message,
                            },
                        );
                    }
                    worker::Output::Close { conn, code, .. } => {
                        edge.closed.push((conn, code.code()))
                    }
                    worker::Output::PauseReading { .. } | worker::Output::ResumeReading { .. } => {}
                }
            }
            while let Some(output) = edge.upstream.poll_output() {
                carried += 1;
                match output {
                    upstream::Output::Worker { message, .. } => {
                        edge.worker
                            .handle_input(now, worker::Input::Upstream(message));
                    }
                    upstream::Output::Send {
                        link,
                        stream,
                        frame,
                    } if edge.link == Some(link) => {
                        let sent = upstream::Input::Sent {
                            link,
                            stream,
                            weight: frame.weight(),
                        };
                        if stream == StreamId::Control {
                            self.control
                                .handle_input(now, ControlInput::Frame { link, frame });
                        } else {
                            self.shard
                                .handle_input(now, node::Input::Frame { link, frame });
                        }
                        edge.upstream.handle_input(now, sent);
                    }
                    upstream::Output::Send { .. }
                    | upstream::Output::Dial { .. }
                    | upstream::Output::Hangup { .. }
                    | upstream::Output::CloseLink { .. } => {}
                }
            }
        }
        carried
    }

    fn carry_from_node(&mut self) -> usize {
        let now = self.now;
        let mut frames = VecDeque::new();
        let mut carried = 0;
        while let Some(output) = self.control.poll_output() {
            if let ControlOutput::Send { link, frame } = output {
                self.control.handle_input(
                    now,
                    ControlInput::Sent {
                        link,
                        weight: frame.weight(),
                    },
                );
                frames.push_back((link, frame));
            }
        }
        while let Some(output) = self.shard.poll_output() {
            carried += 1;
            match output {
                node::Output::Send {
                    link,
                    stream,
                    frame,
                } => {
                    self.shard.handle_input(
                        now,
                        node::Input::Sent {
                            link,
                            stream,
                            weight: frame.weight(),
                        },
                    );
                    frames.push_back((link, frame));
                }
                node::Output::Store(ticket, request) => {
                    let answer = self.ask_store(request);
                    self.shard
                        .handle_input(now, node::Input::Store(ticket, answer));
                }
                node::Output::Close { reason, .. } => panic!("the node closed a link: {reason}"),
            }
        }
        carried += frames.len();
        for (link, frame) in frames {
            if let Some(edge) = self.edges.iter_mut().find(|edge| edge.link == Some(link)) {
                edge.upstream
                    .handle_input(now, upstream::Input::Frame { link, frame });
            }
        }
        carried
    }

    fn ask_store(&mut self, request: StoreRequest) -> StoreAnswer {
        match request {
            StoreRequest::Append(part) => {
                let ticket = self.store.begin_append(vec![part]);
                StoreAnswer::Appended(match self.store.finish(ticket) {
                    AppendOutcome::Committed { refused } => {
                        refused.first().map_or(PartOutcome::Committed, |(_, why)| {
                            PartOutcome::Refused(*why)
                        })
                    }
                    AppendOutcome::Failed(error) => PartOutcome::Failed(error),
                    AppendOutcome::Unknown(_) => PartOutcome::Unknown,
                })
            }
            StoreRequest::Claim(request) => StoreAnswer::Claimed(self.store.claim_now(&request)),
            StoreRequest::Heads(channels) => {
                StoreAnswer::Heads(Ok(self.store.heads_now(&channels)))
            }
            StoreRequest::Range(request) => StoreAnswer::Range(Ok(self.store.range_now(&request))),
            StoreRequest::Find(ids) => StoreAnswer::Found(Ok(self.store.find_now(&ids))),
        }
    }

    /// Opens a connection at an edge and connects.
    fn connect(&mut self, place: usize, conn: u64) -> ConnId {
        let conn = ConnId(conn);
        let open = worker::Input::Open {
            conn,
            encoding: Encoding::Json,
            sends_pings: true,
        };
        self.edges[place].worker.handle_input(self.now, open);
        let reply = self.command(place, conn, &json!({ "id": 1, "connect": {} }));
        assert_eq!(reply["connect"]["ping"], 25, "{reply}");
        conn
    }

    /// Sends a command and returns its reply.
    fn command(&mut self, place: usize, conn: ConnId, command: &Value) -> Value {
        self.send(place, conn, command);
        self.settle();
        self.reply(place, conn, &command["id"])
            .unwrap_or(Value::Null)
    }

    fn send(&mut self, place: usize, conn: ConnId, command: &Value) {
        let data = Bytes::from(command.to_string());
        self.edges[place]
            .worker
            .handle_input(self.now, worker::Input::Message { conn, data });
    }

    fn reply(&self, place: usize, conn: ConnId, id: &Value) -> Option<Value> {
        let mut received = self.edges[place].received.iter().rev();
        received
            .find(|(to, message)| *to == conn && message["id"] == *id)
            .map(|(_, message)| message.clone())
    }

    fn subscribe(&mut self, place: usize, conn: ConnId, id: u64, channel: &str) -> Value {
        let reply = self.command(
            place,
            conn,
            &json!({ "id": id, "subscribe": { "channel": channel } }),
        );
        assert!(reply.get("subscribe").is_some(), "{reply}");
        reply["subscribe"].clone()
    }

    fn publish(&mut self, place: usize, conn: ConnId, id: u64, channel: &str) {
        let publish =
            json!({ "id": id, "publish": { "channel": channel, "data": { "number": id } } });
        let reply = self.command(place, conn, &publish);
        assert!(reply.get("publish").is_some(), "{reply}");
    }

    /// Offsets and numbers of the publications that a connection was pushed.
    fn pushed(&self, place: usize, conn: ConnId) -> Vec<(u64, u64)> {
        let pushes = self.edges[place]
            .received
            .iter()
            .filter(|(to, _)| *to == conn);
        let publications = pushes.filter_map(|(_, message)| message["push"].get("pub"));
        publications
            .map(|one| {
                (
                    one["offset"].as_u64().unwrap_or(0),
                    one["data"]["number"].as_u64().unwrap(),
                )
            })
            .collect()
    }
}

#[test]
fn a_publication_reaches_the_subscribers_of_another_edge_in_order() {
    for channel in ["chat:1", "live:1"] {
        let mut mesh = Mesh::new();
        let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
        mesh.subscribe(1, far, 2, channel);
        for number in 11..=15 {
            mesh.publish(0, near, number, channel);
        }
        let expected: Vec<_> = (1..=5).map(|offset| (offset, offset + 10)).collect();
        assert_eq!(mesh.pushed(1, far), expected, "{channel}");
    }
}

#[test]
fn an_ephemeral_publication_has_no_offset() {
    let mut mesh = Mesh::new();
    let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
    let subscribed = mesh.subscribe(1, far, 2, "cursors:1");
    assert_eq!(subscribed, json!({}));
    mesh.publish(0, near, 3, "cursors:1");
    assert_eq!(mesh.pushed(1, far), [(0, 3)]);
}

#[test]
fn a_resume_brings_exactly_what_was_missed() {
    let mut mesh = Mesh::new();
    let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
    let epoch = mesh.subscribe(1, far, 2, "chat:1")["epoch"].clone();
    for number in 11..=14 {
        mesh.publish(0, near, number, "chat:1");
    }
    mesh.edges[1]
        .worker
        .handle_input(mesh.now, worker::Input::Closed { conn: far });
    let again = mesh.connect(1, 2);
    let recover = json!({ "channel": "chat:1", "recover": true, "offset": 2, "epoch": epoch });
    let reply = mesh.command(1, again, &json!({ "id": 3, "subscribe": recover }));
    let result = &reply["subscribe"];
    assert_eq!(
        (&result["recovered"], &result["offset"]),
        (&json!(true), &json!(2)),
        "{reply}"
    );
    let numbers: Vec<_> = result["publications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["data"]["number"])
        .collect();
    assert_eq!(numbers, [&json!(13), &json!(14)]);
    mesh.publish(0, near, 15, "chat:1");
    assert_eq!(mesh.pushed(1, again), [(5, 15)]);
}

#[test]
fn a_position_of_another_epoch_is_not_recovered() {
    let mut mesh = Mesh::new();
    let conn = mesh.connect(0, 1);
    mesh.publish(0, conn, 2, "chat:1");
    let recover = json!({ "channel": "chat:1", "recover": true, "offset": 0, "epoch": "_" });
    let reply = mesh.command(0, conn, &json!({ "id": 3, "subscribe": recover }));
    let result = &reply["subscribe"];
    assert_eq!(
        (result.get("recovered"), &result["was_recovering"]),
        (None, &json!(true)),
        "{reply}"
    );
    assert_eq!(result["offset"], 1);
}

#[test]
fn what_was_missed_while_the_link_was_away_comes_in_order_by_itself() {
    for channel in ["chat:1", "live:1"] {
        let mut mesh = Mesh::new();
        let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
        mesh.subscribe(1, far, 2, channel);
        mesh.publish(0, near, 11, channel);
        mesh.link_down(1);
        mesh.settle();
        mesh.publish(0, near, 12, channel);
        mesh.publish(0, near, 13, channel);
        assert_eq!(mesh.pushed(1, far), [(1, 11)]);
        mesh.link_up(1);
        mesh.settle();
        mesh.publish(0, near, 14, channel);
        assert_eq!(
            mesh.pushed(1, far),
            [(1, 11), (2, 12), (3, 13), (4, 14)],
            "{channel}"
        );
    }
}

#[test]
fn a_publish_that_was_under_way_when_the_link_broke_is_stored_once() {
    let mut mesh = Mesh::new();
    let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
    mesh.subscribe(1, far, 2, "chat:1");
    let publish = json!({ "id": 3, "publish": { "channel": "chat:1", "data": { "number": 3 } } });
    mesh.send(0, near, &publish);
    // The frame reaches the node and is committed, its answer is lost with the link.
    mesh.carry_from_edges();
    mesh.link_down(0);
    mesh.settle();
    assert_eq!(mesh.reply(0, near, &json!(3)), None);
    mesh.link_up(0);
    mesh.settle();
    assert!(
        mesh.reply(0, near, &json!(3))
            .unwrap()
            .get("publish")
            .is_some()
    );
    assert_eq!(mesh.pushed(1, far), [(1, 3)]);
    assert_eq!(mesh.shard.counters().repeats_found, 1);
}

#[test]
fn durable_channels_go_on_over_a_restart_of_the_node_and_buffered_ones_say_that_they_do_not() {
    let mut mesh = Mesh::new();
    let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
    mesh.subscribe(1, far, 2, "chat:1");
    mesh.subscribe(1, far, 3, "live:1");
    mesh.publish(0, near, 11, "chat:1");
    mesh.publish(0, near, 12, "live:1");
    mesh.link_down(0);
    mesh.link_down(1);
    mesh.start_node();
    mesh.publish(0, near, 13, "chat:1");
    assert_eq!(mesh.pushed(1, far), [(1, 11), (1, 12), (2, 13)]);
    mesh.now.instant = mesh.now.instant + Duration::from_secs(6);
    let now = mesh.now;
    mesh.edges[1].worker.handle_timeout(now);
    mesh.settle();
    let told = mesh.edges[1]
        .received
        .iter()
        .filter(|(_, message)| message["push"].get("unsubscribe").is_some());
    let told: Vec<_> = told
        .map(|(_, message)| &message["push"]["channel"])
        .collect();
    assert_eq!(
        told,
        [&json!("live:1")],
        "an epoch change is told with 2500"
    );
}

#[test]
fn without_a_link_a_command_is_answered_with_error_100_at_its_deadline() {
    let mut mesh = Mesh::new();
    let near = mesh.connect(0, 1);
    mesh.link_down(0);
    let publish = json!({ "id": 3, "publish": { "channel": "chat:1", "data": {} } });
    assert_eq!(mesh.command(0, near, &publish), Value::Null);
    mesh.now.instant = mesh.now.instant + Duration::from_secs(4);
    let now = mesh.now;
    mesh.edges[0].upstream.handle_timeout(now);
    mesh.edges[0].worker.handle_timeout(now);
    mesh.settle();
    let reply = mesh.reply(0, near, &json!(3)).unwrap();
    assert_eq!(
        (&reply["error"]["code"], &reply["error"]["temporary"]),
        (&json!(100), &json!(true))
    );
}

#[test]
fn presence_names_clients_of_all_edges() {
    let mut mesh = Mesh::new();
    let (near, far) = (mesh.connect(0, 1), mesh.connect(1, 1));
    mesh.subscribe(0, near, 2, "chat:1");
    mesh.subscribe(1, far, 2, "chat:1");
    let reply = mesh.command(
        0,
        near,
        &json!({ "id": 4, "presence": { "channel": "chat:1" } }),
    );
    assert_eq!(
        reply["presence"]["presence"].as_object().unwrap().len(),
        2,
        "{reply}"
    );
    mesh.edges[1]
        .worker
        .handle_input(mesh.now, worker::Input::Closed { conn: far });
    mesh.settle();
    let reply = mesh.command(
        0,
        near,
        &json!({ "id": 5, "presence_stats": { "channel": "chat:1" } }),
    );
    assert_eq!(
        reply["presence_stats"],
        json!({ "num_clients": 1, "num_users": 1 }),
        "{reply}"
    );
}

#[test]
fn unknown_channels_and_features_get_their_codes() {
    let mut mesh = Mesh::new();
    let conn = mesh.connect(0, 1);
    let code =
        |mesh: &mut Mesh, command: &Value| mesh.command(0, conn, command)["error"]["code"].clone();
    assert_eq!(
        code(
            &mut mesh,
            &json!({ "id": 2, "subscribe": { "channel": "nosuch:x" } })
        ),
        102
    );
    assert_eq!(
        code(&mut mesh, &json!({ "id": 3, "rpc": { "method": "x" } })),
        108
    );
    assert_eq!(
        code(
            &mut mesh,
            &json!({ "id": 4, "history": { "channel": "cursors:1" } })
        ),
        108
    );
    mesh.subscribe(0, conn, 5, "chat:1");
    assert_eq!(
        code(
            &mut mesh,
            &json!({ "id": 6, "subscribe": { "channel": "chat:1" } })
        ),
        105
    );
}

#[test]
fn a_first_command_other_than_connect_closes_with_3501() {
    let mut mesh = Mesh::new();
    let conn = ConnId(1);
    let open = worker::Input::Open {
        conn,
        encoding: Encoding::Json,
        sends_pings: true,
    };
    mesh.edges[0].worker.handle_input(mesh.now, open);
    mesh.command(
        0,
        conn,
        &json!({ "id": 1, "subscribe": { "channel": "chat:1" } }),
    );
    assert_eq!(mesh.edges[0].closed, [(conn, 3501)]);
}
