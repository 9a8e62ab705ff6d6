//! The edge's links: dialling nodes, and handing over what comes on a link.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::{debug, warn};
use trunkline_link::{DialEvent, Dialer, EdgeLink, Inbox, LinkEnd, LinkSink};
use trunkline_shared::frame::ToEdge;
use trunkline_shared::{LinkId, StreamId};

/// What happens on links.
pub(crate) enum LinkEvent {
    /// A link is up, not yet started.
    Up {
        address: String,
        link: Box<EdgeLink>,
    },
    /// Frames came, in order.
    Frames {
        link: LinkId,
        frames: Vec<ToEdge>,
        /// What the inbox is given back.
        weight: usize,
    },
    /// Frames of this weight together were written.
    Sent {
        link: LinkId,
        stream: StreamId,
        weight: usize,
    },
    /// A link is down; nothing of it follows.
    Down { link: LinkId },
}

/// Keeps a link to one address until it is aborted.
pub(crate) async fn dial(mut dialer: Dialer, events: mpsc::UnboundedSender<LinkEvent>) {
    let address = dialer.address().to_owned();
    let (mut failures, mut told) = (0_u64, Vec::new());
    loop {
        match dialer.next().await {
            DialEvent::Up(link) => {
                failures = 0;
                told.clear();
                let link = Box::new(link);
                if events
                    .send(LinkEvent::Up {
                        address: address.clone(),
                        link,
                    })
                    .is_err()
                {
                    return;
                }
            }
            // The link's sink has been told, and the log.
            DialEvent::Down(_) => {}
            DialEvent::Failed { error, retry_in } => {
                failures += 1;
                let kind = std::mem::discriminant(&error);
                // One warning per outage and kind of failure; what follows is the same again.
                if !told.contains(&kind) {
                    told.push(kind);
                    warn!(%address, %error, ?retry_in, "no link");
                } else {
                    debug!(%address, %error, failures, ?retry_in, "still no link");
                }
            }
        }
    }
}

/// Puts what comes on one link into the queue of the way upstream, whose inbox counts it.
pub(crate) struct EdgeSink {
    pub(crate) link: LinkId,
    pub(crate) events: mpsc::UnboundedSender<LinkEvent>,
    pub(crate) inbox: Arc<Inbox>,
}

impl LinkSink<ToEdge> for EdgeSink {
    fn deliver(&self, _: StreamId, frames: Vec<ToEdge>) {
        let weight = frames.iter().map(ToEdge::weight).sum();
        self.inbox.add(weight);
        let _ = self.events.send(LinkEvent::Frames {
            link: self.link,
            frames,
            weight,
        });
    }

    fn sent(&self, stream: StreamId, weight: usize) {
        let _ = self.events.send(LinkEvent::Sent {
            link: self.link,
            stream,
            weight,
        });
    }

    fn closed(&self, _: LinkEnd) {
        let _ = self.events.send(LinkEvent::Down { link: self.link });
    }

    fn full(&self, _: StreamId) -> Option<&Inbox> {
        self.inbox.is_full().then_some(&*self.inbox)
    }
}
