//! Why a store can't be opened.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::DiskError;

/// Why a directory can't be opened as a message store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the directory's lock.
    #[error("message store {} is used by another process{}", path.display(), describe(holder))]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process id that its holder wrote down; empty when it didn't.
        holder: String,
    },
    /// There is no store to look after.
    #[error("{} holds no message store", path.display())]
    Absent {
        /// The directory.
        path: PathBuf,
    },
    /// A keyspace of the format isn't there: this is the directory of something else, or it is damaged.
    #[error("message store {} has no keyspace {keyspace:?}", path.display())]
    MissingKeyspace {
        /// The directory.
        path: PathBuf,
        /// The keyspace's name.
        keyspace: &'static str,
    },
    /// The row that names the format isn't there.
    #[error("message store {} doesn't say which format it has", path.display())]
    NoFormat {
        /// The directory.
        path: PathBuf,
    },
    /// It was written by a later version of this program.
    #[error("message store {} has format {found}, this program knows format {known}", path.display())]
    UnknownFormat {
        /// The directory.
        path: PathBuf,
        /// The format that it has.
        found: u64,
        /// The format that this program knows.
        known: u64,
    },
    /// A journal was changed behind the database's back, or its disk has lost some of it.
    #[error("journal {} is damaged at byte {place}: acknowledged messages from there on would be lost; restore it, or go on without them: trunkline store cut {}", path.display(), store_of(path).display())]
    DamagedJournal {
        /// The journal.
        path: PathBuf,
        /// Where the first damaged commit begins.
        place: usize,
    },
    /// A file or directory can't be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database can't be opened.
    #[error("message store {}: {source}", path.display())]
    Database {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: DiskError,
    },
    /// A thread can't be started.
    #[error("no thread for the message store: {0}")]
    Thread(#[from] io::Error),
}

impl OpenError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn database<E: Into<DiskError>>(path: &Path) -> impl FnOnce(E) -> Self {
        |error| Self::Database {
            path: path.to_owned(),
            source: error.into(),
        }
    }
}

/// The store's directory, from the path of one of its journals.
fn store_of(journal: &Path) -> &Path {
    journal.ancestors().nth(2).unwrap_or(journal)
}

fn describe(holder: &str) -> String {
    if holder.is_empty() {
        String::new()
    } else {
        format!(" (pid {holder})")
    }
}
