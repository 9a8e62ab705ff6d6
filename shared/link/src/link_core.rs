//! What the tasks of one link share: its connection, its queues, its numbers.

use std::time::Duration;

use tokio::sync::watch;
use trunkline_shared::StreamId;
use trunkline_shared::limits::LANES;

use crate::config::LinkConfig;
use crate::counters::{LinkCounters, LiveCounters};
use crate::end::LinkEnd;
use crate::ending::Ending;
use crate::queue::SendQueue;
use crate::streams;

/// What all tasks of a link share.
pub(crate) struct Core {
    pub(crate) connection: quinn::Connection,
    pub(crate) version: u8,
    pub(crate) counters: LiveCounters,
    pub(crate) goodbye_timeout: Duration,
    pub(crate) ending: Ending,
    pub(crate) over: watch::Sender<bool>,
    queues: Vec<SendQueue>,
}

impl Core {
    pub(crate) fn new(
        ending: Ending,
        version: u8,
        config: &LinkConfig,
        over: watch::Sender<bool>,
    ) -> Self {
        let queue = |stream| SendQueue::new(stream, outstanding_max(config, stream));
        Self {
            connection: ending.connection.clone(),
            version,
            counters: LiveCounters::default(),
            goodbye_timeout: config.goodbye_timeout,
            ending,
            over,
            queues: streams::ids().map(queue).collect(),
        }
    }

    /// How many streams carry frames away from here.
    pub(crate) const fn streams(&self) -> usize {
        self.queues.len()
    }

    /// The queue of a stream.
    pub(crate) fn queue(&self, stream: StreamId) -> &SendQueue {
        let place = match stream {
            StreamId::Control => 0,
            StreamId::Lane(lane) => {
                assert!(lane < LANES, "links have {LANES} lanes, not lane {lane}");
                1 + usize::from(lane)
            }
            StreamId::Ephemeral => 1 + usize::from(LANES),
        };
        &self.queues[place]
    }

    /// Ends the link for a reason of this side.
    pub(crate) fn fail(&self, end: LinkEnd) {
        self.ending.set(end);
    }

    pub(crate) fn close_queues(&self) {
        self.queues.iter().for_each(SendQueue::close);
    }

    pub(crate) async fn wait_for_end(&self) {
        let mut over = self.over.subscribe();
        let _ = over.wait_for(|over| *over).await;
    }

    pub(crate) fn counters(&self) -> LinkCounters {
        let path = self.connection.stats().path;
        LinkCounters {
            frames_in: self.counters.frames_in.now(),
            frames_out: self.counters.frames_out.now(),
            bytes_in: self.counters.bytes_in.now(),
            bytes_out: self.counters.bytes_out.now(),
            queued_bytes: self
                .queues
                .iter()
                .map(|queue| queue.unwritten() as u64)
                .sum(),
            ephemeral_dropped: self.counters.ephemeral_dropped.now(),
            rtt: path.rtt,
            lost_packets: path.lost_packets,
            congestion_window: path.cwnd,
        }
    }
}

fn outstanding_max(config: &LinkConfig, stream: StreamId) -> usize {
    let size = match stream {
        StreamId::Control | StreamId::Lane(_) => config.queue_bytes_max,
        StreamId::Ephemeral => config.ephemeral_bytes_max,
    };
    usize::try_from(size.0).unwrap_or(usize::MAX)
}
