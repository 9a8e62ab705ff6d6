//! The parts of a running edge, none of which may end before the edge does.

use futures_util::future::{join_all, select_all};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::EdgeError;

/// The ends of an edge's threads and tasks.
pub(super) struct Parts {
    /// Each resolves when its worker's thread has ended, however.
    pub(super) workers: Vec<oneshot::Receiver<()>>,
    /// The task that drives the way upstream.
    pub(super) upstream: JoinHandle<()>,
}

impl Parts {
    /// Waits until one has ended by itself: an edge that lacks it serves some clients not at all, or nobody's publishes.
    pub(super) async fn ended(&mut self) -> EdgeError {
        tokio::select! {
            _ = select_all(&mut self.workers) => EdgeError::WorkerEnded,
            _ = &mut self.upstream => EdgeError::UpstreamEnded,
        }
    }

    /// Waits until all workers' threads have ended.
    pub(super) async fn workers_ended(self) {
        join_all(self.workers).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> (Parts, [oneshot::Sender<()>; 2]) {
        let (first, first_end) = oneshot::channel();
        let (second, second_end) = oneshot::channel();
        let parts = Parts {
            workers: vec![first_end, second_end],
            upstream: tokio::spawn(std::future::pending()),
        };
        (parts, [first, second])
    }

    #[tokio::test]
    async fn a_worker_that_ends_is_noticed() {
        let (mut parts, [_first, second]) = parts();
        drop(second);
        assert!(matches!(parts.ended().await, EdgeError::WorkerEnded));
    }

    #[tokio::test]
    async fn a_way_upstream_that_ends_is_noticed() {
        let (mut parts, _workers) = parts();
        parts.upstream.abort();
        assert!(matches!(parts.ended().await, EdgeError::UpstreamEnded));
    }
}
