//! What is done with a store that no node uses: checking it, writing it out, reading it in, beginning new epochs.
//!
//! All of it holds the directory's lock, so that no node starts meanwhile. A database server brings tools
//! of its own but for new epochs.

mod check;
mod cut;
mod expected;
mod export;
mod import;
mod line;
mod new_epoch;
mod rows;

use std::path::Path;

use fjall::PersistMode;
use trunkline_shared::{Epoch, UnixMillis};
use trunkline_store_core::Generation;

use super::directory::{self, Directory};
use super::disk::Disk;
use super::error::OpenError;
use super::options::Options;
use crate::record::SlotRow;

pub use self::check::{Counts, Finding};
pub use self::cut::{Cut, cut};
pub use self::export::ExportError;
pub use self::import::{ImportError, import};
pub use self::new_epoch::NewEpochError;
pub(super) use self::new_epoch::begin_epochs;

/// A store's directory, locked and open, without the threads that serve a node.
#[derive(Debug)]
pub struct OfflineStore {
    disk: Disk,
    // Given up last, when the database is closed.
    _directory: Directory,
}

impl OfflineStore {
    /// Opens a store that is there; makes none.
    ///
    /// # Errors
    /// When there is none, when a process uses it, when it has an unknown format or its journal is damaged.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let directory = Directory::lock_existing(path, PersistMode::SyncAll)?;
        let disk = directory.open_database(&Options::default())?;
        Ok(Self {
            disk,
            _directory: directory,
        })
    }
}

/// A birth for a store whose numbering changes: later than the one before, whatever the clock shows.
fn birth_after(before: UnixMillis) -> UnixMillis {
    directory::now().max(UnixMillis(before.0.saturating_add(1)))
}

/// A claim that fences whoever has the slot and begins another numbering.
fn with_new_epoch(before: SlotRow) -> SlotRow {
    SlotRow {
        generation: Generation(before.generation.0.saturating_add(1)),
        epoch: Epoch::new(getrandom::u64().expect("the system has randomness")),
        ..before
    }
}
