//! Rounds over the heads, by a clock that the tests set.

use std::path::Path;

use fjall::PersistMode;
use tempfile::TempDir;
use trunkline_store_core::suite::make;
use trunkline_store_core::{
    AppendOutcome, ClaimRequest, Claimed, FloorRequest, Generation, Refused,
};

use super::*;
use crate::embedded::options::Options;
use crate::embedded::stage::Stage;
use crate::embedded::sweep::Sweep;

const KEPT: u64 = 10_000_000;

/// A store with a sweep that keeps heads for [`KEPT`] milliseconds.
struct Store {
    disk: Disk,
    sweep: Sweep,
    claimed: Claimed,
    _directory: TempDir,
}

fn disk(directory: &Path) -> Disk {
    let path = directory.join("data");
    Disk::create(&path, UnixMillis(1), &Options::default()).expect("an empty directory");
    Disk::open(&path, &Options::default(), PersistMode::Buffer).expect("just made")
}

impl Store {
    fn new() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let mut store = Self {
            disk: disk(directory.path()),
            sweep: Sweep::new(),
            claimed: make::unclaimed(5, 0),
            _directory: directory,
        };
        store.keep(Some(Duration::from_millis(KEPT)));
        let request = ClaimRequest {
            view: make::view(1),
            slots: vec![(make::slot(5), false)],
        };
        let claimed = store.commit(2000, |stage| stage.claim(&request));
        store.claimed = claimed.expect("nobody claimed under a later view")[0];
        store
    }

    fn keep(&mut self, kept: Option<Duration>) {
        self.sweep.heads.keep(kept);
    }

    /// One commit at a moment of the machine's clock.
    fn commit<T>(&mut self, now: u64, work: impl FnOnce(&mut Stage<'_>) -> T) -> T {
        let mut stage = Stage::new(&self.disk, UnixMillis(now));
        let done = work(&mut stage);
        stage.commit(&mut self.sweep).expect("the disk is there");
        done
    }

    /// Commits that change nothing, until every head was looked at.
    fn go_round(&mut self, now: u64) {
        for _ in 0..40 {
            self.commit(now, |_| ());
        }
    }

    fn append(&mut self, now: u64, channel: &str, follows: u64, count: u64) -> AppendOutcome {
        let part = make::part(self.claimed, vec![make::messages(channel, follows, count)]);
        self.commit(now, |stage| stage.append(vec![part]))
    }

    fn heads(&self) -> usize {
        self.disk.snapshot().iter(&self.disk.heads).count()
    }

    fn messages(&self) -> usize {
        self.disk.snapshot().iter(&self.disk.messages).count()
    }

    fn publish_ids(&self) -> usize {
        self.disk.snapshot().iter(&self.disk.publish_ids).count()
    }

    fn mark(&self) -> u64 {
        let row = self.disk.slot(self.claimed.slot);
        row.expect("the disk is there")
            .expect("a claimed slot")
            .mark
            .0
    }
}

#[test]
fn a_head_goes_with_its_messages_once_its_time_is_over_and_not_before() {
    let mut store = Store::new();
    store.append(5000, "chat:1", 0, 3);
    store.go_round(5000 + KEPT);
    assert_eq!((store.heads(), store.messages()), (1, 3));
    store.go_round(5001 + KEPT + 600_000);
    assert_eq!((store.heads(), store.messages()), (0, 0));
    assert_eq!((store.publish_ids(), store.mark()), (0, 3));
}

#[test]
fn an_append_and_a_floor_touch_a_head() {
    let mut store = Store::new();
    for channel in ["chat:1", "chat:2", "chat:3"] {
        store.append(5000, channel, 0, 2);
    }
    store.append(9000, "chat:1", 2, 1);
    let floor = FloorRequest {
        slot: store.claimed.slot,
        generation: store.claimed.generation,
        channel: make::channel("chat:2"),
        floor: Offset(1),
    };
    let raised = store.commit(9000, |stage| stage.raise_floor(&floor));
    raised.expect("its own generation");
    store.go_round(6000 + KEPT);
    assert_eq!((store.heads(), store.mark()), (2, 2), "chat:3 has gone");
}

#[test]
fn many_messages_go_over_several_commits_and_the_head_last() {
    let mut store = Store::new();
    store.append(5000, "chat:1", 0, 600);
    let now = 6000 + KEPT;
    let mut seen = Vec::new();
    for _ in 0..3 {
        store.commit(now, |_| ());
        seen.push((store.messages(), store.heads()));
    }
    assert_eq!(seen, [(344, 1), (88, 1), (0, 0)]);
}

#[test]
fn an_append_between_two_steps_keeps_the_head() {
    let mut store = Store::new();
    store.append(5000, "chat:1", 0, 600);
    let now = 6000 + KEPT;
    store.commit(now, |_| ());
    let committed = AppendOutcome::Committed { refused: vec![] };
    assert_eq!(store.append(now, "chat:1", 600, 1), committed);
    store.go_round(now);
    assert_eq!((store.heads(), store.mark()), (1, 0));
    let found = store
        .disk
        .range(&make::offsets(make::slot(5), "chat:1", 601, 601));
    assert_eq!(found.expect("the disk is there").len(), 1);
}

