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

/// A channel of slot 258, and one of slot 7.
const CHAT: &str = "chat:21454";
const OTHER: &str = "chat:\x001738";

/// A store with 20 messages in one slot, of which 5 are below the floor, and 3 in another, the last one with a key.
fn filled() -> (TempDir, Claimed) {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    let claimed = block_on(async {
        let sample = Sample(&store);
        let claimed = sample.claim(258).await;
        sample.append(claimed, CHAT, 0, 20).await;
        let other = sample.claim(7).await;
        sample.append(other, OTHER, 0, 2).await;
        let keyed = make::part(other, vec![make::keyed(OTHER, 2, KEY)]);
        let outcome = store.append(vec![keyed]).await;
        assert_eq!(outcome, AppendOutcome::Committed { refused: vec![] });
        let floor = FloorRequest {
            slot: claimed.slot,
            generation: claimed.generation,
            channel: make::channel(CHAT),
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
    [b"\x01\x02\x0achat:21454", &offset.to_be_bytes()[..]].concat()
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
            "damaged value in messages, channel chat:21454, slot 258, offset 9: checksum doesn't fit",
        ),
        (
            "messages",
            message_key(9),
            None,
            "channel chat:21454: message 8 is followed by 10",
        ),
        (
            "messages",
            message_key(20),
            None,
            "channel chat:21454: the head is 20, the newest message 19",
        ),
        (
            "heads",
            b"\x01\x02\x0achat:21454".to_vec(),
            None,
            "channel chat:21454: the head is 0, the newest message 20",
        ),
        (
            "slots",
            b"\x01\x02".to_vec(),
            None,
            "channel chat:21454: its slot 258 was never claimed",
        ),
        (
            "publish_ids",
            [&b"\x01\x02"[..], &[7; 16], &9u64.to_be_bytes()].concat(),
            None,
            "channel chat:21454: the publish id of message 9 names nothing",
        ),
        (
            "idempotency_keys",
            b"\x01\x02\x0achat:21454key".to_vec(),
            Some(key_of_message(21)),
            "channel chat:21454: an idempotency key names message 21, the head is 20",
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
    let all = make::offsets(claimed.slot, CHAT, 1, 20);
    let expected: Vec<_> = (6..=20).map(make::message).collect();
    assert_eq!(block_on(Sample(&store).range(all)), expected);
    let asked = FindRequest {
        ids: vec![(claimed.slot, make::id(7))],
        ..make::keys_of(make::slot(7), OTHER, &[KEY])
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
        let claimed = block_on(sample.claim(258));
        let mut append = make::messages(CHAT, 0, 4);
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
    let read = block_on(Sample(&store).range(make::offsets(make::slot(258), CHAT, 1, 4)));
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
            exported.clone() + lines[9] + "\n",
            "line 31: it stands behind the end of the export",
        ),
        (
            exported.replace(lines[10], &[lines[10]; 2].join("\n")),
            "line 12: it stands twice, or out of the order of an export",
        ),
        (
            exported.replace("\"slot\":258,\"channel\"", "\"slot\":259,\"channel\""),
            "line 5: its slot is not that of its channel",
        ),
        (
            without(10).replace("\"messages\":23", "\"messages\":22"),
            "the export doesn't agree with itself: channel chat:21454: message ",
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
        assert_eq!(sample.head(258, CHAT).await, Head::at_mark(Offset(20)));
        sample.append(claimed, "chat:21971", 20, 2).await;
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
    assert_eq!(head(258, CHAT), Head::at_mark(Offset(20)));
    assert_eq!(head(7, CHAT), Head::at_mark(Offset(3)));
    assert_eq!(
        (
            head(258, "chat:21971").offset,
            head(258, "chat:21971").floor
        ),
        (Offset(22), Offset(20))
    );
}

/// An export with one message, whose fields are replaced.
fn imported_with(changes: &[(&str, &str)]) -> String {
    let lines = [
        r#"{"trunkline_store":{"version":2,"created":1,"birth":1}}"#,
        r#"{"slot":{"slot":258,"generation":1,"epoch":"0000000000000001","view":{"birth":1,"timeline":0,"number":1}}}"#,
        r#"{"head":{"slot":258,"channel":"chat:21454","offset":1,"floor":0}}"#,
        r#"{"message":{"slot":258,"channel":"chat:21454","offset":1,"edge":"07070707070707070707070707070707","counter":1,"time":1,"origin":"","entered_micros":0,"left_owner_micros":0,"info":{"user":"","client":"","conn_info":{"base64":""},"chan_info":{"base64":""}},"tags":[],"is_json":true,"data":{"json":7}}}"#,
        r#"{"end":{"slots":1,"heads":1,"messages":1,"keys":0}}"#,
    ];
    let mut text = lines.map(|line| format!("{line}\n")).concat();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let copy = TempDir::new().unwrap();
    match import(copy.path(), text.as_bytes()) {
        Ok(_) => "imported".to_owned(),
        Err(error) => {
            assert!(!copy.path().join("data").exists());
            error.to_string()
        }
    }
}

#[test]
fn what_could_not_have_been_published_is_not_imported() {
    let ahead = (std::time::SystemTime::now() + std::time::Duration::from_secs(2 * 86400))
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis()
        .to_string();
    let base64 = |bytes: usize| format!(r#"{{"base64":"{}"}}"#, "AAAA".repeat(bytes / 3));
    let json_data = r#"{"json":7}"#;
    let conn_info = r#""conn_info":{"base64":""}"#;
    let large_info = format!("\"conn_info\":{}", base64(4098));
    let tag = |count: usize| format!("\"tags\":[{}]", vec![r#"["a","b"]"#; count].join(","));
    let cases: [(&str, &str, &str); 14] = [
        ("", "", "imported"),
        (
            "\"birth\":1}}",
            &format!("\"birth\":{ahead}}}}}"),
            "line 1: birth is more than a day ahead of this machine's clock",
        ),
        (
            "{\"birth\":1,",
            "{\"birth\":2,",
            "line 2: view makes no sense",
        ),
        (
            "\"number\":1}",
            "\"number\":9223372036854775807}",
            "line 2: view makes no sense",
        ),
        (
            "\"generation\":1",
            "\"generation\":18446744073709551615",
            "line 2: generation makes no sense",
        ),
        (
            "\"offset\":1,\"floor\"",
            "\"offset\":18446744073709551615,\"floor\"",
            "line 3: offset makes no sense",
        ),
        (
            "\"time\":1",
            &format!("\"time\":{ahead}"),
            "line 4: time is more than a day ahead of this machine's clock",
        ),
        (
            json_data,
            r#"{"base64":"ew=="}"#,
            "line 4: data makes no sense",
        ),
        (
            json_data,
            r#"{"base64":"ewp9"}"#,
            "line 4: data makes no sense",
        ),
        (
            json_data,
            &base64(65_538),
            "line 4: data is larger than what can be published",
        ),
        (
            conn_info,
            &large_info,
            "line 4: conn_info is larger than what can be published",
        ),
        (
            "\"tags\":[]",
            &tag(17),
            "line 4: tags is larger than what can be published",
        ),
        ("\"tags\":[]", &tag(16), "imported"),
        (
            "\"slot\":258,\"channel\"",
            "\"slot\":1,\"channel\"",
            "line 3: its slot is not that of its channel, whatever the namespace's routing_segments",
        ),
    ];
    for (from, to, expected) in cases {
        let changes = [(from, to)];
        let changes = if from.is_empty() { &[][..] } else { &changes };
        assert_eq!(imported_with(changes), expected, "{to:.60}");
    }
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
    assert_eq!(block_on(Sample(&store).head(258, CHAT)).offset.0, 20);
}
