//! Two edges with a worker each, a node, and its store; values are carried by hand.

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
    EdgeId, Incarnation, Instant, LinkId, Member, NodeId, Now, Region, RingView, StreamId,
    UnixMillis, ViewVersion,
};
use trunkline_store_core::AppendOutcome;
use trunkline_store_core::memory::MemoryState;

const NODE: Incarnation = Incarnation([9; 16]);
const WORKER: WorkerId = WorkerId(0);

/// One edge: a worker, the way upstream, and what its clients were sent.
pub(crate) struct Edge {
    pub(crate) worker: Worker,
    pub(crate) upstream: Upstream,
    pub(crate) link: Option<LinkId>,
    pub(crate) identity: EdgeIdentity,
    pub(crate) received: Vec<(ConnId, Value)>,
    pub(crate) closed: Vec<(ConnId, u16)>,
}

pub(crate) struct Mesh {
    pub(crate) now: Now,
    pub(crate) edges: Vec<Edge>,
    pub(crate) shard: Shard,
    pub(crate) control: Control,
    pub(crate) store: MemoryState,
    pub(crate) links: u64,
    pub(crate) lives: u8,
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
    pub(crate) fn new(place: u8, now: Now) -> Self {
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
    pub(crate) fn flush(&mut self, now: Now) {
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
    pub(crate) fn new() -> Self {
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
    pub(crate) fn start_node(&mut self) {
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
            node::Input::View {
                view: Arc::clone(&view),
                me: incarnation,
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

    pub(crate) fn link_up(&mut self, place: usize) {
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

    pub(crate) fn link_down(&mut self, place: usize) {
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
    pub(crate) fn settle(&mut self) {
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

    pub(crate) fn carry_from_edges(&mut self) -> usize {
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
                    worker::Output::Refused(_)
                    | worker::Output::PauseReading { .. }
                    | worker::Output::ResumeReading { .. } => {}
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

    pub(crate) fn carry_from_node(&mut self) -> usize {
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
                node::Output::Settled { .. } => {}
                node::Output::NeedView { version } => panic!("the node has view {version}"),
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

    pub(crate) fn ask_store(&mut self, request: StoreRequest) -> StoreAnswer {
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
            StoreRequest::Find(request) => StoreAnswer::Found(Ok(self.store.find_now(&request))),
            StoreRequest::RaiseFloor(request) => {
                StoreAnswer::FloorRaised(self.store.raise_floor_now(request))
            }
        }
    }

    /// Opens a connection at an edge and connects.
    pub(crate) fn connect(&mut self, place: usize, conn: u64) -> ConnId {
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
    pub(crate) fn command(&mut self, place: usize, conn: ConnId, command: &Value) -> Value {
        self.send(place, conn, command);
        self.settle();
        self.reply(place, conn, &command["id"])
            .unwrap_or(Value::Null)
    }

    pub(crate) fn send(&mut self, place: usize, conn: ConnId, command: &Value) {
        let data = Bytes::from(command.to_string());
        self.edges[place]
            .worker
            .handle_input(self.now, worker::Input::Message { conn, data });
    }

    pub(crate) fn reply(&self, place: usize, conn: ConnId, id: &Value) -> Option<Value> {
        let mut received = self.edges[place].received.iter().rev();
        received
            .find(|(to, message)| *to == conn && message["id"] == *id)
            .map(|(_, message)| message.clone())
    }

    pub(crate) fn subscribe(
        &mut self,
        place: usize,
        conn: ConnId,
        id: u64,
        channel: &str,
    ) -> Value {
        let reply = self.command(
            place,
            conn,
            &json!({ "id": id, "subscribe": { "channel": channel } }),
        );
        assert!(reply.get("subscribe").is_some(), "{reply}");
        reply["subscribe"].clone()
    }

    pub(crate) fn publish(&mut self, place: usize, conn: ConnId, id: u64, channel: &str) {
        let publish =
            json!({ "id": id, "publish": { "channel": channel, "data": { "number": id } } });
        let reply = self.command(place, conn, &publish);
        assert!(reply.get("publish").is_some(), "{reply}");
    }

    /// Offsets and numbers of the publications that a connection was pushed.
    pub(crate) fn pushed(&self, place: usize, conn: ConnId) -> Vec<(u64, u64)> {
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
