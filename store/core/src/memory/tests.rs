//! The memory store under the behaviour suite, and what only it can do.

use trunkline_shared::{Offset, UnixMillis};

use super::{MemoryState, MemoryStore, Survivors};
use crate::request::{AppendOutcome, ClaimRequest, Claimed, Refused, SlotPart};
use crate::suite::{Harness, make};

struct InMemory(MemoryStore);

impl Harness for InMemory {
    type Store = MemoryStore;

    async fn open() -> Self {
        let mut state = MemoryState::new(1, UnixMillis(1));
        // After the times of the suite's messages.
        state.set_clock(UnixMillis(1_000_000));
        Self(MemoryStore::new(state))
    }

    fn store(&self) -> &MemoryStore {
        &self.0
    }

    async fn reopen(self) -> Self {
        self.crash().await
    }

    async fn crash(self) -> Self {
        self.0.with(|state| state.crash(Survivors::default()));
        self
    }

    /// Each look at the clock moves it.
    async fn clock(&self) -> UnixMillis {
        self.0.with(|state| {
            let now = UnixMillis(state.clock().0 + 1);
            state.set_clock(now);
            now
        })
    }

    async fn forget_heads(&self, untouched_since: UnixMillis) {
        self.0.with(|state| state.forget_heads_now(untouched_since));
    }
}

crate::store_suite!(InMemory, crate::suite::ready);

fn claimed(state: &mut MemoryState, slots: &[u16]) -> Vec<Claimed> {
    let slots = slots
        .iter()
        .map(|slot| (make::slot(*slot), false))
        .collect();
    state
        .claim_now(&ClaimRequest {
            view: make::view(1),
            slots,
        })
        .expect("a good claim")
}

fn part(claimed: Claimed, follows: u64) -> SlotPart {
    make::part(claimed, vec![make::messages("chat:1", follows, 1)])
}

fn head(state: &MemoryState, slot: u16) -> u64 {
    state.heads_now(&[(make::slot(slot), make::channel("chat:1"))])[0]
        .offset
        .0
}

fn committed() -> AppendOutcome {
    AppendOutcome::Committed { refused: vec![] }
}

#[test]
fn nothing_is_read_before_it_is_durable() {
    let mut state = MemoryState::new(1, UnixMillis(1));
    let owner = claimed(&mut state, &[5])[0];
    let ticket = state.begin_append(vec![part(owner, 0)]);
    assert_eq!(head(&state, 5), 0);
    assert!(state.is_in_flight(owner.slot));
    state.sync();
    assert_eq!(head(&state, 5), 1);
    assert!(!state.is_in_flight(owner.slot));
    assert_eq!(state.finish(ticket), committed());
}

#[test]
fn a_crash_loses_what_is_in_flight_but_for_the_survivors() {
    for appends in 0..=2 {
        let mut state = MemoryState::new(1, UnixMillis(1));
        let owner = claimed(&mut state, &[5])[0];
        let tickets = [0, 1].map(|follows| state.begin_append(vec![part(owner, follows)]));
        state.crash(Survivors {
            appends,
            parts_of_next: 0,
        });
        assert_eq!(head(&state, 5), appends as u64);
        for ticket in tickets {
            assert!(matches!(state.finish(ticket), AppendOutcome::Unknown(_)));
        }
    }
}

#[test]
fn a_torn_append_keeps_whole_slots() {
    let mut state = MemoryState::new(1, UnixMillis(1));
    let owners = claimed(&mut state, &[5, 6]);
    let ticket = state.begin_append(owners.iter().map(|owner| part(*owner, 0)).collect());
    state.crash(Survivors {
        appends: 0,
        parts_of_next: 1,
    });
    assert_eq!((head(&state, 5), head(&state, 6)), (1, 0));
    assert!(matches!(state.finish(ticket), AppendOutcome::Unknown(_)));
}

#[test]
fn a_crash_after_the_sync_loses_the_outcome_only() {
    let mut state = MemoryState::new(1, UnixMillis(1));
    let owner = claimed(&mut state, &[5])[0];
    let ticket = state.begin_append(vec![part(owner, 0)]);
    state.sync();
    state.crash(Survivors::default());
    assert_eq!(head(&state, 5), 1);
    assert!(matches!(state.finish(ticket), AppendOutcome::Unknown(_)));
}

#[test]
fn an_append_is_checked_when_it_becomes_durable() {
    let mut state = MemoryState::new(1, UnixMillis(1));
    let owner = claimed(&mut state, &[5])[0];
    let lost = state.begin_append(vec![part(owner, 0)]);
    let next = state.begin_append(vec![part(owner, 1)]);
    state.drop_append(lost);
    let refused = vec![(owner.slot, Refused::Head)];
    assert_eq!(state.finish(next), AppendOutcome::Committed { refused });
    assert_eq!(head(&state, 5), 0);
}

#[test]
#[should_panic(expected = "a claim waits")]
fn a_slot_with_an_append_in_flight_is_not_claimed() {
    let mut state = MemoryState::new(1, UnixMillis(1));
    let owner = claimed(&mut state, &[5])[0];
    let _ticket = state.begin_append(vec![part(owner, 0)]);
    claimed(&mut state, &[5]);
}

#[test]
fn one_seed_gives_one_run_of_epochs() {
    let epochs = |seed| {
        let mut state = MemoryState::new(seed, UnixMillis(1));
        claimed(&mut state, &[5, 6])
            .iter()
            .map(|claimed| claimed.epoch)
            .collect::<Vec<_>>()
    };
    assert_eq!(epochs(7), epochs(7));
    assert_ne!(epochs(7), epochs(8));
}

#[test]
fn a_floor_stays_with_its_head() {
    let head = crate::Head {
        offset: Offset(5),
        floor: Offset(2),
    };
    assert_eq!(head.with_floor(Offset(9)).floor, Offset(5));
    assert_eq!(head.with_floor(Offset(1)).floor, Offset(2));
}
