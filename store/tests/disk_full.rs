//! A disk that takes no more: appends are unknown, then the store is away, then it is back by itself with nothing lost.
//!
//! The disk is full by a limit on the size of files, in a child: this test's own executable, started by a shell that
//! makes it ignore the signal that such a limit sends.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::{block_on, open};
use tempfile::TempDir;
use trunkline_store::EmbeddedStore;
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{
    AppendOutcome, ClaimError, ClaimRequest, Claimed, MessageStore, StoreError,
};

const DIRECTORY: &str = "TRUNKLINE_TEST_STORE";

#[test]
fn a_full_disk_makes_appends_unknown_and_the_store_comes_back() {
    let directory = TempDir::new().unwrap();
    // Opened twice, so that the journal ends where its data end: what is appended makes it grow.
    for _ in 0..2 {
        block_on(Sample(&open(directory.path())).claim(6));
    }
    let status = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["child_with_a_full_disk", "--exact", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .status()
        .unwrap();
    assert!(status.success());
    let store = open(directory.path());
    assert_eq!(block_on(Sample(&store).head(5, "chat:1")).offset.0, 20);
}

#[test]
fn child_with_a_full_disk() {
    let Some(path) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let store = open(path.as_ref());
    block_on(run(&store, path.as_ref()));
}

async fn run(store: &EmbeddedStore, path: &Path) {
    let sample = Sample(store);
    let claimed = sample.claim(5).await;
    sample.append(claimed, "chat:1", 0, 10).await;
    limit_files(Some(journal_bytes(path) / 2));
    let lost = append(store, claimed, 10).await;
    assert!(matches!(lost, AppendOutcome::Unknown(_)), "{lost:?}");
    while store.heads(vec![]).await.is_ok() {}
    // Long enough for attempts to open it that fail.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(300) {
        let refused = append(store, claimed, 10).await;
        assert!(
            matches!(refused, AppendOutcome::Failed(StoreError::Away(_))),
            "{refused:?}"
        );
        let heads = store.heads(vec![]).await;
        assert!(matches!(heads, Err(StoreError::Away(_))), "{heads:?}");
    }
    limit_files(None);
    let claimed = claim_until_it_is_back(store).await;
    let head = sample.head(5, "chat:1").await.offset.0;
    assert!(head == 10 || head == 20, "whole or not at all: {head}");
    if head == 10 {
        sample.append(claimed, "chat:1", 10, 10).await;
    }
    let stats = store.stats();
    assert_eq!(
        (stats.commits_failed, stats.calls_unknown, stats.reopenings),
        (1, 1, 1)
    );
    assert!(stats.writes_refused_away > 0);
}

async fn append(store: &EmbeddedStore, claimed: Claimed, follows: u64) -> AppendOutcome {
    store
        .append(vec![make::part(
            claimed,
            vec![make::messages("chat:1", follows, 10)],
        )])
        .await
}

async fn claim_until_it_is_back(store: &EmbeddedStore) -> Claimed {
    loop {
        let request = ClaimRequest {
            view: make::view(1),
            slots: vec![(make::slot(5), false)],
        };
        match store.claim(request).await {
            Ok(claimed) => return claimed[0],
            Err(ClaimError::Store(StoreError::Away(_))) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

fn journal_bytes(path: &Path) -> u64 {
    let files = fs::read_dir(path.join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let journals = files.filter(|path| path.extension().is_some_and(|ending| ending == "jnl"));
    journals
        .map(|path| fs::metadata(path).unwrap().len())
        .max()
        .unwrap()
}

fn limit_files(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(
        Resource::Fsize,
        Rlimit {
            current: bytes,
            maximum,
        },
    )
    .unwrap();
}
