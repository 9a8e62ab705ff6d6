//! Death by SIGKILL: what a process said it had stored is there.
//!
//! The child is this test's own executable, told by its environment to be one.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use support::{block_on, open};
use tempfile::TempDir;
use trunkline_store::EmbeddedStore;
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{Generation, RangeRequest};

const DIRECTORY: &str = "TRUNKLINE_TEST_STORE";
const CHANNELS: u16 = 8;
const LINES_BEFORE_DEATH: usize = 400;

#[test]
fn what_was_acknowledged_before_sigkill_is_there() {
    let directory = TempDir::new().unwrap();
    let mut acked = [0; CHANNELS as usize];
    for life in 1..=3 {
        let lines = run_child_until_killed(&directory);
        for (slot, offset) in lines.iter().filter_map(|line| line.split_once(' ')) {
            acked[slot.parse::<usize>().unwrap()] = offset.parse().unwrap();
        }
        check(&directory, &acked, life);
    }
}

fn run_child_until_killed(directory: &TempDir) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "child_that_appends_until_it_is_killed",
            "--exact",
            "--nocapture",
        ])
        .env(DIRECTORY, directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    // The test harness prints lines of its own first.
    let is_ack =
        |line: &String| line.split(' ').all(|word| word.parse::<u64>().is_ok()) && !line.is_empty();
    let mut acks: Vec<_> = lines
        .by_ref()
        .filter(is_ack)
        .take(LINES_BEFORE_DEATH)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    acks.extend(lines.filter(is_ack));
    assert!(
        acks.len() >= LINES_BEFORE_DEATH,
        "the child ended by itself"
    );
    acks
}

fn check(directory: &TempDir, acked: &[u64], life: u64) {
    let store = open(directory.path());
    let sample = Sample(&store);
    for (number, acked) in (0..).zip(acked) {
        let head = block_on(sample.head(number, "chat:1")).offset.0;
        assert!(
            head >= *acked,
            "slot {number}: {acked} acknowledged, head {head}"
        );
        let all = make::offsets(make::slot(number), "chat:1", 1, u64::MAX);
        let read = block_on(sample.read(RangeRequest {
            limit: u32::MAX,
            ..all
        }));
        assert_eq!(read, (1..=head).collect::<Vec<_>>());
    }
    assert_eq!(block_on(sample.claim(0)).generation, Generation(life * 2));
}

#[test]
fn child_that_appends_until_it_is_killed() {
    let Some(path) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let store = open(path.as_ref());
    std::thread::scope(|scope| {
        for number in 0..CHANNELS {
            let store = &store;
            scope.spawn(move || block_on(append_and_tell(store, number)));
        }
    });
}

async fn append_and_tell(store: &EmbeddedStore, number: u16) {
    let sample = Sample(store);
    let claimed = sample.claim(number).await;
    let mut head = sample.head(number, "chat:1").await.offset.0;
    loop {
        sample.append(claimed, "chat:1", head, 3).await;
        head += 3;
        // One write, so that lines of threads don't mix; a pipe without a reader ends the child.
        std::io::stdout()
            .write_all(format!("{number} {head}\n").as_bytes())
            .unwrap();
    }
}
