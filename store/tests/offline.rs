//! A store that no node uses: checked, written out, read in, given new epochs.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use serde_json::Value;
use support::{block_on, open};
use tempfile::TempDir;
use trunkline_shared::{Epoch, Offset, UnixMillis};
use trunkline_store::embedded::OpenError;
use trunkline_store::embedded::offline::{Counts, ImportError, OfflineStore, import};
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{
    AppendOutcome, Claimed, FindRequest, FloorRequest, Generation, Head, MessageStore,
};

/// A store with 20 messages in one slot, of which 5 are below the floor, and 3 in another, the last one with a key.
fn filled() -> (TempDir, Claimed) {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    let claimed = block_on(async {
        let sample = Sample(&store);
        let claimed = sample.claim(258).await;
        sample.append(claimed, "chat:1", 0, 20).await;
        let other = sample.claim(7).await;
        sample.append(other, "chat:a\0b", 0, 2).await;
        let keyed = make::part(other, vec![make::keyed("chat:a\0b", 2, KEY)]);
        let outcome = store.append(vec![keyed]).await;
        assert_eq!(outcome, AppendOutcome::Committed { refused: vec![] });
        let floor = FloorRequest {
            slot: claimed.slot,
            generation: claimed.generation,
            channel: make::channel("chat:1"),
            floor: Offset(5),
        };
        store.raise_floor(floor).await.unwrap();
        claimed
    });
    (directory, claimed)
}

/// No text, so that an export has to write it in base64.
const KEY: &[u8] = b"\xff\0";

/// Removes a row of a store that isn't open, or puts one.
fn change(path: &Path, keyspace: &str, key: &[u8], value: Option<&[u8]>) {
    let database = Database::builder(path.join("data")).open().unwrap();
    let rows = database
        .keyspace(keyspace, KeyspaceCreateOptions::default)
        .unwrap();
    match value {
        Some(value) => rows.insert(key, value).unwrap(),
        None => rows.remove(key).unwrap(),
    }
    database.persist(PersistMode::SyncAll).unwrap();
}

fn message_key(offset: u64) -> Vec<u8> {
    [b"\x01\x02\x06chat:1", &offset.to_be_bytes()[..]].concat()
}

/// An idempotency key's row: version byte, offset, times, checksum.
fn key_of_message(offset: u64) -> Vec<u8> {
    let mut value = [&[1][..], &offset.to_be_bytes(), &[0; 16]].concat();
    value.extend_from_slice(&crc32fast::hash(&value).to_be_bytes());
    value
}

fn check(path: &Path) -> (Counts, Vec<String>) {
    let mut findings = Vec::new();
    let store = OfflineStore::open(path).unwrap();
    let counts = store.check(&mut |finding| findings.push(finding.to_string()));
    (counts, findings)
}

fn export(path: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    OfflineStore::open(path).unwrap().export(&mut out).unwrap();
    out
}

/// The lines of an export that tell of channels, which no import changes.
fn of_channels(export: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(export).unwrap().lines();
    lines
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| {
            ["head", "message", "idempotency_key"]
                .iter()
                .any(|kind| line.get(kind).is_some())
        })
        .collect()
}

#[test]
fn a_whole_store_has_no_findings() {
    let (directory, _) = filled();
    let counts = Counts {
        slots: 2,
        heads: 2,
        messages: 23,
        publish_ids: 23,
        idempotency_keys: 1,
        users_seen: 0,
    };
    assert_eq!(check(directory.path()), (counts, vec![]));
}

#[test]
fn a_store_in_use_is_not_looked_at() {
    let (directory, _) = filled();
    let _node = open(directory.path());
    let error = OfflineStore::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
}

#[test]
fn a_store_that_is_not_there_is_not_made() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("store");
    let error = OfflineStore::open(&path).unwrap_err();
    assert!(error.to_string().ends_with("holds no message store"));
    assert!(!path.exists());
}

/// A keyspace, a key in it, what is written there (or removed), and what is said of it.
type Damage = (&'static str, Vec<u8>, Option<Vec<u8>>, &'static str);

