//! A node as a process has it: real QUIC, a real store, an edge that speaks the link's frames.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../tests/harness/postgres.rs"]
mod postgres;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use postgres::Postgres;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trunkline_backbone::{BackboneConfig, RunError, run};
use trunkline_link::{Introduction, LinkClient, LinkEnd, LinkSender, LinkSink, LinkTls, Outgoing};
use trunkline_process::Shutdown;
use trunkline_shared::config::Source;
use trunkline_shared::frame::{History, HistoryQuery, Publish, Subscribe, ToEdge, ToNode};
use trunkline_shared::{
    Channel, Incarnation, Offset, Publication, RequestId, Slot, StreamId, Trace, UnixMillis,
    ViewVersion,
};

/// Far above what anything takes, so that only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(30);

struct Node {
    link: SocketAddr,
    admin: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Result<(), RunError>>,
}

/// Starts a node over `dir`, which keeps its certificates and its store.
async fn start(dir: &Path) -> Node {
    start_on(dir, &format!("path = \"{}/store\"", dir.display())).await
}

/// What a node on the store that a section's text names is configured by.
fn configuration(dir: &Path, store: &str) -> BackboneConfig {
    let text = format!(
        r#"
        [backbone]
        listen = "127.0.0.1:0"
        [store]
        {store}
        [admin]
        listen = "127.0.0.1:0"
        [link]
        ca_file = "{0}/ca.pem"
        certificate_file = "{0}/node.pem"
        key_file = "{0}/node.key"
        [[namespace]]
        name = "chat"
        class = "durable"
        history_size = 100
        history_ttl = "1h"
        "#,
        dir.display()
    );
    BackboneConfig::load(Source::parse(&text, std::iter::empty()).unwrap()).unwrap()
}

/// Starts a node on the store that a section's text names.
async fn start_on(dir: &Path, store: &str) -> Node {
    let mut config = configuration(dir, store);
    let ready_file = dir.join("ready.json");
    let _ = std::fs::remove_file(&ready_file);
    config.ready_file = Some(ready_file.clone());
    let (stop, asked) = oneshot::channel::<()>();
    let shutdown = Shutdown::when(async move { drop(asked.await) });
    let done = tokio::spawn(run(config, shutdown));
    let ready = within(async {
        loop {
            if let Ok(text) = std::fs::read_to_string(&ready_file) {
                return serde_json::from_str::<serde_json::Value>(&text).unwrap();
            }
            assert!(!done.is_finished(), "the node ended at its start");
            tokio::task::yield_now().await;
        }
    })
    .await;
    let address = |what: &str| ready[what].as_str().unwrap().parse().unwrap();
    Node {
        link: address("link"),
        admin: address("admin"),
        stop,
        done,
    }
}

impl Node {
    async fn stop(self) {
        drop(self.stop);
        within(self.done).await.unwrap().unwrap();
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work)
        .await
        .expect("it doesn't hang")
}

fn write_certificates(dir: &Path) {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    std::fs::write(
        dir.join("ca.pem"),
        ca.clone().self_signed(&ca_key).unwrap().pem(),
    )
    .unwrap();
    let authority = Issuer::new(ca, ca_key);
    let holders = [
        ("node", "trunkline://backbone/backbone-1"),
        ("edge", "trunkline://edge/eu-west/edge-1"),
    ];
    for (file, uri) in holders {
        let mut params =
            CertificateParams::new(vec!["backbone.trunkline.internal".to_owned()]).unwrap();
        params
            .subject_alt_names
            .push(SanType::URI(uri.try_into().unwrap()));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        std::fs::write(dir.join(format!("{file}.pem")), certificate.pem()).unwrap();
        std::fs::write(dir.join(format!("{file}.key")), key.serialize_pem()).unwrap();
    }
}

struct Inbox(UnboundedSender<ToEdge>);

impl LinkSink<ToEdge> for Inbox {
    fn deliver(&self, _: StreamId, frames: Vec<ToEdge>) {
        frames
            .into_iter()
            .for_each(|frame| drop(self.0.send(frame)));
    }

    fn sent(&self, _: StreamId, _: usize) {}

    fn closed(&self, _: LinkEnd) {}
}

