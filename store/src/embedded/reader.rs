//! The threads that read: reads of the database block, so they never run on a caller's thread.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use futures_channel::oneshot::Sender;
use trunkline_store_core::StoreError;

use super::Shared;
use super::disk::{Disk, DiskError};
use crate::queue::Cost;

type Read = dyn FnOnce(Result<&Disk, &str>) + Send;

/// A read that waits for a thread.
pub(super) struct ReadJob(Box<Read>);

impl fmt::Debug for ReadJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadJob")
    }
}

impl ReadJob {
    pub(super) fn new<T: Send + 'static>(
        read: impl FnOnce(&Disk) -> Result<T, DiskError> + Send + 'static,
        answer: Sender<Result<T, StoreError>>,
        shared: Arc<Shared>,
    ) -> Self {
        Self(Box::new(move |disk| {
            let away = |why: &str| StoreError::Away(why.to_owned());
            let result = disk.map_err(away).and_then(|disk| Ok(read(disk)?));
            let damage = &shared.counters.damage;
            let result = result.inspect_err(|error| damage.note(error));
            // Who doesn't wait any more isn't told.
            drop(answer.send(result));
        }))
    }

    pub(super) fn answer_away(self, why: &str) {
        (self.0)(Err(why));
    }
}

/// Starts a thread; it ends when the queue is stopped and empty.
pub(super) fn spawn(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("store-reader".to_owned())
        .spawn(move || run(&shared))
}

fn run(shared: &Shared) {
    while let Some(jobs) = shared.reads.take(Cost {
        bytes: usize::MAX,
        units: 1,
    }) {
        for ReadJob(job) in jobs {
            let disk = shared
                .disk
                .read()
                .expect("nothing panics while it writes this lock");
            job(disk.as_ref().ok_or("it is being opened again"));
        }
    }
}