#[test]
fn each_damage_is_named() {
    let damages: [Damage; 7] = [
        (
            "messages",
            message_key(9),
            Some(b"damage".to_vec()),
            "damaged value in messages, channel chat:1, slot 258, offset 9: checksum doesn't fit",
        ),
        (
            "messages",
            message_key(9),
            None,
            "channel chat:1: message 8 is followed by 10",
        ),
        (
            "messages",
            message_key(20),
            None,
            "channel chat:1: the head is 20, the newest message 19",
        ),
        (
            "heads",
            b"\x01\x02\x06chat:1".to_vec(),
            None,
            "channel chat:1: the head is 0, the newest message 20",
        ),
        (
            "slots",
            b"\x01\x02".to_vec(),
            None,
            "channel chat:1: its slot 258 was never claimed",
        ),
        (
            "publish_ids",
            [&b"\x01\x02"[..], &[7; 16], &9u64.to_be_bytes()].concat(),
            None,
            "channel chat:1: the publish id of message 9 names nothing",
        ),
        (
            "idempotency_keys",
            b"\x01\x02\x06chat:1key".to_vec(),
            Some(key_of_message(21)),
            "channel chat:1: an idempotency key names message 21, the head is 20",
        ),
    ];
    for (keyspace, key, value, expected) in damages {
        let (directory, _) = filled();
        change(directory.path(), keyspace, &key, value.as_deref());
        let (_, findings) = check(directory.path());
        assert!(
            findings.iter().any(|finding| finding == expected),
            "{findings:?}"
        );
    }
}

#[test]
fn messages_that_retention_freed_are_no_finding() {
    let (directory, _) = filled();
    for offset in 1..=5 {
        change(directory.path(), "messages", &message_key(offset), None);
    }
    assert_eq!(check(directory.path()).1, Vec::<String>::new());
}

#[test]
fn an_import_has_the_messages_of_its_export_under_new_epochs() {
    let (directory, claimed) = filled();
    let birth = open(directory.path()).birth();
    let exported = export(directory.path());
    let copy = TempDir::new().unwrap();
    let counts = import(copy.path(), &exported[..]).unwrap();
    assert_eq!((counts.slots, counts.messages), (2, 23));
    assert_eq!(of_channels(&export(copy.path())), of_channels(&exported));
    let store = open(copy.path());
    assert!(store.birth() > birth);
    let again = block_on(Sample(&store).claim(258));
    assert_eq!(again.generation, Generation(claimed.generation.0 + 2));
    assert_ne!(again.epoch, claimed.epoch);
    let all = make::offsets(claimed.slot, "chat:1", 1, 20);
    let expected: Vec<_> = (6..=20).map(make::message).collect();
    assert_eq!(block_on(Sample(&store).range(all)), expected);
    let asked = FindRequest {
        ids: vec![(claimed.slot, make::id(7))],
        ..make::keys_of(make::slot(7), "chat:a\0b", &[KEY])
    };
    let found = block_on(store.find(asked)).unwrap();
    assert_eq!((found.ids.len(), found.keys[0].offset), (1, Offset(3)));
}

