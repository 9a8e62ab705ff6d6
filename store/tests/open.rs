//! What is said of a directory that can't be opened, and what is repaired in silence.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use support::{block_on, open};
use tempfile::TempDir;
use trunkline_store::EmbeddedStore;
use trunkline_store::embedded::{OpenError, Options};
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{MessageStore, StoreError};

fn open_error(path: &Path) -> OpenError {
    EmbeddedStore::open(path, Options::default()).unwrap_err()
}

/// Changes a row of a store that isn't open.
fn put(path: &Path, keyspace: &str, key: &[u8], value: &[u8]) {
    let database = Database::builder(path.join("data")).open().unwrap();
    let rows = database
        .keyspace(keyspace, KeyspaceCreateOptions::default)
        .unwrap();
    rows.insert(key, value).unwrap();
    database.persist(PersistMode::SyncAll).unwrap();
}

#[test]
fn a_directory_in_use_names_its_holder() {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    let error = open_error(directory.path());
    let expected = format!("is used by another process (pid {})", std::process::id());
    assert!(error.to_string().ends_with(&expected), "{error}");
    drop(store);
    open(directory.path());
}

#[test]
fn parents_are_made_and_the_birth_is_kept() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a/b/store");
    let birth = open(&path).birth();
    assert!(birth.as_secs() > 1_700_000_000);
    assert_eq!(open(&path).birth(), birth);
}

#[test]
fn a_database_that_was_half_made_is_made_anew() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("data.new")).unwrap();
    fs::write(directory.path().join("data.new/0.jnl"), "half").unwrap();
    open(directory.path());
    assert!(!directory.path().join("data.new").exists());
}

#[test]
fn a_later_format_is_refused() {
    let directory = TempDir::new().unwrap();
    open(directory.path());
    // Version byte, the number 4, checksum.
    let mut value = vec![1, 0, 0, 0, 0, 0, 0, 0, 4];
    value.extend_from_slice(&crc32fast::hash(&value).to_be_bytes());
    put(directory.path(), "format", b"format", &value);
    let error = open_error(directory.path());
    assert!(
        matches!(
            error,
            OpenError::UnknownFormat {
                found: 4,
                known: 3,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn somebody_elses_database_is_refused() {
    let directory = TempDir::new().unwrap();
    put(directory.path(), "songs", b"a", b"b");
    let error = open_error(directory.path());
    assert!(
        matches!(
            error,
            OpenError::MissingKeyspace {
                keyspace: "format",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_store_without_its_format_row_is_refused() {
    let directory = TempDir::new().unwrap();
    put(directory.path(), "format", b"a", b"b");
    let error = open_error(directory.path());
    assert!(matches!(error, OpenError::NoFormat { .. }), "{error}");
}

#[test]
fn a_store_that_lacks_a_keyspace_is_refused() {
    let directory = TempDir::new().unwrap();
    open(directory.path());
    let database = Database::builder(directory.path().join("data"))
        .open()
        .unwrap();
    let heads = database
        .keyspace("heads", KeyspaceCreateOptions::default)
        .unwrap();
    database.delete_keyspace(heads).unwrap();
    drop(database);
    let error = open_error(directory.path());
    assert!(
        matches!(
            error,
            OpenError::MissingKeyspace {
                keyspace: "heads",
                ..
            }
        ),
        "{error}"
    );
}

/// Files of the database but its journals.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_none_or(|end| end != "jnl") {
            found.push(path);
        }
    }
    found
}

/// A store with some messages; half of its file of this number, in the order of names, is cut off. `None` where it has
/// fewer files.
fn with_half_a_file(number: usize) -> Option<TempDir> {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    block_on(async {
        let claimed = Sample(&store).claim(258).await;
        Sample(&store).append(claimed, "chat:1", 0, 3).await;
    });
    drop(store);
    let mut files = files(&directory.path().join("data"));
    files.sort();
    let file = files.get(number)?;
    let whole = fs::read(file).unwrap();
    fs::write(file, &whole[..whole.len() / 2]).unwrap();
    Some(directory)
}

#[test]
fn a_damaged_file_of_the_database_is_told_in_words() {
    let mut told = 0;
    for directory in (0..).map_while(with_half_a_file) {
        if let Err(error) = EmbeddedStore::open(directory.path(), Options::default()) {
            let expected = format!(
                "message store {}: its tables, or the list of them, are damaged: put a backup back",
                directory.path().join("data").display()
            );
            let text = error.to_string();
            assert!(text.starts_with(&expected), "{text}");
            told += 1;
        }
    }
    assert!(told > 0);
}

#[test]
fn a_damaged_value_is_an_error_that_names_its_key() {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    let claimed = block_on(Sample(&store).claim(258));
    drop(store);
    put(directory.path(), "heads", b"\x01\x02\x01a", b"damage");
    let store = open(directory.path());
    let expected = "damaged value in heads, channel a, slot 258: checksum doesn't fit".to_owned();
    let heads = block_on(store.heads(vec![(claimed.slot, make::channel("a"))]));
    assert_eq!(heads, Err(StoreError::Data(expected)));
    assert_eq!(store.stats().damage_met, 1);
    block_on(Sample(&store).append(claimed, "b", 0, 1));
}
