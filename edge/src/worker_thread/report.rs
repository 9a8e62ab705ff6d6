//! How a worker is, and who is connected to it.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::{WorkerReport, WorkerThread};

impl WorkerThread {
    pub(super) fn report(&self) -> WorkerReport {
        WorkerReport {
            stats: self.machine.borrow().stats(),
            lag: self.lag.get(),
        }
    }

    /// A hash of each user: of one width and without a name, so that many are told apart cheaply.
    pub(super) fn user_hashes(&self) -> Vec<u64> {
        // Its keys are fixed, unlike those of a map's own hasher: all threads must agree.
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let machine = self.machine.borrow();
        machine.users().map(|user| hasher.hash_one(user)).collect()
    }
}
