//! The sending side of a started link.

use std::marker::PhantomData;
use std::sync::Arc;

use trunkline_shared::StreamId;

use crate::counters::LinkCounters;
use crate::end::LinkEnd;
use crate::frames::{LinkFrame, Outgoing};
use crate::link_core::Core;

/// What became of a frame handed to [`LinkSender::send`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is queued; its weight comes back through [`LinkSink::sent`](crate::LinkSink::sent) unless the link ends.
    Queued,
    /// The ephemeral stream is behind: it is dropped and counted; its weight does not come back.
    Dropped,
    /// The link has ended, or ends now; its weight does not come back.
    Closed,
}

/// Sends frames on a link; clones send on the same one.
///
/// Dropping it doesn't end the link.
pub struct LinkSender<Out> {
    core: Arc<Core>,
    frame: PhantomData<fn(Out)>,
}

impl<Out> Clone for LinkSender<Out> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.core))
    }
}

impl<Out> LinkSender<Out> {
    pub(crate) const fn new(core: Arc<Core>) -> Self {
        Self {
            core,
            frame: PhantomData,
        }
    }

    /// Closes the link at once because its peer breaks the protocol; what is queued is lost. `reason` reaches the
    /// peer and the log.
    pub fn close(&self, reason: &str) {
        self.core.fail(LinkEnd::Misbehaved(reason.to_owned()));
    }

    /// Lets what is queued be written and acknowledged, then closes the link on purpose; waits for its end.
    ///
    /// After `goodbye_timeout` it closes it anyway. What is sent meanwhile may be lost.
    pub async fn goodbye(&self) {
        self.core.close_queues();
        let end = self.core.wait_for_end();
        if tokio::time::timeout(self.core.goodbye_timeout, end)
            .await
            .is_err()
        {
            self.core.fail(LinkEnd::Goodbye);
            self.core.wait_for_end().await;
        }
    }

    /// What the link has done so far.
    pub fn counters(&self) -> LinkCounters {
        self.core.counters()
    }
}

impl<Out: LinkFrame> LinkSender<Out> {
    /// Queues a frame for `stream`, without waiting.
    ///
    /// Order is kept per stream. A control or lane queue over `queue_bytes_max` closes the link: the cores' own
    /// accounts stay far below, so that this is a fault of ours.
    ///
    /// # Panics
    /// When `stream` names a lane that links don't have.
    pub fn send(&self, stream: StreamId, frame: &Outgoing<Out>) -> Sent {
        if self.core.ending.is_known() {
            return Sent::Closed;
        }
        match (self.core.queue(stream).push(frame), stream) {
            (Ok(()), _) => Sent::Queued,
            (Err(_), StreamId::Ephemeral) => {
                self.core.counters.ephemeral_dropped.add(1);
                Sent::Dropped
            }
            (Err(_), StreamId::Control | StreamId::Lane(_)) => {
                self.core.fail(LinkEnd::QueueFull { stream });
                Sent::Closed
            }
        }
    }
}
