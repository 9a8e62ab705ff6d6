//! The queues to the workers of the edge: what may be put in, and which channels lag for whom.

use std::collections::{BTreeMap, VecDeque};

use trunkline_shared::Channel;
use trunkline_shared::queue::QueueAccount;

use super::Output;
use crate::exchange::{Answer, RefusedBecause, Ticket, ToWorker, WorkerId};

#[derive(Debug)]
pub(super) struct WorkerQueue {
    account: QueueAccount,
    /// Channels that lag for this worker, each once, the next one to be served in front.
    lagging: VecDeque<Channel>,
}

/// All workers; a message to one that was never added goes nowhere.
#[derive(Debug)]
pub(super) struct Workers {
    queues: BTreeMap<WorkerId, WorkerQueue>,
    bytes_max: usize,
}

impl Workers {
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self {
            queues: BTreeMap::new(),
            bytes_max,
        }
    }

    pub(super) fn add(&mut self, worker: WorkerId) {
        let queue = WorkerQueue {
            account: QueueAccount::new(self.bytes_max),
            lagging: VecDeque::new(),
        };
        self.queues.entry(worker).or_insert(queue);
    }

    pub(super) fn is_known(&self, worker: WorkerId) -> bool {
        self.queues.contains_key(&worker)
    }

    pub(super) fn ids(&self) -> Vec<WorkerId> {
        self.queues.keys().copied().collect()
    }

    /// Tells a worker something that is never dropped.
    pub(super) fn tell(&mut self, out: &mut VecDeque<Output>, worker: WorkerId, message: ToWorker) {
        if let Some(queue) = self.queues.get_mut(&worker) {
            queue.account.take(message.weight());
            out.push_back(Output::Worker { worker, message });
        }
    }

    /// Tells a worker something if there is room for it.
    pub(super) fn try_tell(
        &mut self,
        out: &mut VecDeque<Output>,
        worker: WorkerId,
        message: ToWorker,
    ) -> bool {
        let Some(queue) = self.queues.get_mut(&worker) else {
            return false;
        };
        let fits = queue.account.try_take(message.weight());
        if fits {
            out.push_back(Output::Worker { worker, message });
        }
        fits
    }

    pub(super) fn answer(&mut self, out: &mut VecDeque<Output>, asker: Asker, answer: Answer) {
        self.tell(
            out,
            asker.worker,
            ToWorker::Answer {
                ticket: asker.ticket,
                answer,
            },
        );
    }

    pub(super) fn refuse(
        &mut self,
        out: &mut VecDeque<Output>,
        asker: Asker,
        because: RefusedBecause,
    ) {
        self.answer(out, asker, Answer::Refused(because));
    }

    /// Gives back the room of what a worker has worked on.
    pub(super) fn on_consumed(&mut self, worker: WorkerId, weight: usize) {
        if let Some(queue) = self.queues.get_mut(&worker) {
            queue.account.give_back(weight);
        }
    }

    /// Notes that a channel lags for a worker; it must not lag yet.
    pub(super) fn lag(&mut self, worker: WorkerId, channel: Channel) {
        if let Some(queue) = self.queues.get_mut(&worker) {
            queue.lagging.push_back(channel);
        }
    }

    /// Forgets that a channel lags for a worker.
    pub(super) fn forget_lag(&mut self, worker: WorkerId, channel: &Channel) {
        if let Some(queue) = self.queues.get_mut(&worker) {
            queue.lagging.retain(|lagging| lagging != channel);
        }
    }

    /// Takes the next channel that lags for a worker, when there is room again.
    pub(super) fn pop_lagging(&mut self, worker: WorkerId) -> Option<Channel> {
        let queue = self.queues.get_mut(&worker)?;
        if queue.account.has_room() {
            queue.lagging.pop_front()
        } else {
            None
        }
    }

    pub(super) fn lags(&self, worker: WorkerId, channel: &Channel) -> bool {
        self.queues
            .get(&worker)
            .is_some_and(|queue| queue.lagging.contains(channel))
    }

    pub(super) fn bytes(&self) -> usize {
        self.queues
            .values()
            .map(|queue| queue.account.bytes())
            .sum()
    }
}

/// A worker's request that awaits its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asker {
    pub(super) worker: WorkerId,
    pub(super) ticket: Ticket,
}
