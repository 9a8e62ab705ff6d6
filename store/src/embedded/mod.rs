//! The embedded store: fjall in one directory, for a backbone of one node.
//!
//! All calls are queued. One thread writes: it takes everything that has queued, checks it against what is stored and
//! what it has just taken, commits it in one synced batch and answers. Some threads read. So nothing here blocks an
//! asynchronous runtime, and no runtime is needed.

mod command;
mod directory;
mod disk;
mod error;
mod journal;
mod key;
mod last_seen;
mod nodes;
pub mod offline;
mod options;
mod reader;
mod reads;
mod stage;
mod sweep;
mod writer;

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use fjall::PersistMode;
use futures_channel::oneshot;
use smol_str::SmolStr;
use trunkline_shared::{Channel, Slot, UnixMillis};
use trunkline_store_core::members::MemberTable;
use trunkline_store_core::{
    AllFound, AppendOutcome, ClaimError, ClaimRequest, Claimed, FindRequest, FloorError,
    FloorRequest, Head, MessageStore, RangeRequest, SlotPart, StoreError, StoredMessage,
    ViewChange, ViewRow,
};

use self::command::Command;
use self::directory::Directory;
use self::disk::Disk;
pub use self::error::OpenError;
pub use self::options::Options;
use self::reader::ReadJob;
use crate::queue::{Cost, Queue};
use crate::stats::{Counters, StoreStats};

/// A message store in a directory of its own.
///
/// Dropping it ends its threads once what has queued is written, and gives the directory free.
#[derive(Debug)]
pub struct EmbeddedStore {
    birth: UnixMillis,
    members: Mutex<MemberTable>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    // Given up last, when the database is closed.
    directory: Arc<Directory>,
}

/// What callers and threads have in common.
#[derive(Debug)]
struct Shared {
    /// Absent while the database is opened again.
    disk: RwLock<Option<Disk>>,
    writes: Queue<Command>,
    reads: Queue<ReadJob>,
    counters: Counters,
    /// How long a head that nothing touches outlives its messages; `None`: for ever.
    heads_kept: Mutex<Option<Duration>>,
}

impl Shared {
    fn heads_kept(&self) -> MutexGuard<'_, Option<Duration>> {
        self.heads_kept
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

impl EmbeddedStore {
    /// Opens the store in a directory; makes both when they aren't there.
    ///
    /// # Errors
    /// When another process uses the directory, when what lies there isn't a store of a known format, or when the disk
    /// fails.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_with(path, options, PersistMode::SyncData)
    }

    /// Opens a store that breaks its contract: commits are acknowledged before they would survive a power cut.
    ///
    /// Only for the test which shows that such a store is found out.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[doc(hidden)]
    pub fn open_broken_without_sync(path: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_with(path, options, PersistMode::Buffer)
    }

    fn open_with(
        path: &Path,
        options: Options,
        durability: PersistMode,
    ) -> Result<Self, OpenError> {
        let directory = Arc::new(Directory::lock(path, durability)?);
        let disk = directory.open_database(&options)?;
        let birth = disk.birth();
        let shared = Arc::new(Shared {
            disk: RwLock::new(Some(disk)),
            writes: Queue::new(Cost {
                bytes: options.writes_bytes_max,
                units: usize::MAX,
            }),
            reads: Queue::new(Cost {
                bytes: usize::MAX,
                units: options.reads_max,
            }),
            counters: Counters::default(),
            heads_kept: Mutex::new(options.heads_kept),
        });
        let mut store = Self {
            birth,
            members: Mutex::default(),
            shared,
            threads: Vec::new(),
            directory,
        };
        let writer = writer::spawn(
            Arc::clone(&store.shared),
            Arc::clone(&store.directory),
            options,
        )?;
        store.threads.push(writer);
        for _ in 0..options.readers.max(1) {
            store
                .threads
                .push(reader::spawn(Arc::clone(&store.shared))?);
        }
        Ok(store)
    }

    /// Says how long a head that nothing touches outlives its messages from now on; `None`: for ever. At least the longest TTL of
    /// any namespace.
    pub fn keep_heads(&self, kept: Option<Duration>) {
        *self.shared.heads_kept() = kept;
    }

