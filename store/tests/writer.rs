//! What only the embedded store promises: calls are taken in the order made, many in one commit.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use support::{block_on, open};
use tempfile::TempDir;
use trunkline_store::EmbeddedStore;
use trunkline_store::embedded::Options;
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{
    AppendOutcome, ClaimRequest, MessageStore, Refused, StoreError, ViewChange,
};

const COMMITTED: AppendOutcome = AppendOutcome::Committed { refused: vec![] };

#[test]
fn appends_that_wait_together_are_checked_one_after_another() {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    let claimed = block_on(Sample(&store).claim(5));
    let append = |follows| {
        store.append(vec![make::part(
            claimed,
            vec![make::messages("chat:1", follows, 1)],
        )])
    };
    let good: Vec<_> = (0..500).map(append).collect();
    let bad = append(499);
    let last = append(500);
    good.into_iter()
        .for_each(|outcome| assert_eq!(block_on(outcome), COMMITTED));
    let refused = vec![(claimed.slot, Refused::Head)];
    assert_eq!(block_on(bad), AppendOutcome::Committed { refused });
    assert_eq!(block_on(last), COMMITTED);
    let stats = store.stats();
    assert_eq!(
        (stats.appends, stats.messages, stats.parts_refused),
        (502, 501, 1)
    );
    assert!(
        stats.commits < 400,
        "{} commits for 502 appends",
        stats.commits
    );
}

#[test]
fn a_claim_fences_the_appends_made_after_it_and_none_before() {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    let claimed = block_on(Sample(&store).claim(5));
    let append = |follows| {
        store.append(vec![make::part(
            claimed,
            vec![make::messages("chat:1", follows, 1)],
        )])
    };
    let before = append(0);
    let claim = store.claim(ClaimRequest {
        view: make::view(1),
        slots: vec![(claimed.slot, false)],
    });
    let after = append(1);
    assert_eq!(block_on(before), COMMITTED);
    assert_eq!(block_on(claim).unwrap()[0].generation.0, 2);
    let refused = vec![(claimed.slot, Refused::Generation)];
    assert_eq!(block_on(after), AppendOutcome::Committed { refused });
}

#[test]
fn of_two_changes_of_the_view_that_wait_together_one_wins() {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    let change = || {
        store.change_view(ViewChange {
            expected: None,
            view: make::ring_view(1),
            rules: None,
        })
    };
    let (first, second) = (change(), change());
    assert_eq!((block_on(first), block_on(second)), (Ok(true), Ok(false)));
}

#[test]
fn calls_are_carried_out_though_nobody_waits_for_their_answers() {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path());
    let claimed = block_on(Sample(&store).claim(5));
    drop(store.append(vec![make::part(
        claimed,
        vec![make::messages("chat:1", 0, 1)],
    )]));
    drop(store);
    assert_eq!(
        block_on(Sample(&open(directory.path())).head(5, "chat:1"))
            .offset
            .0,
        1
    );
}

#[test]
fn a_full_queue_refuses_at_once() {
    let directory = TempDir::new().unwrap();
    let options = Options {
        writes_bytes_max: 1,
        ..Options::default()
    };
    let store = EmbeddedStore::open(directory.path(), options).unwrap();
    let claimed = block_on(Sample(&store).claim(5));
    let append = |follows| {
        store.append(vec![make::part(
            claimed,
            vec![make::messages("chat:1", follows, 1)],
        )])
    };
    let outcomes: Vec<_> = (0..1000).map(append).collect();
    let outcomes: Vec<_> = outcomes.into_iter().map(block_on).collect();
    let full = AppendOutcome::Failed(StoreError::Away("its queue is full".to_owned()));
    let refused = outcomes.iter().filter(|outcome| **outcome == full).count();
    assert!(refused > 0);
    assert_eq!(store.stats().writes_refused_full, refused as u64);
}
