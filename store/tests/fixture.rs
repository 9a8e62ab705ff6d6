//! A store written by version 1 of the format is opened and read, forever.
//!
//! The directory is kept as one text file, a line per file: its path and its bytes in hex. Run with
//! `TRUNKLINE_REGENERATE=1` to write it anew, which only a new version of the format may ask for.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use support::{block_on, open};
use tempfile::TempDir;
use trunkline_shared::{Epoch, Offset};
use trunkline_store::EmbeddedStore;
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{
    Claimed, FloorRequest, Found, Generation, Head, MessageStore, ViewChange,
};

const FIXTURE: &str = "tests/fixture/v1.txt";

#[test]
fn a_store_of_version_1_is_read() {
    if std::env::var_os("TRUNKLINE_REGENERATE").is_some() {
        write_fixture();
    }
    let directory = TempDir::new().unwrap();
    unpack(&fs::read_to_string(FIXTURE).unwrap(), directory.path());
    block_on(check(&open(directory.path())));
}

async fn check(store: &EmbeddedStore) {
    let sample = Sample(store);
    assert_eq!(store.view().await, Ok(Some(make::ring_view(1))));
    assert_eq!(
        sample.head(258, "chat:1").await,
        Head {
            offset: Offset(20),
            floor: Offset(5)
        }
    );
    let all = sample
        .range(make::offsets(make::slot(258), "chat:1", 1, 20))
        .await;
    assert_eq!(all, (6..=20).map(make::message).collect::<Vec<_>>());
    let found = Found {
        id: make::id(7),
        channel: make::channel("chat:1"),
        offset: Offset(7),
    };
    assert_eq!(
        store.find(vec![(make::slot(258), make::id(7))]).await,
        Ok(vec![found])
    );
    let claimed = sample.claim(258).await;
    assert_eq!((claimed.generation, claimed.epoch), (Generation(2), EPOCH));
    assert_eq!(store.birth().0, BIRTH);
    sample.append(claimed, "chat:1", 20, 1).await;
}

/// As they were drawn when the fixture was written.
const EPOCH: Epoch = Epoch::new(0xf9dd_9e87_3f74_4079);
const BIRTH: u64 = 1_795_494_202_887;

fn write_fixture() {
    let directory = TempDir::new().unwrap();
    let claimed = block_on(fill(&open(directory.path())));
    // Opening cuts the journal to what is in it.
    let birth = open(directory.path()).birth().0;
    let mut text = String::new();
    pack(directory.path(), "", &mut text);
    fs::write(FIXTURE, text).unwrap();
    panic!(
        "written; now put epoch {:#x} and birth {birth} into this test",
        claimed.epoch.id
    );
}

async fn fill(store: &EmbeddedStore) -> Claimed {
    let sample = Sample(store);
    let claimed = sample.claim(258).await;
    sample.append(claimed, "chat:1", 0, 20).await;
    let (slot, generation) = (claimed.slot, claimed.generation);
    let request = FloorRequest {
        slot,
        generation,
        channel: make::channel("chat:1"),
        floor: Offset(5),
    };
    store.raise_floor(request).await.unwrap();
    store
        .change_view(ViewChange {
            expected: None,
            view: make::ring_view(1),
        })
        .await
        .unwrap();
    claimed
}

fn pack(directory: &Path, prefix: &str, text: &mut String) {
    let mut entries: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            writeln!(text, "{path}/").unwrap();
            pack(&entry.path(), &format!("{path}/"), text);
        } else {
            writeln!(
                text,
                "{path} {}",
                hex::encode(fs::read(entry.path()).unwrap())
            )
            .unwrap();
        }
    }
}

fn unpack(text: &str, directory: &Path) {
    for line in text.lines() {
        match line.split_once(' ') {
            Some((path, bytes)) => {
                fs::write(directory.join(path), hex::decode(bytes).unwrap()).unwrap()
            }
            None => fs::create_dir(directory.join(line)).unwrap(),
        }
    }
}