struct Edge {
    sender: LinkSender<ToNode>,
    inbox: UnboundedReceiver<ToEdge>,
    view: ViewVersion,
    _client: LinkClient,
}

impl Edge {
    /// Connects and waits for the view, which comes first on every link.
    async fn connect(dir: &Path, node: &Node) -> Self {
        let read = |file: &str| std::fs::read(dir.join(file)).unwrap();
        let tls = LinkTls::from_pem(&read("ca.pem"), &read("edge.pem"), &read("edge.key")).unwrap();
        let client = LinkClient::bind(&tls, Arc::default()).unwrap();
        let introduction = Introduction {
            incarnation: Incarnation([7; 16]),
            view: ViewVersion::default(),
        };
        let link = within(client.connect(&node.link.to_string(), introduction))
            .await
            .unwrap();
        let (sender, inbox) = unbounded_channel();
        let sender = link.start(|_| Arc::new(Inbox(sender)));
        let mut edge = Self {
            sender,
            inbox,
            view: ViewVersion::default(),
            _client: client,
        };
        edge.view = edge
            .next(|frame| {
                if let ToEdge::View(view) = frame {
                    Some(view.version)
                } else {
                    None
                }
            })
            .await;
        edge
    }

    /// The next frame that `pick` wants; others are passed over.
    async fn next<T>(&mut self, pick: impl Fn(ToEdge) -> Option<T>) -> T {
        loop {
            let frame = within(self.inbox.recv()).await.expect("the link is up");
            if let Some(picked) = pick(frame) {
                return picked;
            }
        }
    }

    fn say(&self, frame: &ToNode) {
        let stream = frame.slot().map_or(StreamId::Control, StreamId::of);
        self.sender.send(stream, &Outgoing::encode(frame).unwrap());
    }

    fn publish_without_waiting(&self, request: u64, repeat: bool) {
        self.say(&ToNode::Publish(Publish {
            request: RequestId(request),
            slot: slot(),
            channel: channel(),
            view: self.view,
            repeat,
            oldest_unanswered: RequestId(1),
            time_left_ms: 4000,
            key: None,
            publication: publication(request),
        }));
    }

    async fn publish(&mut self, request: u64, repeat: bool) -> Offset {
        let offset = self.try_publish(request, repeat).await;
        offset.expect("it is kept")
    }

    /// Where the publication stands; `None` when it was refused.
    async fn try_publish(&mut self, request: u64, repeat: bool) -> Option<Offset> {
        self.publish_without_waiting(request, repeat);
        let asked = RequestId(request);
        self.next(|frame| {
            if let ToEdge::Published {
                request, position, ..
            } = &frame
                && *request == asked
            {
                return Some(Some(position.offset));
            }
            let refused = matches!(frame, ToEdge::Refused { request, .. } if request == asked);
            refused.then_some(None)
        })
        .await
    }

    async fn history(&mut self) -> Vec<(Offset, Bytes)> {
        let query = HistoryQuery::Forward {
            after: Offset::ZERO,
            limit: 100,
        };
        let request = RequestId(1000);
        self.say(&ToNode::History(History {
            request,
            slot: slot(),
            channel: channel(),
            query,
            bytes_max: 65_536,
        }));
        let piece = self
            .next(|frame| {
                if let ToEdge::History(piece) = frame {
                    Some(piece)
                } else {
                    None
                }
            })
            .await;
        assert!(piece.last);
        piece
            .publications
            .iter()
            .map(|one| (one.offset, one.data.bytes().clone()))
            .collect()
    }
}

fn channel() -> Channel {
    Channel::parse("chat:1").unwrap()
}

fn slot() -> Slot {
    channel().slot(0)
}

fn data(number: u64) -> Bytes {
    Bytes::from(format!("{{\"number\":{number}}}"))
}

