//! The behaviour suite over the embedded store.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use support::{block_on, open};
use tempfile::TempDir;
use trunkline_shared::UnixMillis;
use trunkline_store::EmbeddedStore;
use trunkline_store_core::suite::Harness;

struct Embedded {
    store: EmbeddedStore,
    directory: TempDir,
}

impl Harness for Embedded {
    type Store = EmbeddedStore;

    async fn open() -> Self {
        let directory = TempDir::new().unwrap();
        Self {
            store: open(directory.path()),
            directory,
        }
    }

    fn store(&self) -> &EmbeddedStore {
        &self.store
    }

    async fn reopen(self) -> Self {
        drop(self.store);
        Self {
            store: open(self.directory.path()),
            directory: self.directory,
        }
    }

    /// The files as they are while the store is open.
    async fn crash(self) -> Self {
        let directory = TempDir::new().unwrap();
        copy_directory(self.directory.path(), directory.path());
        Self {
            store: open(directory.path()),
            directory,
        }
    }

    /// The machine's.
    async fn clock(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        UnixMillis(u64::try_from(since.as_millis()).unwrap())
    }

    async fn forget_heads(&self, untouched_since: UnixMillis) {
        self.store.forget_heads(untouched_since).await.unwrap();
    }
}

fn copy_directory(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

trunkline_store_core::store_suite!(Embedded, block_on);