    /// What the store has done and what waits for it.
    pub fn stats(&self) -> StoreStats {
        let shared = &self.shared;
        shared
            .counters
            .read(shared.writes.waiting(), shared.reads.waiting())
    }

    /// Lets all heads go that weren't touched since a moment by this machine's clock and whose messages are all older.
    ///
    /// Only for tests: a store does it by itself, a few with each commit ([`Options::heads_kept`]).
    ///
    /// # Errors
    /// When the store is away.
    #[doc(hidden)]
    pub fn forget_heads(
        &self,
        untouched_since: UnixMillis,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.write(
            move |answer| Command::ForgetHeads {
                untouched_since,
                answer,
            },
            |why| Err(StoreError::Away(why)),
        )
    }

    fn write<T: Send>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
        away: impl FnOnce(String) -> T + Send,
    ) -> impl Future<Output = T> + Send {
        let (sender, answer) = oneshot::channel();
        let command = command(sender);
        let cost = command.cost();
        if let Err(refusal) = self.shared.writes.push(command, cost) {
            self.shared.counters.count_refused_write(refusal.reason);
            refusal.item.answer_away(refusal.reason.text());
        }
        async move {
            answer
                .await
                .unwrap_or_else(|_| away("the writer has ended".to_owned()))
        }
    }

    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Disk) -> Result<T, disk::DiskError> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send {
        let (sender, answer) = oneshot::channel();
        let job = ReadJob::new(read, sender, Arc::clone(&self.shared));
        if let Err(refusal) = self.shared.reads.push(job, Cost { bytes: 0, units: 1 }) {
            self.shared.counters.count_refused_read(refusal.reason);
            refusal.item.answer_away(refusal.reason.text());
        }
        async move {
            answer
                .await
                .unwrap_or_else(|_| Err(StoreError::Away("the readers have ended".to_owned())))
        }
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.shared.writes.stop();
        self.shared.reads.stop();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the message store panicked");
            }
        }
    }
}

/// Each call is queued when it is made, not when its future is first polled; a future that is dropped cancels nothing.
impl MessageStore for EmbeddedStore {
    fn append(&self, parts: Vec<SlotPart>) -> impl Future<Output = AppendOutcome> + Send {
        self.write(
            |answer| Command::Append { parts, answer },
            AppendOutcome::Unknown,
        )
    }

    fn claim(
        &self,
        request: ClaimRequest,
    ) -> impl Future<Output = Result<Vec<Claimed>, ClaimError>> + Send {
        self.write(
            |answer| Command::Claim { request, answer },
            |why| Err(StoreError::Away(why).into()),
        )
    }

    fn heads(
        &self,
        channels: Vec<(Slot, Channel)>,
    ) -> impl Future<Output = Result<Vec<Head>, StoreError>> + Send {
        self.read(move |disk| disk.heads(&channels))
    }

    fn range(
        &self,
        request: RangeRequest,
    ) -> impl Future<Output = Result<Vec<StoredMessage>, StoreError>> + Send {
        self.read(move |disk| disk.range(&request))
    }

    fn find(
        &self,
        request: FindRequest,
    ) -> impl Future<Output = Result<AllFound, StoreError>> + Send {
        self.read(move |disk| disk.find(&request))
    }

    fn raise_floor(
        &self,
        request: FloorRequest,
    ) -> impl Future<Output = Result<Head, FloorError>> + Send {
        self.write(
            |answer| Command::RaiseFloor { request, answer },
            |why| Err(StoreError::Away(why).into()),
        )
    }

    fn have_heads(
        &self,
        namespaces: Vec<SmolStr>,
    ) -> impl Future<Output = Result<Vec<bool>, StoreError>> + Send {
        self.read(move |disk| disk.have_heads(&namespaces))
    }

    fn view(&self) -> impl Future<Output = Result<Option<ViewRow>, StoreError>> + Send {
        self.read(Disk::view_row)
    }

    fn change_view(
        &self,
        change: ViewChange,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        self.write(
            |answer| Command::ChangeView { change, answer },
            |why| Err(StoreError::Away(why)),
        )
    }

    fn birth(&self) -> UnixMillis {
        self.birth
    }
}
