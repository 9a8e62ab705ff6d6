//! What a drain waits for besides WebSockets: HTTP connections, handshakes under way, and the accepting itself.

use std::rc::Rc;

use super::WorkerThread;

/// Something of this thread that a drain lets end; dropped when it has ended.
pub(crate) struct Busy(Rc<WorkerThread>);

impl WorkerThread {
    /// Begins something that a drain waits for.
    pub(crate) fn busy(self: &Rc<Self>) -> Busy {
        self.busy.update(|count| count + 1);
        Busy(Rc::clone(self))
    }

    /// Whether nothing is left that a drain waits for.
    pub(super) fn is_drained(&self) -> bool {
        self.connections.borrow().is_empty() && self.busy.get() == 0
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.update(|count| count - 1);
        self.0.wake.notify_one();
    }
}