fn publication(number: u64) -> Publication {
    Publication {
        offset: Offset::ZERO,
        data: data(number).into(),
        is_json: true,
        info: None,
        tags: Vec::new(),
        time: UnixMillis(0),
        origin: "eu-west".into(),
        trace: Trace::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_restart_and_a_repeat_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = format!("path = \"{}/store\"", dir.path().display());
    acknowledge_and_restart(dir.path(), &store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_restart_on_postgresql() {
    let Some(server) = Postgres::start([127, 0, 94, 1].into(), &[]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    acknowledge_and_restart(dir.path(), &store_on(&server)).await;
}

fn store_on(server: &Postgres) -> String {
    let dsn = server.dsn(&server.database());
    format!("kind = \"postgres\"\n[store.postgres]\ndsn = \"{dsn}\"")
}

async fn acknowledge_and_restart(dir: &Path, store: &str) {
    write_certificates(dir);
    let node = start_on(dir, store).await;
    let mut edge = Edge::connect(dir, &node).await;
    for number in 1..=3 {
        assert_eq!(edge.publish(number, false).await, Offset(number));
    }
    node.stop().await;

    let node = start_on(dir, store).await;
    let mut edge = Edge::connect(dir, &node).await;
    assert_eq!(
        edge.publish(2, true).await,
        Offset(2),
        "a repeat gets the first one's offset"
    );
    assert_eq!(edge.publish(4, false).await, Offset(4));
    let expected: Vec<_> = (1..=4)
        .map(|number| (Offset(number), data(number)))
        .collect();
    assert_eq!(edge.history().await, expected);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_goes_on_when_its_postgresql_server_has_crashed_and_is_back() {
    let Some(mut server) = Postgres::start([127, 0, 95, 1].into(), &[]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    write_certificates(dir.path());
    let node = start_on(dir.path(), &store_on(&server)).await;
    let mut edge = Edge::connect(dir.path(), &node).await;
    assert_eq!(edge.publish(1, false).await, Offset(1));
    server.crash();
    assert_eq!(edge.try_publish(2, false).await, None);
    server.run();
    let mut offset = None;
    while offset.is_none() {
        offset = edge.try_publish(2, true).await;
    }
    assert_eq!(offset, Some(Offset(2)));
    assert_eq!(
        edge.history().await,
        [1, 2].map(|number| (Offset(number), data(number)))
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_of_a_name_stops_and_the_first_goes_on() {
    let Some(server) = Postgres::start([127, 0, 96, 1].into(), &[]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    write_certificates(dir.path());
    let store = store_on(&server);
    let node = start_on(dir.path(), &store).await;
    let never = Shutdown::when(std::future::pending());
    let second = tokio::spawn(run(configuration(dir.path(), &store), never));
    let said = within(second).await.unwrap().unwrap_err();
    assert!(matches!(said, RunError::NameTaken(_)), "{said}");
    assert!(
        said.to_string().contains("the name backbone-1 is taken"),
        "{said}"
    );
    let mut edge = Edge::connect(dir.path(), &node).await;
    assert_eq!(edge.publish(1, false).await, Offset(1));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscribed_edge_gets_each_publication_once() {
    let dir = tempfile::tempdir().unwrap();
    write_certificates(dir.path());
    let node = start(dir.path()).await;
    let mut edge = Edge::connect(dir.path(), &node).await;
    let subscribe = Subscribe {
        request: RequestId(500),
        slot: slot(),
        channel: channel(),
        view: edge.view,
        at: None,
    };
    edge.say(&ToNode::Subscribe(subscribe));
    edge.next(|frame| matches!(frame, ToEdge::Subscribed(_)).then_some(()))
        .await;
    for number in 1..=5 {
        edge.publish_without_waiting(number, false);
    }
    for number in 1..=5 {
        let push = edge
            .next(|frame| {
                if let ToEdge::Push(push) = frame {
                    Some(push)
                } else {
                    None
                }
            })
            .await;
        assert_eq!(push.publication.offset, Offset(number));
        assert_eq!(push.publication.data.bytes(), &data(number));
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_show_what_was_published() {
    let dir = tempfile::tempdir().unwrap();
    write_certificates(dir.path());
    let node = start(dir.path()).await;
    let mut edge = Edge::connect(dir.path(), &node).await;
    edge.publish(1, false).await;
    let url = format!("http://{}/metrics", node.admin);
    let text = tokio::task::spawn_blocking(move || {
        ureq::get(&url)
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap()
    });
    let text = within(text).await.unwrap();
    assert!(
        text.contains("trunkline_backbone_published_total 1"),
        "{text}"
    );
    assert!(text.contains("trunkline_store_commits_total"), "{text}");
    node.stop().await;
}
