//! The task's end, over a real link to a node that only listens.

mod node;

use std::time::Duration;

use trunkline_edge_core::exchange::ToUpstream;
use trunkline_edge_core::upstream::UpstreamConfig;
use trunkline_link::{LinkConfig, LinkServer};
use trunkline_process::{draw_incarnation, draw_seed};
use trunkline_shared::frame::ToEdge;
use trunkline_shared::limits::SLOTS;
use trunkline_shared::rules::Namespace;
use trunkline_shared::{
    Channel, Member, NodeId, Offset, Payload, Publication, RingView, Trace, UnixMillis, ViewVersion,
};

use super::*;
use node::{Heard, LIFE, identities, introduction};

/// Waits for something that must come.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("it comes in time")
}

/// A task that isn't running, so that a test says what it takes and when.
struct Rig {
    task: UpstreamTask,
    inboxes: Inboxes,
    links: mpsc::UnboundedReceiver<LinkEvent>,
    said: mpsc::UnboundedSender<Said>,
    asks: mpsc::UnboundedSender<Ask>,
    node: LinkServer,
    address: String,
}

impl Rig {
    fn new() -> Self {
        let [node_tls, edge_tls] = identities();
        let config = Arc::new(LinkConfig::default());
        let any = ([127, 0, 0, 1], 0).into();
        let (node, address) = LinkServer::bind(any, &node_tls, Arc::clone(&config), introduction)
            .expect("a node's socket");
        let client = LinkClient::bind(&edge_tls, config).expect("an edge's socket");
        let (address, clock) = (address.to_string(), Clock::start());
        let upstream = UpstreamConfig {
            contacts: vec![address.as_str().into()],
            ..UpstreamConfig::default()
        };
        let incarnation = draw_incarnation().expect("randomness");
        let seed = draw_seed().expect("randomness");
        let machine = Upstream::new(upstream, incarnation, seed, clock.now());
        let outlets = Outlets {
            workers: vec![mpsc::unbounded_channel().0],
            rules: watch::Sender::new(None),
            readiness: watch::Sender::new(Readiness::default()),
        };
        let (task, links) = UpstreamTask::new(machine, clock, client, outlets);
        let (said, said_inbox) = mpsc::unbounded_channel();
        let (asks, asks_inbox) = mpsc::unbounded_channel();
        let inboxes = Inboxes {
            said: said_inbox,
            asks: asks_inbox,
            commands: mpsc::unbounded_channel().1,
        };
        let mut rig = Self {
            task,
            inboxes,
            links,
            said,
            asks,
            node,
            address,
        };
        rig.task.input(Input::WorkerAdded(worker_id(0)));
        rig.task.input(Input::WorkerAdded(rig.task.api()));
        rig
    }

    /// The link's end at the node, and its beginning at the edge, which the task hasn't taken.
    async fn linked(&mut self) -> (mpsc::UnboundedReceiver<ToNode>, LinkEvent) {
        let link = within(self.node.accept()).await.expect("a link");
        let (sender, heard) = mpsc::unbounded_channel();
        link.start(|_| Arc::new(Heard(sender)));
        let up = within(self.links.recv()).await.expect("the link is up");
        assert!(matches!(up, LinkEvent::Up { .. }));
        (heard, up)
    }

    /// The node says who owns what and by which rules.
    fn instruct(&mut self) {
        let link = LinkId(self.task.last_link);
        let node = Member {
            name: NodeId::parse("backbone-1").expect("a name"),
            incarnation: LIFE,
            address: self.address.as_str().into(),
        };
        let version = ViewVersion {
            number: 1,
            ..ViewVersion::default()
        };
        let view = RingView::new(version, 1, vec![node], vec![0; SLOTS.into()]);
        let kept = Namespace {
            name: "live".to_owned(),
            history_size: 10,
            history_ttl: Duration::from_secs(60),
            ..Namespace::default()
        };
        let rules = Rules::new(1, vec![kept]).expect("good rules");
        let rules = serde_json::to_vec(&rules).expect("rules are JSON");
        for frame in [
            ToEdge::View(view.expect("a good view")),
            ToEdge::Rules(Payload::new(rules.into())),
        ] {
            self.task.input(Input::Frame { link, frame });
        }
    }

    fn publish(&self, number: u64) -> ToUpstream {
        ToUpstream::Publish {
            ticket: Ticket(number),
            deadline: self.task.clock.instant() + Duration::from_secs(4),
            channel: Channel::parse("live:1").expect("a name"),
            key: None,
            skip_history: false,
            publication: Publication {
                offset: Offset::ZERO,
                data: Payload::new(number.to_string().into()),
                is_json: true,
                info: None,
                tags: Vec::new(),
                time: UnixMillis(0),
                origin: "".into(),
                trace: Trace::default(),
            },
        }
    }

    /// Says goodbye, and waits until it is said.
    async fn goodbye(&mut self) {
        let (reply, said) = oneshot::channel();
        self.task.on_goodbye(reply, &mut self.inboxes);
        within(said).await.expect("the goodbye ends");
    }
}

#[tokio::test]
async fn what_was_said_before_the_goodbye_reaches_the_node() {
    let mut rig = Rig::new();
    let (mut heard, up) = rig.linked().await;
    rig.task.on_link_event(up);
    rig.instruct();
    for number in 1..=3 {
        let said = (worker_id(0), rig.publish(number));
        rig.said.send(said).expect("the inbox is there");
    }
    let ask = Ask {
        ticket: Ticket(4),
        message: rig.publish(4),
        reply: oneshot::channel().0,
    };
    rig.asks.send(ask).expect("the inbox is there");
    rig.goodbye().await;
    let mut published = Vec::new();
    let mut goodbyes = 0;
    while let Some(frame) = within(heard.recv()).await {
        if let ToNode::Publish(publish) = &frame {
            published.push(publish.publication.data.bytes().clone());
        }
        goodbyes += usize::from(frame == ToNode::Goodbye);
    }
    assert_eq!(published, ["1", "2", "3", "4"]);
    assert_eq!(goodbyes, 1);
}

#[tokio::test]
async fn no_link_begins_behind_the_goodbye() {
    let mut rig = Rig::new();
    let (_heard, up) = rig.linked().await;
    rig.goodbye().await;
    rig.task.on_link_event(up);
    rig.task.dial(rig.address.clone());
    assert!(rig.task.links.is_empty() && rig.task.dialers.is_empty());
}
