//! The account of a bounded queue that somebody else holds.
//!
//! Cores decide what may be queued (policy); shells hold the bytes and report what they have written.

/// Bytes handed to a queue and not yet reported as written, against a limit.
#[derive(Clone, Debug)]
pub struct QueueAccount {
    bytes: usize,
    limit: usize,
}

impl QueueAccount {
    /// Makes an empty account; `limit` in bytes.
    pub const fn new(limit: usize) -> Self {
        Self { bytes: 0, limit }
    }

    /// Takes room for something that may be refused; false, and nothing is taken, when it doesn't fit.
    ///
    /// Something larger than the whole limit fits an empty queue, so that nothing waits forever.
    pub const fn try_take(&mut self, bytes: usize) -> bool {
        if self.bytes > 0 && self.bytes + bytes > self.limit {
            return false;
        }
        self.bytes += bytes;
        true
    }

    /// Takes room for something that is never refused, such as an answer whose room was reserved by its request.
    pub const fn take(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Gives back the room of what was written.
    ///
    /// # Panics
    /// When more is given back than was taken: the shell then reports something twice.
    pub const fn give_back(&mut self, bytes: usize) {
        assert!(bytes <= self.bytes, "a queue gives back what it never took");
        self.bytes -= bytes;
    }

    /// Whether the queue is at most half full: the mark at which what lagged may go on.
    pub const fn has_room(&self) -> bool {
        self.bytes <= self.limit / 2
    }

    /// Bytes that wait.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The limit in bytes.
    pub const fn limit(&self) -> usize {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_takes_nothing() {
        let mut account = QueueAccount::new(10);
        assert!(account.try_take(6));
        assert!(!account.try_take(5));
        assert_eq!(account.bytes(), 6);
        assert!(account.try_take(4));
        account.give_back(5);
        assert!(account.has_room());
    }

    #[test]
    fn something_larger_than_the_queue_fits_an_empty_one() {
        assert!(QueueAccount::new(10).try_take(11));
    }
}