#[test]
fn a_head_that_the_same_commit_moves_stays() {
    let mut store = Store::new();
    store.append(5000, "chat:1", 0, 2);
    let committed = AppendOutcome::Committed { refused: vec![] };
    assert_eq!(store.append(6000 + KEPT, "chat:1", 2, 1), committed);
    assert_eq!((store.heads(), store.mark()), (1, 0));
}

#[test]
fn a_claim_in_the_commit_that_raises_the_mark_keeps_both() {
    let mut store = Store::new();
    store.append(5000, "chat:1", 0, 2);
    let request = ClaimRequest {
        view: make::view(1),
        slots: vec![(make::slot(5), false)],
    };
    let claimed = store.commit(6000 + KEPT, |stage| stage.claim(&request));
    let claimed = claimed.expect("nobody claimed under a later view")[0];
    assert_eq!((claimed.generation, store.mark()), (Generation(2), 2));
    let refused = AppendOutcome::Committed {
        refused: vec![(claimed.slot, Refused::Generation)],
    };
    assert_eq!(store.append(6000 + KEPT, "chat:1", 2, 1), refused);
}

#[test]
fn a_head_of_an_earlier_version_is_touched_when_it_is_met_first() {
    let mut store = Store::new();
    let old = hex::decode("0100000000000000070000000000000000").expect("hex");
    let old = [&old[..], &crc32fast::hash(&old).to_be_bytes()].concat();
    let key = key::channel(make::slot(5), &make::channel("chat:1"));
    let mut batch = store.disk.batch();
    batch.insert(&store.disk.heads.keyspace, &*key, old);
    batch.commit().expect("the disk is there");
    let head = |store: &Store| {
        let value = store.disk.heads.keyspace.get(&*key);
        let value = value.expect("the disk is there").expect("a head");
        record::decode_head(&value).expect("a whole one").touched
    };
    assert_eq!(head(&store), None);
    let now = 6000 + KEPT;
    store.go_round(now);
    assert_eq!(head(&store), Some(UnixMillis(now)));
    store.go_round(now + KEPT);
    assert_eq!(store.heads(), 1);
    store.go_round(now + KEPT + 600_001);
    assert_eq!((store.heads(), store.mark()), (0, 7));
}

#[test]
fn what_may_go_stays_a_fraction_of_what_stays() {
    let mut store = Store::new();
    let (each, living) = (50, 20_u64);
    for turn in 0..100 {
        let names = (0..each).map(|number| format!("chat:{turn}:{number}"));
        let follows = store.mark();
        let channels = names
            .map(|name| make::messages(&name, follows, 1))
            .collect();
        let part = make::part(store.claimed, channels);
        let now = 5000 + turn * KEPT / living;
        store.commit(now, |stage| stage.append(vec![part]));
        let bound = usize::try_from(each * living * 2).expect("a small number");
        assert!(store.heads() <= bound, "{} in turn {turn}", store.heads());
    }
}

#[test]
fn a_clock_that_is_set_back_removes_nothing_early() {
    let mut store = Store::new();
    store.append(5000 + KEPT, "chat:1", 0, 2);
    store.go_round(6000);
    store.go_round(7000 + KEPT);
    assert_eq!(store.heads(), 1);
    store.go_round(5001 + 2 * KEPT);
    assert_eq!(store.heads(), 0);
}

#[test]
fn without_a_time_heads_stay_for_ever() {
    let mut store = Store::new();
    store.keep(None);
    store.append(5000, "chat:1", 0, 2);
    store.go_round(u64::MAX);
    assert_eq!((store.heads(), store.messages()), (1, 2));
}

#[test]
fn for_how_long_heads_are_kept_may_change() {
    let mut store = Store::new();
    store.append(5000, "chat:1", 0, 3);
    store.keep(Some(Duration::from_millis(2 * KEPT)));
    store.go_round(5001 + KEPT);
    assert_eq!(store.heads(), 1);
    store.keep(Some(Duration::from_millis(KEPT)));
    store.go_round(5001 + KEPT + 600_000);
    assert_eq!(store.heads(), 0);
}

#[test]
fn damage_keeps_what_it_touches_and_fails_no_commit() {
    let mut store = Store::new();
    store.append(5000, "chat:1", 0, 3);
    store.append(5000, "chat:2", 0, 1);
    let mut batch = store.disk.batch();
    let id = key::publish_id(make::slot(5), make::id(3));
    batch.insert(&store.disk.publish_ids.keyspace, id, "damage");
    batch.commit().expect("the disk is there");
    store.go_round(6000 + KEPT);
    assert_eq!((store.heads(), store.mark()), (1, 1), "chat:2 has gone");
    assert_eq!(store.messages(), 1, "the third of chat:1");
    let mut batch = store.disk.batch();
    let slot = key::slot(make::slot(5));
    batch.insert(&store.disk.slots.keyspace, slot, "damage");
    batch.remove(
        &store.disk.publish_ids.keyspace,
        key::publish_id(make::slot(5), make::id(3)),
    );
    batch.commit().expect("the disk is there");
    store.go_round(6000 + KEPT + 600_000);
    assert_eq!(store.heads(), 1, "there is no place for its mark");
}
