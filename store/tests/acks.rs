//! Acknowledged means synced, as the kernel saw it: every append's answer comes after a sync of what it wrote.
//!
//! The child is this test's own executable, told by its environment to be one; it says each answer on its standard
//! output. A store that doesn't sync must be found out by the same checker.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../tests/harness/strace/mod.rs"]
mod strace;
mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;

use bytes::Bytes;
use strace::Strace;
use strace::check::{Ack, Unkept, check, told};
use strace::trace::Call;
use support::{block_on, open};
use tempfile::TempDir;
use trunkline_shared::Payload;
use trunkline_store::EmbeddedStore;
use trunkline_store::embedded::Options;
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{AppendOutcome, Claimed, MessageStore, SlotPart};

const DIRECTORY: &str = "TRUNKLINE_TEST_STORE";
const WITHOUT_SYNC: &str = "TRUNKLINE_TEST_WITHOUT_SYNC";
const CHANNELS: u16 = 8;
const APPENDS: u64 = 50;

/// Slow enough that appends wait together, on any disk.
const SLOW_SYNC: &str = "fdatasync:delay_enter=2000";

#[test]
fn every_ack_comes_after_a_sync_of_what_was_appended() {
    let Some((calls, acks)) = trace_child(&[]) else {
        return;
    };
    let syncs = check(&calls, &acks).unwrap();
    let different: BTreeSet<_> = syncs.iter().collect();
    assert!(
        different.len() * 2 < acks.len(),
        "{} acks of {} syncs: no batches",
        acks.len(),
        different.len()
    );
}

#[test]
fn a_store_that_does_not_sync_is_found_out() {
    let Some((calls, acks)) = trace_child(&[WITHOUT_SYNC]) else {
        return;
    };
    for ack in acks {
        let found = check(&calls, std::slice::from_ref(&ack));
        // Closing the store syncs, so that most are only late.
        assert!(
            matches!(
                found,
                Err(Unkept::NotSynced { .. } | Unkept::SyncedLater { .. })
            ),
            "{ack:?}: {found:?}"
        );
    }
}

/// What a child did, and what it said was stored; `None` without strace.
fn trace_child(flags: &[&str]) -> Option<(Vec<Call>, Vec<Ack>)> {
    let directory = TempDir::new().unwrap();
    let strace = Strace::to(directory.path().join("trace"))?.injecting(SLOW_SYNC);
    let mut child = strace
        .command(&std::env::current_exe().unwrap())
        .args(["child_that_appends", "--exact", "--nocapture"])
        .env(DIRECTORY, directory.path().join("store"))
        .envs(flags.iter().map(|flag| (flag, "1")))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id();
    assert!(child.wait().unwrap().success());
    let calls = strace.calls(pid);
    let acks = told(&calls);
    assert_eq!(acks.len() as u64, u64::from(CHANNELS) * APPENDS);
    Some((calls, acks))
}

#[test]
fn child_that_appends() {
    let Some(path) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let store = match std::env::var_os(WITHOUT_SYNC) {
        Some(_) => {
            EmbeddedStore::open_broken_without_sync(path.as_ref(), Options::default()).unwrap()
        }
        None => open(path.as_ref()),
    };
    std::thread::scope(|scope| {
        for number in 0..CHANNELS {
            let store = &store;
            scope.spawn(move || block_on(append_and_tell(store, number)));
        }
    });
}

async fn append_and_tell(store: &EmbeddedStore, number: u16) {
    let claimed = Sample(store).claim(number).await;
    for offset in 1..=APPENDS {
        let message = format!("<channel {number}, message {offset}>");
        let outcome = store.append(vec![part(claimed, offset, &message)]).await;
        assert_eq!(outcome, AppendOutcome::Committed { refused: vec![] });
        // One write, so that lines of threads don't mix.
        let line = format!("acked: {message}\n");
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    }
}

fn part(claimed: Claimed, offset: u64, message: &str) -> SlotPart {
    let mut append = make::messages("chat:1", offset - 1, 1);
    append.messages[0].publication.data = Payload::new(Bytes::from(message.to_owned()));
    make::part(claimed, vec![append])
}
