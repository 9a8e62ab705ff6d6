//! A link whose hellos are done, and the tasks that it becomes when it is started.

use std::marker::PhantomData;
use std::sync::Arc;

use tokio::sync::watch;
use tracing::info;
use trunkline_shared::StreamId;
use trunkline_shared::frame::{Hello, ToEdge, ToNode};

use crate::config::LinkConfig;
use crate::end::{CloseCode, LinkEnd};
use crate::ending::Ending;
use crate::frames::LinkFrame;
use crate::hello::Introduction;
use crate::identity::PeerIdentity;
use crate::inbox::Inbox;
use crate::link_core::Core;
use crate::lives::Life;
use crate::sender::LinkSender;
use crate::streams::Streams;
use crate::tasks;

/// A link as an edge has it.
pub type EdgeLink = Link<ToNode, ToEdge>;
/// A link as a node has it.
pub type NodeLink = Link<ToEdge, ToNode>;

/// Where a started link puts what comes. Calls come from several tasks at once, those of one stream in order.
///
/// No call may block or wait: reading must never wait for writing. Whoever implements it hands over to queues whose
/// volume an [`Inbox`] counts; reading waits for the machine behind a full one, which itself waits for nothing.
pub trait LinkSink<In>: Send + Sync + 'static {
    /// Frames came, in order.
    fn deliver(&self, stream: StreamId, frames: Vec<In>);
    /// Queued frames of this weight together were written to QUIC.
    fn sent(&self, stream: StreamId, weight: usize);
    /// The link has ended. Nothing comes after it; it comes exactly once.
    fn closed(&self, end: LinkEnd);
    /// The inbox that must get room before more of `stream` is read; `None` (default) when there is none to wait for.
    fn full(&self, stream: StreamId) -> Option<&Inbox> {
        let _ = stream;
        None
    }
}

/// A link to an authenticated peer, with hellos exchanged, not yet started.
///
/// Dropping it closes it.
pub struct Link<Out, In> {
    pub(crate) parts: Parts,
    frames: PhantomData<fn(Out) -> In>,
}

/// What a link is made of.
pub(crate) struct Parts {
    pub(crate) streams: Streams,
    pub(crate) peer: PeerIdentity,
    pub(crate) hello: Hello,
    /// What this end said about itself.
    pub(crate) said: Introduction,
    pub(crate) version: u8,
    pub(crate) config: Arc<LinkConfig>,
    /// The node's note that a life has this link; ends with the link.
    pub(crate) life: Option<Life>,
    /// Closes the connection when the link goes, however that comes.
    pub(crate) guard: CloseGuard,
    /// Where it is noted why the link ended.
    pub(crate) ending: Ending,
    /// Turns true when the sink has been told of the end; its sender goes when a link is dropped before its start.
    pub(crate) over: watch::Sender<bool>,
}

/// Closes a connection when it is dropped; quinn alone would do so only after its last handle.
pub(crate) struct CloseGuard(pub(crate) quinn::Connection);

impl Drop for CloseGuard {
    fn drop(&mut self) {
        // A second close would overwrite what quinn tells about the first.
        if self.0.close_reason().is_none() {
            CloseCode::Goodbye.close(&self.0, &LinkEnd::Goodbye.to_string());
        }
    }
}

impl<Out: LinkFrame, In: LinkFrame> Link<Out, In> {
    pub(crate) const fn new(parts: Parts) -> Self {
        Self {
            parts,
            frames: PhantomData,
        }
    }

    /// Who the peer is, by its certificate.
    pub const fn peer(&self) -> &PeerIdentity {
        &self.parts.peer
    }

    /// What the peer said about itself.
    pub const fn introduction(&self) -> Introduction {
        Introduction {
            incarnation: self.parts.hello.incarnation,
            view: self.parts.hello.view,
        }
    }

    /// What this end said about itself.
    pub const fn said(&self) -> Introduction {
        self.parts.said
    }

    /// Where the peer is.
    pub fn remote_address(&self) -> std::net::SocketAddr {
        self.parts.guard.0.remote_address()
    }

    /// Starts reading and writing.
    ///
    /// `sink` is made before anything is read, and gets the sender: whoever answers what comes can have it by then.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(
        self,
        sink: impl FnOnce(LinkSender<Out>) -> Arc<dyn LinkSink<In>>,
    ) -> LinkSender<Out> {
        let Parts {
            streams,
            peer,
            hello,
            said: _,
            version,
            config,
            life,
            guard,
            ending,
            over,
        } = self.parts;
        let core = Arc::new(Core::new(ending, version, &config, over));
        info!(peer = %peer, incarnation = %hello.incarnation, "link up");
        let sender = LinkSender::new(Arc::clone(&core));
        let sink = sink(sender.clone());
        let running = tasks::spawn(&core, streams, &sink);
        tokio::spawn(tasks::supervise(core, running, sink, peer, (life, guard)));
        sender
    }

    /// Resolves when the link has ended and its sink has been told, or when it was dropped before its start.
    pub(crate) fn end(&self) -> impl Future<Output = LinkEnd> + Send + 'static {
        let mut over = self.parts.over.subscribe();
        let ending = self.parts.ending.clone();
        async move {
            let _ = over.wait_for(|over| *over).await;
            ending.reason()
        }
    }
}
