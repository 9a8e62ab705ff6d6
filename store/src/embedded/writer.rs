//! The thread that writes: everything that has queued goes into one commit. The longer a commit takes, the more goes into
//! the next one; no timer is needed.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};
use trunkline_shared::limits::{APPEND_BYTES_MAX, APPEND_PARTS_MAX};

use super::Shared;
use super::command::{Command, Pending};
use super::directory::{self, Directory};
use super::disk::Disk;
use super::options::Options;
use super::stage::Stage;
use super::sweep::Sweep;
use crate::queue::Cost;

const COMMIT_MAX: Cost = Cost {
    bytes: APPEND_BYTES_MAX,
    units: APPEND_PARTS_MAX,
};

const FIRST_DELAY: Duration = Duration::from_millis(50);
const LAST_DELAY: Duration = Duration::from_secs(2);

/// Starts the thread; it ends when the queue is stopped and empty.
pub(super) fn spawn(
    shared: Arc<Shared>,
    directory: Arc<Directory>,
    options: Options,
) -> io::Result<JoinHandle<()>> {
    let writer = Writer {
        shared,
        directory,
        options,
        sweep: Sweep::new(),
    };
    std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || writer.run())
}

struct Writer {
    shared: Arc<Shared>,
    directory: Arc<Directory>,
    options: Options,
    sweep: Sweep,
}

impl Writer {
    fn run(mut self) {
        while let Some(commands) = self.shared.writes.take(COMMIT_MAX) {
            if let Err(why) = self.commit(commands) {
                error!(why, "a commit failed, the message store is opened again");
                self.reopen();
            }
        }
    }

    fn commit(&mut self, commands: Vec<Command>) -> Result<(), String> {
        let guard = self
            .shared
            .disk
            .read()
            .expect("nothing panics while it writes this lock");
        let disk = guard
            .as_ref()
            .expect("only this thread takes the database away, and puts it back");
        let begun = Instant::now();
        let mut stage = Stage::new(disk, directory::now());
        let pending: Vec<_> = commands
            .into_iter()
            .map(|command| command.stage(&mut stage))
            .collect();
        let failed = pending.iter().filter_map(Pending::error);
        failed.for_each(|error| self.shared.counters.damage.note(error));
        self.sweep.heads.keep(*self.shared.heads_kept());
        match stage.commit(&mut self.sweep) {
            Ok(sum) => {
                self.shared.counters.count_commit(sum, begun.elapsed());
                pending.into_iter().for_each(Pending::answer);
                Ok(())
            }
            Err(error) => {
                let why = error.to_string();
                self.shared.counters.count_failed_commit();
                self.shared.counters.count_unknown_calls(pending.len());
                self.shut(&why);
                pending
                    .into_iter()
                    .for_each(|pending| pending.answer_unknown(&why));
                Err(why)
            }
        }
    }

    /// Lets nothing in while the database is away.
    fn shut(&self, why: &str) {
        for command in self.shared.writes.close() {
            command.answer_away(why);
        }
    }

    /// Closes the database, which takes nothing any more after an error, and opens it until that succeeds.
    fn reopen(&self) {
        self.put(None);
        let mut delay = FIRST_DELAY;
        while !self.shared.writes.wait_for_stop(delay) {
            match self.directory.open_database(&self.options) {
                Ok(disk) => {
                    self.put(Some(disk));
                    self.shared.counters.count_reopening();
                    self.shared.writes.reopen();
                    info!("the message store is open again");
                    return;
                }
                Err(error) => warn!(%error, "the message store can't be opened yet"),
            }
            delay = (delay * 2).min(LAST_DELAY);
        }
    }

    fn put(&self, disk: Option<Disk>) {
        *self
            .shared
            .disk
            .write()
            .expect("nothing panics while it writes this lock") = disk;
    }
}

/// However the thread ends: who waits is answered, who comes later is refused.
impl Drop for Writer {
    fn drop(&mut self) {
        for command in self.shared.writes.abandon() {
            command.answer_away("the writer has ended");
        }
    }
}
