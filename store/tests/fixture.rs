//! Stores written by each version of the format are opened, read and gone on with, forever.
//!
//! A directory is kept as one text file, a line per file: its path and its bytes in hex. Run with
//! `TRUNKLINE_REGENERATE=1` to write the newest one anew, which only a new version of the format may ask for.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use support::{block_on, open};
use tempfile::TempDir;
use trunkline_shared::{Epoch, Offset, UnixMillis};
use trunkline_store::EmbeddedStore;
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{
    AppendOutcome, Claimed, FindRequest, FloorRequest, Found, Generation, Head, MessageStore,
    ViewChange, ViewRow,
};

/// A store as it was written; epoch and birth as they were drawn then.
struct Fixture {
    file: &'static str,
    epoch: Epoch,
    birth: u64,
}

const V1: Fixture = Fixture {
    file: "tests/fixture/v1.txt",
    epoch: Epoch::new(0xf9dd_9e87_3f74_4079),
    birth: 1_795_494_202_887,
};

const V2: Fixture = Fixture {
    file: "tests/fixture/v2.txt",
    epoch: Epoch::new(0x44c6_6d32_8ca6_a018),
    birth: 1_795_544_255_199,
};

const V3: Fixture = Fixture {
    file: "tests/fixture/v3.txt",
    epoch: Epoch::new(0x117c_5e5d_6076_9ff0),
    birth: 1_795_560_483_258,
};

impl Fixture {
    fn unpack(&self) -> TempDir {
        let directory = TempDir::new().unwrap();
        unpack(&fs::read_to_string(self.file).unwrap(), directory.path());
        directory
    }
}

#[test]
fn a_store_of_version_1_is_read_and_takes_keys_from_then_on() {
    let directory = V1.unpack();
    let claimed = block_on(check(&open(directory.path()), &V1));
    let store = open(directory.path());
    block_on(async {
        assert_eq!(Sample(&store).find_keys(key()).await, [0; 0]);
        let keyed = make::keyed("chat:1", 21, KEY);
        let outcome = store.append(vec![make::part(claimed, vec![keyed])]).await;
        assert_eq!(outcome, AppendOutcome::Committed { refused: vec![] });
    });
    drop(store);
    let store = open(directory.path());
    assert_eq!(block_on(Sample(&store).find_keys(key())), [22]);
}

#[test]
fn a_store_of_version_2_is_read_and_has_marks_from_then_on() {
    let directory = V2.unpack();
    let store = open(directory.path());
    assert_eq!(block_on(Sample(&store).find_keys(key())), [20]);
    block_on(check(&store, &V2));
    let stand = |channel| block_on(Sample(&store).head(258, channel));
    assert_eq!(stand("chat:2"), Head::default());
    block_on(store.forget_heads(UnixMillis(u64::MAX))).unwrap();
    assert_eq!(stand("chat:2"), Head::at_mark(Offset(21)));
}

#[test]
fn a_store_of_version_3_is_read() {
    if std::env::var_os("TRUNKLINE_REGENERATE").is_some() {
        write_fixture();
    }
    let directory = V3.unpack();
    let store = open(directory.path());
    assert_eq!(block_on(Sample(&store).find_keys(key())), [20]);
    let stand = block_on(Sample(&store).head(258, "chat:0"));
    assert_eq!(stand, Head::at_mark(Offset(2)));
    block_on(check(&store, &V3));
    block_on(take_rules(&store));
}

/// A store in which nobody wrote rules takes them beside its view.
async fn take_rules(store: &EmbeddedStore) {
    let rules = Some(Bytes::from_static(b"rules"));
    let view = make::ring_view(2);
    let change = ViewChange {
        expected: Some(make::view(1)),
        view: view.clone(),
        rules: rules.clone(),
    };
    assert_eq!(store.change_view(change).await, Ok(true));
    assert_eq!(store.view().await, Ok(Some(ViewRow { view, rules })));
}

const KEY: &[u8] = b"order 7";

fn key() -> FindRequest {
    make::keys_of(make::slot(258), "chat:1", &[KEY])
}

async fn check(store: &EmbeddedStore, fixture: &Fixture) -> Claimed {
    let sample = Sample(store);
    let (view, rules) = (make::ring_view(1), None);
    assert_eq!(store.view().await, Ok(Some(ViewRow { view, rules })));
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
    let asked = vec![(make::slot(258), make::id(7))];
    assert_eq!(sample.find(asked).await, [found]);
    let claimed = sample.claim(258).await;
    assert_eq!(claimed.generation, Generation(2));
    assert_eq!(claimed.epoch, fixture.epoch);
    assert_eq!(store.birth().0, fixture.birth);
    sample.append(claimed, "chat:1", 20, 1).await;
    claimed
}

fn write_fixture() {
    let directory = TempDir::new().unwrap();
    let claimed = block_on(fill(&open(directory.path())));
    // Opening cuts the journal to what is in it.
    let birth = open(directory.path()).birth().0;
    let mut text = String::new();
    pack(directory.path(), "", &mut text);
    fs::write(V3.file, text).unwrap();
    panic!(
        "written; now put epoch {:#x} and birth {birth} into this test",
        claimed.epoch.id
    );
}

async fn fill(store: &EmbeddedStore) -> Claimed {
    let sample = Sample(store);
    let claimed = sample.claim(258).await;
    sample.append(claimed, "chat:0", 0, 2).await;
    let since = later();
    sample.append(claimed, "chat:1", 0, 19).await;
    store.forget_heads(since).await.unwrap();
    let keyed = make::keyed("chat:1", 19, KEY);
    let outcome = store.append(vec![make::part(claimed, vec![keyed])]).await;
    assert_eq!(outcome, AppendOutcome::Committed { refused: vec![] });
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
            rules: None,
        })
        .await
        .unwrap();
    claimed
}

/// A moment after everything that was done so far.
fn later() -> UnixMillis {
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_millis()
    };
    let done = now();
    while now() == done {
        std::hint::spin_loop();
    }
    UnixMillis(now().try_into().unwrap())
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
