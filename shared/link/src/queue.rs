//! What waits to be written to one stream.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use trunkline_shared::StreamId;

use crate::frames::Outgoing;
use crate::join::join;

/// The queue of one stream: filled without waiting, emptied by the stream's writer.
///
/// It is bounded in bytes that are *outstanding*: for control and lanes those not yet written to QUIC, for the
/// ephemeral stream those that the peer hasn't told to have read.
pub(crate) struct SendQueue {
    pub(crate) stream: StreamId,
    outstanding_max: usize,
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    chunks: Vec<Bytes>,
    frames: VecDeque<Queued>,
    /// Bytes taken for writing and not yet written, and those not yet taken.
    unwritten: usize,
    /// Bytes queued in the link's life.
    queued_total: u64,
    /// Of those: what the peer says to have read.
    read_total: u64,
    closing: bool,
}

/// One queued frame.
struct Queued {
    bytes: usize,
    weight: usize,
}

/// Everything that had queued when the writer came back.
pub(crate) struct Batch {
    pub(crate) chunks: Vec<Bytes>,
    frames: VecDeque<Queued>,
    written: usize,
}

/// The queue is over its limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The peer says to have read more than was sent, or less than before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadCredit;

impl SendQueue {
    pub(crate) fn new(stream: StreamId, outstanding_max: usize) -> Self {
        Self {
            stream,
            outstanding_max,
            state: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Queues a frame; what doesn't fit is refused. Something larger than the limit fits an empty queue.
    pub(crate) fn push<F>(&self, frame: &Outgoing<F>) -> Result<(), Full> {
        let mut state = self.lock();
        let outstanding = match self.stream {
            StreamId::Control | StreamId::Lane(_) => state.unwritten,
            StreamId::Ephemeral => {
                usize::try_from(state.queued_total - state.read_total).unwrap_or(usize::MAX)
            }
        };
        if outstanding > 0 && outstanding.saturating_add(frame.bytes) > self.outstanding_max {
            return Err(Full);
        }
        state.chunks.extend(frame.chunks.iter().cloned());
        state.frames.push_back(Queued {
            bytes: frame.bytes,
            weight: frame.weight,
        });
        state.unwritten += frame.bytes;
        state.queued_total += frame.bytes as u64;
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Waits for something to write and takes all of it; `None` when the queue is empty for good.
    pub(crate) async fn next(&self) -> Option<Batch> {
        loop {
            let woken = self.wake.notified();
            if let Some(end_or_batch) = self.try_next() {
                return end_or_batch;
            }
            woken.await;
        }
    }

    fn try_next(&self) -> Option<Option<Batch>> {
        let mut state = self.lock();
        if state.frames.is_empty() {
            return state.closing.then_some(None);
        }
        let chunks = std::mem::take(&mut state.chunks);
        let frames = std::mem::take(&mut state.frames);
        drop(state);
        Some(Some(Batch {
            chunks: join(chunks),
            frames,
            written: 0,
        }))
    }

    /// Notes that bytes of a batch have been written to QUIC.
    pub(crate) fn on_written(&self, bytes: usize) {
        self.lock().unwritten -= bytes;
    }

    /// Notes how many bytes of the stream the peer has read in all.
    pub(crate) fn on_read_by_peer(&self, total: u64) -> Result<(), BadCredit> {
        let mut state = self.lock();
        if total < state.read_total || total > state.queued_total {
            return Err(BadCredit);
        }
        state.read_total = total;
        Ok(())
    }

    /// Lets the writer end when it has written what is queued.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.wake.notify_one();
    }

    /// Bytes not yet written to QUIC.
    pub(crate) fn unwritten(&self) -> usize {
        self.lock().unwritten
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    /// Notes that `bytes` more were written; returns how many frames that finished and their weight together.
    pub(crate) fn advance(&mut self, bytes: usize) -> (usize, usize) {
        self.written += bytes;
        let (mut count, mut weight) = (0, 0);
        while let Some(frame) = self
            .frames
            .pop_front_if(|frame| frame.bytes <= self.written)
        {
            self.written -= frame.bytes;
            count += 1;
            weight += frame.weight;
        }
        (count, weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_shared::RequestId;
    use trunkline_shared::frame::ToNode;

    fn frame() -> Outgoing<ToNode> {
        Outgoing::encode(&ToNode::Info {
            request: RequestId(1),
        })
        .expect("a small frame")
    }

    fn queue(stream: StreamId) -> SendQueue {
        SendQueue::new(stream, 3 * frame().bytes())
    }

    fn take(queue: &SendQueue) -> Batch {
        queue.try_next().flatten().expect("something is queued")
    }

    #[test]
    fn a_lane_is_full_of_what_is_not_written() {
        let queue = queue(StreamId::Lane(0));
        assert_eq!(
            [0; 4].map(|_| queue.push(&frame())),
            [Ok(()), Ok(()), Ok(()), Err(Full)]
        );
        let mut batch = take(&queue);
        assert_eq!(queue.push(&frame()), Err(Full));
        queue.on_written(frame().bytes());
        assert_eq!(batch.advance(frame().bytes()), (1, frame().weight));
        assert_eq!(queue.push(&frame()), Ok(()));
    }

    #[test]
    fn the_ephemeral_stream_is_full_of_what_is_not_read() {
        let queue = queue(StreamId::Ephemeral);
        assert_eq!(
            [0; 4].map(|_| queue.push(&frame())),
            [Ok(()), Ok(()), Ok(()), Err(Full)]
        );
        take(&queue);
        queue.on_written(3 * frame().bytes());
        assert_eq!(queue.push(&frame()), Err(Full));
        assert_eq!(queue.on_read_by_peer(frame().bytes() as u64), Ok(()));
        assert_eq!(queue.push(&frame()), Ok(()));
    }

    #[test]
    fn a_peer_that_read_more_than_was_sent_or_unreads_is_found() {
        let queue = queue(StreamId::Ephemeral);
        assert_eq!(queue.push(&frame()), Ok(()));
        assert_eq!(queue.on_read_by_peer(9), Ok(()));
        assert_eq!(queue.on_read_by_peer(8), Err(BadCredit));
        assert_eq!(queue.on_read_by_peer(1 << 40), Err(BadCredit));
    }

    #[test]
    fn frames_are_finished_by_their_last_byte() {
        let queue = queue(StreamId::Control);
        for _ in 0..3 {
            assert_eq!(queue.push(&frame()), Ok(()));
        }
        let mut batch = take(&queue);
        let (bytes, weight) = (frame().bytes(), frame().weight);
        assert_eq!(batch.advance(bytes - 1), (0, 0));
        assert_eq!(batch.advance(1), (1, weight));
        assert_eq!(batch.advance(2 * bytes), (2, 2 * weight));
    }

    #[test]
    fn a_closed_queue_ends_only_when_it_is_empty() {
        let queue = queue(StreamId::Control);
        assert_eq!(queue.push(&frame()), Ok(()));
        queue.close();
        assert!(matches!(queue.try_next(), Some(Some(_))));
        assert!(matches!(queue.try_next(), Some(None)));
    }
}