#[test]
fn json_stands_in_an_export_as_it_is_and_other_bytes_in_base64() {
    let directory = TempDir::new().unwrap();
    let contents: [&[u8]; 4] = [b"{\"text\": \"hi\"}", b"{\n}", b" 1", b"\xff\0"];
    {
        let store = open(directory.path());
        let sample = Sample(&store);
        let claimed = block_on(sample.claim(1));
        let mut append = make::messages("chat:1", 0, 4);
        for (message, content) in append.messages.iter_mut().zip(contents) {
            message.publication.data = bytes::Bytes::copy_from_slice(content).into();
        }
        block_on(store.append(vec![make::part(claimed, vec![append])]));
    }
    let exported = export(directory.path());
    let lines = of_channels(&exported);
    let data: Vec<_> = lines
        .iter()
        .filter_map(|line| {
            line.get("message")
                .map(|message| message["data"].to_string())
        })
        .collect();
    assert_eq!(data[0], r#"{"json":{"text":"hi"}}"#);
    assert!(
        data[1..]
            .iter()
            .all(|data| data.starts_with(r#"{"base64":"#))
    );
    let copy = TempDir::new().unwrap();
    import(copy.path(), &exported[..]).unwrap();
    let store = open(copy.path());
    let read = block_on(Sample(&store).range(make::offsets(make::slot(1), "chat:1", 1, 4)));
    let read: Vec<_> = read
        .iter()
        .map(|message| message.publication.data.bytes())
        .collect();
    assert_eq!(read, contents);
}

#[test]
fn an_export_that_is_not_whole_makes_no_store() {
    let (directory, _) = filled();
    let exported = String::from_utf8(export(directory.path())).unwrap();
    let lines: Vec<_> = exported.lines().collect();
    let without = |skipped: usize| {
        let kept = lines
            .iter()
            .enumerate()
            .filter(|(number, _)| *number != skipped);
        kept.map(|(_, line)| format!("{line}\n"))
            .collect::<String>()
    };
    let cut = &exported[..exported.len() / 2];
    let cases = [
        (cut.to_owned(), "the export is cut short after line"),
        (String::new(), "the export is cut short after line 0"),
        (without(0), "line 1: an export begins with a header"),
        (without(10), "the export has 2 slots, 2 heads, 22 messages"),
        (exported.replace("\"offset\":9,", "\"offset\":x,"), "line "),
        (
            exported.replace("\"version\":3", "\"version\":4"),
            "line 1: the export has version 4, this program knows versions 1 to 3",
        ),
        (
            without(10).replace("\"messages\":23", "\"messages\":22"),
            "the export doesn't agree with itself: channel chat:1: message ",
        ),
    ];
    for (text, expected) in cases {
        let copy = TempDir::new().unwrap();
        let error = import(copy.path(), text.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(!copy.path().join("data").exists());
    }
}

/// A line of an export as an older version wrote it.
fn of_before(line: &str) -> String {
    let mut line: Value = serde_json::from_str(line).unwrap();
    for (row, field) in [("slot", "mark"), ("head", "touched")] {
        if let Some(row) = line.get_mut(row) {
            assert!(row.as_object_mut().unwrap().remove(field).is_some());
        }
    }
    format!("{line}\n")
}

#[test]
fn exports_of_version_2_which_have_no_marks_are_read() {
    let (directory, _) = filled();
    let exported = String::from_utf8(export(directory.path())).unwrap();
    let old = exported.replace("\"version\":3", "\"version\":2");
    let old: String = old.lines().map(of_before).collect();
    let copy = TempDir::new().unwrap();
    let counts = import(copy.path(), old.as_bytes()).unwrap();
    assert_eq!((counts.heads, counts.idempotency_keys), (2, 1));
}

#[test]
fn a_mark_is_whole_and_goes_along_with_an_export() {
    let (directory, claimed) = filled();
    let store = open(directory.path());
    block_on(async {
        let sample = Sample(&store);
        let later = UnixMillis(u64::MAX);
        store.forget_heads(later).await.unwrap();
        assert_eq!(sample.head(258, "chat:1").await, Head::at_mark(Offset(20)));
        sample.append(claimed, "chat:2", 20, 2).await;
    });
    drop(store);
    let (counts, findings) = check(directory.path());
    assert_eq!(findings, Vec::<String>::new());
    assert_eq!(
        (counts.heads, counts.messages, counts.publish_ids),
        (1, 2, 2)
    );
    let copy = TempDir::new().unwrap();
    import(copy.path(), &export(directory.path())[..]).unwrap();
    let store = open(copy.path());
    let head = |slot, channel| block_on(Sample(&store).head(slot, channel));
    assert_eq!(head(258, "chat:1"), Head::at_mark(Offset(20)));
    assert_eq!(head(7, "chat:1"), Head::at_mark(Offset(3)));
    assert_eq!(
        (head(258, "chat:2").offset, head(258, "chat:2").floor),
        (Offset(22), Offset(20))
    );
}

#[test]
fn an_export_of_version_1_which_has_no_keys_is_read() {
    let (directory, _) = filled();
    let exported = String::from_utf8(export(directory.path())).unwrap();
    let old = exported
        .replace("\"version\":3", "\"version\":1")
        .replace(",\"keys\":1", "");
    let old: Vec<_> = old
        .lines()
        .filter(|line| !line.contains("idempotency_key"))
        .map(of_before)
        .collect();
    assert_eq!(old.len() + 1, exported.lines().count());
    let copy = TempDir::new().unwrap();
    let counts = import(copy.path(), old.concat().as_bytes()).unwrap();
    assert_eq!((counts.messages, counts.idempotency_keys), (23, 0));
}

#[test]
fn a_store_that_is_there_is_not_overwritten() {
    let (directory, _) = filled();
    let exported = export(directory.path());
    let error = import(directory.path(), &exported[..]).unwrap_err();
    assert!(matches!(error, ImportError::Occupied { .. }), "{error}");
    assert_eq!(check(directory.path()).0.messages, 23);
}

#[test]
fn new_epochs_fence_and_outrank_what_was_before() {
    let (directory, claimed) = filled();
    let birth = open(directory.path()).birth();
    let begun = OfflineStore::open(directory.path()).unwrap().begin_epochs();
    assert_eq!(begun.unwrap(), 2);
    assert_eq!(check(directory.path()).1, Vec::<String>::new());
    let store = open(directory.path());
    assert!(store.birth() > birth);
    let again = block_on(Sample(&store).claim(258));
    assert_eq!(again.generation, Generation(claimed.generation.0 + 2));
    assert!(again.epoch != claimed.epoch && again.epoch != Epoch::new(0));
    assert_eq!(block_on(Sample(&store).head(258, "chat:1")).offset.0, 20);
}
