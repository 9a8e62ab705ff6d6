//! A damaged journal that is cut where its damage begins: what stood before it is kept, under new epochs.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{block_on, open};
use tempfile::TempDir;
use trunkline_shared::UnixMillis;
use trunkline_store::embedded::OpenError;
use trunkline_store::embedded::offline::{OfflineStore, cut};
use trunkline_store_core::suite::Sample;
use trunkline_store_core::{Claimed, MessageStore};

/// A store with a commit of three messages and one of two, its slot's claim and its birth.
struct Filled {
    directory: TempDir,
    claimed: Claimed,
    birth: UnixMillis,
}

impl Filled {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let store = open(directory.path());
        let claimed = block_on(async {
            let sample = Sample(&store);
            let claimed = sample.claim(258).await;
            sample.append(claimed, "chat:1", 0, 3).await;
            sample.append(claimed, "chat:1", 3, 2).await;
            claimed
        });
        let birth = store.birth();
        drop(store);
        Self {
            directory,
            claimed,
            birth,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn journals(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.path().join("data")).unwrap().flatten();
        let paths = files.map(|file| file.path());
        paths
            .filter(|path| path.extension().is_some_and(|end| end == "jnl"))
            .collect()
    }

    /// Changes a byte of the last commit; returns the journal with what it holds now.
    fn damage(&self) -> (PathBuf, Vec<u8>) {
        let journal = self.journals().remove(0);
        let mut bytes = fs::read(&journal).unwrap();
        let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[last - 30] ^= 0xff;
        fs::write(&journal, &bytes).unwrap();
        (journal, bytes)
    }

    /// The store has three messages, and nobody can take its numbering for the one of before.
    #[track_caller]
    fn expect_new_epochs(&self) {
        let store = open(self.path());
        assert!(store.birth() > self.birth);
        let again = block_on(Sample(&store).claim(258));
        assert!(again.generation > self.claimed.generation);
        assert_ne!(again.epoch, self.claimed.epoch);
        assert_eq!(block_on(Sample(&store).head(258, "chat:1")).offset.0, 3);
    }
}

#[test]
fn a_damaged_store_is_refused_with_the_command_that_cuts_it() {
    let filled = Filled::new();
    filled.damage();
    let error = OfflineStore::open(filled.path()).unwrap_err().to_string();
    let command = format!("trunkline store cut {}", filled.path().display());
    assert!(error.ends_with(&command), "{error}");
}

#[test]
fn a_cut_begins_new_epochs_and_puts_aside_what_was_cut_off() {
    let filled = Filled::new();
    let (journal, damaged) = filled.damage();
    let done = cut(filled.path()).unwrap().unwrap();
    assert_eq!(done.journal, journal);
    let aside = done.aside.join(journal.file_name().unwrap());
    assert!(fs::read(aside).unwrap() == damaged);
    filled.expect_new_epochs();
}

#[test]
fn journals_behind_a_cut_are_put_aside_too() {
    let filled = Filled::new();
    let (journal, _) = filled.damage();
    let later = journal.with_file_name("9.jnl");
    fs::copy(&journal, &later).unwrap();
    let done = cut(filled.path()).unwrap().unwrap();
    assert_eq!((&done.journal, later.exists()), (&journal, false));
    assert!(done.aside.join("9.jnl").exists());
    filled.expect_new_epochs();
}

#[test]
fn whoever_opens_a_store_that_a_crash_left_cut_begins_the_new_epochs() {
    let filled = Filled::new();
    let (journal, damaged) = filled.damage();
    let Err(OpenError::DamagedJournal { place, .. }) = OfflineStore::open(filled.path()) else {
        panic!("it is damaged");
    };
    // What `cut` has done before it opens the database.
    fs::write(filled.path().join("new-epochs-due"), "").unwrap();
    fs::write(&journal, &damaged[..place]).unwrap();
    filled.expect_new_epochs();
    let birth = open(filled.path()).birth();
    assert_eq!(birth, open(filled.path()).birth(), "once is enough");
}

#[test]
fn nothing_is_cut_off_a_whole_journal() {
    let filled = Filled::new();
    assert!(cut(filled.path()).unwrap().is_none());
    let store = open(filled.path());
    assert_eq!(store.birth(), filled.birth);
    assert_eq!(block_on(Sample(&store).head(258, "chat:1")).offset.0, 5);
}
