//! A store that a node must not use: one clear line, exit 1.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::papers::make_certificates;
use crate::harness::{api, terminate, trunkline, wait_until};
use crate::rig::{Rig, node_config};

/// Starts a node that must refuse; returns its one line.
#[track_caller]
fn refusal(dir: &Path) -> String {
    let (config, ready) = (dir.join("refused.toml"), dir.join("refused.json"));
    fs::write(&config, node_config(dir)).expect("written");
    let mut node = trunkline()
        .args([
            "backbone",
            "--set",
            "log.filter=off",
            "--exit-with-parent",
            "--ready-file",
        ])
        .arg(&ready)
        .arg("--config")
        .arg(config)
        .stderr(Stdio::piped())
        .spawn()
        .expect("trunkline starts");
    let status = wait_until("a refusal", || {
        if ready.exists() {
            terminate(&mut node);
            panic!("it started");
        }
        node.try_wait().expect("it can be asked")
    });
    let mut text = String::new();
    let mut stderr = node.stderr.take().expect("piped");
    stderr.read_to_string(&mut text).expect("text");
    assert_eq!(status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    text
}

/// A directory with certificates and a store that holds some messages, its node killed.
fn used() -> TempDir {
    let rig = Rig::start();
    for number in 0..20 {
        let body = json!({ "channel": "chat:1", "data": { "number": number } });
        assert!(api(&rig.listen(), "publish", &body)["result"]["offset"].is_u64());
    }
    let Rig { edge, node, dir } = rig;
    drop(edge);
    node.kill();
    dir
}

fn database(dir: &Path) -> Database {
    Database::builder(dir.join("store/data"))
        .open()
        .expect("a database")
}

fn journal(dir: &Path) -> PathBuf {
    let files = fs::read_dir(dir.join("store/data"))
        .expect("a database")
        .flatten();
    let mut journals = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "jnl"));
    journals.next().expect("a journal")
}

#[test]
fn a_second_process_on_a_store_is_refused_and_the_first_goes_on() {
    let rig = Rig::start();
    let line = refusal(rig.dir.path());
    let expected = format!("is used by another process (pid {})", rig.node.id());
    assert!(line.contains(&expected), "{line}");
    rig.goes_on();
}

#[test]
fn a_store_without_a_keyspace_is_refused() {
    let dir = used();
    let database = database(dir.path());
    let heads = database
        .keyspace("heads", KeyspaceCreateOptions::default)
        .expect("a keyspace");
    database.delete_keyspace(heads).expect("deleted");
    drop(database);
    let line = refusal(dir.path());
    assert!(line.contains("has no keyspace \"heads\""), "{line}");
}

#[test]
fn a_store_of_a_later_format_is_refused() {
    let dir = used();
    let database = database(dir.path());
    let format = database
        .keyspace("format", KeyspaceCreateOptions::default)
        .expect("a keyspace");
    // Version byte, the number 4, checksum.
    let mut value = vec![1, 0, 0, 0, 0, 0, 0, 0, 4];
    value.extend_from_slice(&crc32fast::hash(&value).to_be_bytes());
    format.insert(b"format", value).expect("written");
    database.persist(PersistMode::SyncAll).expect("written");
    drop((format, database));
    let line = refusal(dir.path());
    assert!(
        line.contains("has format 4, this program knows format 3"),
        "{line}"
    );
}

#[test]
fn a_flipped_byte_in_the_journal_is_told_and_nothing_is_dropped_in_silence() {
    let dir = used();
    let journal = journal(dir.path());
    let whole = fs::read(&journal).expect("a journal");
    let end = whole
        .iter()
        .rposition(|byte| *byte != 0)
        .expect("something is in it");
    // Places in its first half, where no torn end is thought of; the store's own tests try each place.
    for place in (0..end / 2).step_by(end / 2 / 12) {
        let mut flipped = whole.clone();
        flipped[place] ^= 0xff;
        fs::write(&journal, &flipped).expect("written");
        let line = refusal(dir.path());
        let advice = format!("trunkline store cut {}", dir.path().join("store").display());
        assert!(
            line.contains("is damaged") && line.contains(&advice),
            "byte {place} of {end}: {line}"
        );
        assert!(
            fs::read(&journal).expect("a journal") == flipped,
            "nothing is cut off or repaired"
        );
    }
    fs::write(&journal, whole).expect("written");
    let rig = Rig::start_in(dir);
    let body = json!({ "channel": "chat:1", "limit": 100 });
    let kept = api(&rig.listen(), "history", &body);
    let kept = kept["result"]["publications"].as_array().expect("messages");
    let numbers = kept
        .iter()
        .filter_map(|message| message["data"]["number"].as_u64());
    assert!(numbers.eq(0..20), "{kept:?}");
}

#[test]
fn files_of_something_else_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
    fs::create_dir_all(dir.path().join("store/data")).expect("made");
    fs::write(
        dir.path().join("store/data/0.jnl"),
        "not a journal, long enough to be read as one",
    )
    .expect("written");
    refusal(dir.path());
    fs::remove_dir_all(dir.path().join("store")).expect("removed");
    fs::write(dir.path().join("store"), "a file").expect("written");
    refusal(dir.path());
}
