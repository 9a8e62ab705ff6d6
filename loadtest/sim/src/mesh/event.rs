//! What can happen next.

use trunkline_shared::{Instant, LinkId, StreamId};

use super::Mesh;
use crate::disk::Later;
use crate::network::{Side, SocketId};
use crate::scenario::Fault;

/// What happens next.
#[derive(Debug)]
pub(super) enum Event {
    /// A client has something to do.
    Client { client: usize },
    /// A publisher with keys has something to do.
    Publisher { publisher: usize },
    /// A node's process starts.
    NodeStart { node: usize },
    /// A machine of a node has something to do.
    NodeWake { node: usize, process: u64 },
    /// An edge's process starts.
    EdgeStart { edge: usize },
    /// A machine of an edge has something to do.
    EdgeWake { edge: usize, life: u64 },
    /// A worker takes what the way upstream said.
    ToWorker {
        edge: usize,
        life: u64,
        worker: usize,
    },
    /// The way upstream takes what a worker said.
    ToUpstream {
        edge: usize,
        life: u64,
        worker: usize,
    },
    /// An edge dials a node.
    Dial { edge: usize, life: u64, node: usize },
    /// An edge's hello reaches a node.
    Hello { edge: usize, life: u64, node: usize },
    /// A node's welcome reaches the edge.
    Welcome { link: LinkId },
    /// A link's writer is done with a frame.
    Write { link: LinkId, side: Side },
    /// A frame arrives.
    Arrive {
        link: LinkId,
        to: Side,
        stream: StreamId,
    },
    /// A side sees that its link is gone.
    LinkLost { link: LinkId, side: Side },
    /// A link's node hasn't been heard for too long.
    LinkSilent { link: LinkId },
    /// A client's dialing reaches an edge.
    SocketOpen { client: usize, edge: usize },
    /// A message of a client reaches its edge.
    SocketMessage { socket: SocketId },
    /// The edge sees that a client is gone.
    SocketGone { socket: SocketId },
    /// The system hands bytes of a socket to the network.
    SocketDrain { socket: SocketId },
    /// Bytes of a socket reach the client.
    SocketBytes { socket: SocketId },
    /// The store does something.
    Store(Later),
    /// Something goes wrong.
    Fault(Fault),
    /// The store is back for a node.
    StoreBack { node: usize },
    /// A client reads fast again.
    SlowEnds { client: usize },
    /// A client comes back to a channel.
    ComeBack { client: usize, channel: usize },
    /// The trouble ends.
    Calm,
    /// A message goes to every channel.
    Probe,
    /// Everything is read back.
    ReadBack,
    /// The run ends.
    End,
}

impl Mesh {
    pub(super) fn handle(&mut self, event: Event) {
        if let Some(until) = self.thaws(&event) {
            return self.agenda.plan(until, event);
        }
        match event {
            Event::Client { client } => self.wake_client(client),
            Event::Publisher { publisher } => self.wake_publisher(publisher),
            Event::NodeStart { node } => self.start_node(node),
            Event::NodeWake { node, process } => self.wake_node(node, process),
            Event::EdgeStart { edge } => self.start_edge(edge),
            Event::EdgeWake { edge, life } => self.wake_edge(edge, life),
            Event::ToWorker { edge, life, worker } => self.worker_takes(edge, life, worker),
            Event::ToUpstream { edge, life, worker } => self.upstream_takes(edge, life, worker),
            Event::Dial { edge, life, node } => self.dial(edge, life, node),
            Event::Hello { edge, life, node } => self.hello(edge, life, node),
            Event::Welcome { link } => self.welcome(link),
            Event::Write { link, side } => self.write(link, side),
            Event::Arrive {
                link,
                to: Side::Node,
                stream,
            } => self.arrive_at_node(link, stream),
            Event::Arrive {
                link,
                to: Side::Edge,
                stream,
            } => self.arrive_at_edge(link, stream),
            Event::LinkLost { link, side } => self.lose_link(link, side),
            Event::LinkSilent { link } => self.silent_link(link),
            Event::SocketOpen { client, edge } => self.open_socket(client, edge),
            Event::SocketMessage { socket } => self.socket_message(socket),
            Event::SocketGone { socket } => self.socket_gone(socket),
            Event::SocketDrain { socket } => self.drain_socket(socket),
            Event::SocketBytes { socket } => self.socket_bytes(socket),
            Event::Store(later) => self.store_later(later),
            Event::Fault(fault) => self.go_wrong(fault),
            Event::StoreBack { node } => self.node_store_away(node, false),
            Event::SlowEnds { client } => self.slow(client, false),
            Event::ComeBack { client, channel } => self.come_back(client, channel),
            Event::Calm => self.calm(),
            Event::Probe => self.probe(),
            Event::ReadBack => self.read_back(),
            Event::End => {}
        }
    }

    /// When a frozen node meets what happens to it; `None` when that is now.
    fn thaws(&self, event: &Event) -> Option<Instant> {
        let of_link = |link| self.links.get(link).map(|link| link.node);
        let node = match event {
            Event::NodeWake { node, .. } => Some(*node),
            Event::Write {
                link,
                side: Side::Node,
            }
            | Event::LinkLost {
                link,
                side: Side::Node,
            }
            | Event::Arrive {
                link,
                to: Side::Node,
                ..
            } => of_link(link),
            Event::Store(later) => later.told_to(),
            Event::Write { .. }
            | Event::LinkLost { .. }
            | Event::Arrive { .. }
            | Event::Client { .. }
            | Event::Publisher { .. }
            | Event::NodeStart { .. }
            | Event::EdgeStart { .. }
            | Event::EdgeWake { .. }
            | Event::ToWorker { .. }
            | Event::ToUpstream { .. }
            | Event::Dial { .. }
            | Event::Hello { .. }
            | Event::Welcome { .. }
            | Event::LinkSilent { .. }
            | Event::SocketOpen { .. }
            | Event::SocketMessage { .. }
            | Event::SocketGone { .. }
            | Event::SocketDrain { .. }
            | Event::SocketBytes { .. }
            | Event::Fault(_)
            | Event::StoreBack { .. }
            | Event::SlowEnds { .. }
            | Event::ComeBack { .. }
            | Event::Calm
            | Event::Probe
            | Event::ReadBack
            | Event::End => None,
        };
        let until = self.nodes[node?].frozen_until;
        (self.now < until).then_some(until)
    }
}
