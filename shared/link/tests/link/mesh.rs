//! A small mesh on loopback: certificates, both ends, and sinks that tests can wait on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use trunkline_link::{
    EdgeLink, Introduction, LinkClient, LinkConfig, LinkEnd, LinkSender, LinkServer, LinkSink,
    LinkTls, NodeLink, Outgoing,
};
use trunkline_shared::frame::{ToEdge, ToNode};
use trunkline_shared::limits::LANES;
use trunkline_shared::{
    Channel, Incarnation, Offset, Payload, Publication, RequestId, Slot, StreamId, Trace,
    UnixMillis, ViewVersion,
};

/// More than any wait of a healthy test takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) const EDGE: &str = "trunkline://edge/eu-west/edge-1";
pub(crate) const NODE: &str = "trunkline://backbone/backbone-1";

/// An authority and what it has signed.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// PEM texts of one process.
#[derive(Clone)]
pub(crate) struct Pems {
    pub(crate) ca: String,
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate that names `uri`; a node's DNS name stands in each, so that roles are told apart by the URI.
    pub(crate) fn issue(&self, uri: &str) -> Pems {
        let key = KeyPair::generate().unwrap();
        let mut params =
            CertificateParams::new(vec![trunkline_link::NODE_DNS_NAME.to_owned()]).unwrap();
        params
            .subject_alt_names
            .push(SanType::URI(uri.try_into().unwrap()));
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Pems {
            ca: self.0.pem(),
            chain: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Pems {
    pub(crate) fn tls(&self) -> LinkTls {
        LinkTls::from_pem(
            self.ca.as_bytes(),
            self.chain.as_bytes(),
            self.key.as_bytes(),
        )
        .unwrap()
    }

    /// The same certificate, but believing `other`'s authority.
    pub(crate) fn believing(&self, other: &Self) -> Self {
        Self {
            ca: other.ca.clone(),
            ..self.clone()
        }
    }
}

pub(crate) fn introduction(life: u8) -> Introduction {
    Introduction {
        incarnation: Incarnation([life; 16]),
        view: ViewVersion {
            number: 7,
            ..ViewVersion::default()
        },
    }
}

/// A node on 127.0.7.1 and what an edge needs to reach it.
pub(crate) struct Mesh {
    pub(crate) authority: Authority,
    pub(crate) server: LinkServer,
    pub(crate) addr: SocketAddr,
    pub(crate) client: LinkClient,
    pub(crate) config: Arc<LinkConfig>,
}

impl Mesh {
    pub(crate) fn new() -> Self {
        Self::with(LinkConfig::default())
    }

    pub(crate) fn with(config: LinkConfig) -> Self {
        assert_eq!(config.problems(), Vec::<String>::new());
        let (authority, config) = (Authority::new(), Arc::new(config));
        let node = authority.issue(NODE).tls();
        let (server, addr) = serve(&node, &config);
        let client = LinkClient::bind(&authority.issue(EDGE).tls(), Arc::clone(&config)).unwrap();
        Self {
            authority,
            server,
            addr,
            client,
            config,
        }
    }

    pub(crate) async fn connect(&self, life: u8) -> Result<EdgeLink, trunkline_link::ConnectError> {
        within(
            self.client
                .connect(&self.addr.to_string(), introduction(life)),
        )
        .await
    }

    /// A link, both ends of it.
    pub(crate) async fn pair(&mut self, life: u8) -> (EdgeLink, NodeLink) {
        let edge = self.connect(life).await.unwrap();
        (edge, within(self.server.accept()).await.unwrap())
    }

    /// A started link.
    pub(crate) async fn started(
        &mut self,
        life: u8,
    ) -> (Side<ToNode, ToEdge>, Side<ToEdge, ToNode>) {
        let (edge, node) = self.pair(life).await;
        let (edge_sink, edge_events) = sink();
        let (node_sink, node_events) = sink();
        let edge = Side {
            sender: edge.start(|_| edge_sink),
            events: edge_events,
        };
        (
            edge,
            Side {
                sender: node.start(|_| node_sink),
                events: node_events,
            },
        )
    }
}

pub(crate) fn serve(tls: &LinkTls, config: &Arc<LinkConfig>) -> (LinkServer, SocketAddr) {
    LinkServer::bind(
        "127.0.7.1:0".parse().unwrap(),
        tls,
        Arc::clone(config),
        || introduction(200),
    )
    .unwrap()
}

/// One end of a started link.
pub(crate) struct Side<Out, In> {
    pub(crate) sender: LinkSender<Out>,
    pub(crate) events: UnboundedReceiver<Event<In>>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Event<In> {
    Frame(StreamId, In),
    Sent(StreamId, usize),
    Closed(LinkEnd),
}

impl<Out, In> Side<Out, In> {
    pub(crate) async fn event(&mut self) -> Event<In> {
        within(self.events.recv())
            .await
            .expect("the link tells its end first")
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> (StreamId, In) {
        loop {
            match self.event().await {
                Event::Frame(stream, frame) => return (stream, frame),
                Event::Sent(..) => {}
                Event::Closed(end) => panic!("link ended: {end}"),
            }
        }
    }

    /// Why the link ended; what comes before is passed over.
    pub(crate) async fn end(&mut self) -> LinkEnd {
        loop {
            match self.event().await {
                Event::Frame(..) | Event::Sent(..) => {}
                Event::Closed(end) => return end,
            }
        }
    }
}

struct Events<In>(UnboundedSender<Event<In>>);

impl<In: Send + 'static> LinkSink<In> for Events<In> {
    fn deliver(&self, stream: StreamId, frames: Vec<In>) {
        for frame in frames {
            let _ = self.0.send(Event::Frame(stream, frame));
        }
    }

    fn sent(&self, stream: StreamId, weight: usize) {
        let _ = self.0.send(Event::Sent(stream, weight));
    }

    fn closed(&self, end: LinkEnd) {
        let _ = self.0.send(Event::Closed(end));
    }
}

pub(crate) fn sink<In: Send + 'static>() -> (Arc<dyn LinkSink<In>>, UnboundedReceiver<Event<In>>) {
    let (tx, rx) = unbounded_channel();
    (Arc::new(Events(tx)), rx)
}

/// Waits, but not forever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("in time")
}

/// A frame for the control stream, told apart by `number`.
pub(crate) fn control(number: u64) -> ToNode {
    ToNode::Info {
        request: RequestId(number),
    }
}

pub(crate) fn encode<F: trunkline_link::LinkFrame>(frame: &F) -> Outgoing<F> {
    Outgoing::encode(frame).unwrap()
}

/// A publish of `size` bytes that says `number` in its request, for the lane of the channel `chan:<lane>`.
pub(crate) fn publish(channel: &str, number: u64, size: usize) -> ToNode {
    ToNode::Publish(trunkline_shared::frame::Publish {
        request: RequestId(number),
        slot: Slot::of(channel),
        channel: Channel::parse(channel).unwrap(),
        view: ViewVersion::default(),
        repeat: false,
        oldest_unanswered: RequestId(1),
        time_left_ms: 4000,
        key: None,
        publication: publication(size),
    })
}

/// A push of `size` bytes with `number` for its offset.
pub(crate) fn push(channel: &str, number: u64, size: usize) -> ToEdge {
    ToEdge::Push(trunkline_shared::frame::Push {
        slot: Slot::of(channel),
        channel: Channel::parse(channel).unwrap(),
        epoch: None,
        publication: Publication {
            offset: Offset(number),
            ..publication(size)
        },
    })
}

fn publication(size: usize) -> Publication {
    Publication {
        offset: Offset(0),
        data: Payload::new(vec![b'x'; size].into()),
        is_json: false,
        info: None,
        tags: Vec::new(),
        time: UnixMillis(1),
        origin: "eu-west".into(),
        trace: Trace::default(),
    }
}

/// For each lane a channel that travels on it.
pub(crate) fn channel_of_each_lane() -> Vec<(StreamId, String)> {
    let channels: Vec<String> = (0..1000).map(|number| format!("chan:{number}")).collect();
    let of_lane = |lane| {
        let stream = StreamId::Lane(lane);
        let channel = channels
            .iter()
            .find(|channel| StreamId::of(Slot::of(channel)) == stream);
        (
            stream,
            channel.expect("1000 channels cover 16 lanes").clone(),
        )
    };
    (0..LANES).map(of_lane).collect()
}
