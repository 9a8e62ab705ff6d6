//! Many appends at a time: a bad one stops nobody else, and a crash leaves each whole or absent.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use trunkline_shared::{Offset, Slot};

use super::{Harness, Sample, make};
use crate::request::{AppendOutcome, Claimed, Generation, Refused, SlotPart};
use crate::traits::MessageStore;

const COMMITTED: AppendOutcome = AppendOutcome::Committed { refused: vec![] };

/// A name with NUL, offsets beyond any head, a foreign head, a foreign generation: each gets its own answer.
pub async fn a_bad_part_stops_nobody_else<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let mut claimed = Vec::new();
    for slot in 1..=6 {
        claimed.push(sample.claim(slot).await);
    }
    let [good, nul, far, foreign, fenced, last] = *claimed else {
        panic!("six slots were claimed");
    };
    let fenced = Claimed {
        generation: Generation(u64::MAX),
        ..fenced
    };
    let parts = [
        make::part(good, vec![make::messages("chat:1", 0, 2)]),
        make::part(nul, vec![make::messages("chat:\0'\\", 0, 1)]),
        make::part(far, vec![make::messages("chat:1", u64::MAX / 2 + 9, 2)]),
        make::part(foreign, vec![make::messages("chat:1", 7, 1)]),
        make::part(fenced, vec![make::messages("chat:1", 0, 1)]),
        make::part(last, vec![make::messages("chat:1", 0, 3)]),
    ];
    let appends = parts.map(|part| sample.0.append(vec![part]));
    let outcomes = all(appends.into_iter().collect()).await;
    let refused = |claimed: Claimed, why| AppendOutcome::Committed {
        refused: vec![(claimed.slot, why)],
    };
    assert_eq!(
        outcomes,
        [
            COMMITTED,
            COMMITTED,
            refused(far, Refused::Head),
            refused(foreign, Refused::Head),
            refused(fenced, Refused::Generation),
            COMMITTED,
        ]
    );
    for (slot, offset) in [(1, 2), (3, 0), (4, 0), (5, 0), (6, 3)] {
        assert_eq!(sample.head(slot, "chat:1").await.offset, Offset(offset));
    }
    assert_eq!(sample.head(2, "chat:\0'\\").await.offset, Offset(1));
}

const SLOTS: std::ops::Range<u16> = 10..40;
const CHANNELS: [&str; 2] = ["chat:1", "chat:2"];
const COUNT: u64 = 3;

/// Appends that nobody has heard of again after a crash: of each slot all or nothing is there, and the slot goes on.
pub async fn an_append_cut_by_a_crash_is_whole_or_absent<H: Harness>() {
    let harness = H::open().await;
    begin_appends(&harness).await;
    let harness = harness.crash().await;
    let sample = Sample(harness.store());
    for slot in SLOTS {
        let claimed = sample.claim(slot).await;
        let there = sample.head(slot, CHANNELS[0]).await.offset.0;
        assert!([0, COUNT].contains(&there), "slot {slot}: {there}");
        for name in CHANNELS {
            assert_eq!(sample.head(slot, name).await.offset.0, there);
            let all = sample.read(make::offsets(claimed.slot, name, 1, u64::MAX));
            assert_eq!(all.await, (1..=there).collect::<Vec<_>>());
        }
        let ids = (1..=COUNT).map(|counter| (claimed.slot, make::id(counter)));
        let found = sample.find(ids.collect()).await;
        assert_eq!(found.len() as u64, there);
        sample.append(claimed, CHANNELS[0], there, 1).await;
    }
}

async fn begin_appends<H: Harness>(harness: &H) {
    let sample = Sample(harness.store());
    let mut appends = Vec::new();
    for slot in SLOTS {
        let claimed = sample.claim(slot).await;
        appends.push(sample.0.append(vec![two_channels(claimed)]));
    }
    leave(appends).await;
}

/// Begins appends and waits for none of them: what has become of them is what a test asks later.
pub(super) async fn leave<F: Future>(appends: Vec<F>) {
    let mut appends: Vec<_> = appends.into_iter().map(Box::pin).collect();
    let begin = |context: &mut std::task::Context<'_>| {
        for append in &mut appends {
            let _ = append.as_mut().poll(context);
        }
        Poll::Ready(())
    };
    poll_fn(begin).await;
}

fn two_channels(claimed: Claimed) -> SlotPart {
    let mut channels = CHANNELS.map(|name| make::messages(name, 0, COUNT));
    for message in &mut channels[1].messages {
        message.id.counter += 100;
    }
    make::part(claimed, channels.to_vec())
}

/// After a lost answer an owner claims again, reads the head, and appends the rest: nothing is there twice.
pub async fn an_unknown_append_is_settled_by_a_claim<H: Harness>() {
    let harness = H::open().await;
    begin_appends(&harness).await;
    let sample = Sample(harness.store());
    let slots: Vec<Slot> = SLOTS.map(make::slot).collect();
    for slot in slots {
        let claimed = sample.claim(slot.number()).await;
        assert_eq!(claimed.generation, Generation(2));
        let there = sample.head(slot.number(), CHANNELS[0]).await.offset.0;
        if there == 0 {
            let again = sample.0.append(vec![two_channels(claimed)]).await;
            assert_eq!(again, COMMITTED, "slot {}", slot.number());
        }
        for name in CHANNELS {
            let all = sample.read(make::offsets(slot, name, 1, u64::MAX)).await;
            assert_eq!(all, (1..=COUNT).collect::<Vec<_>>());
        }
    }
}

/// Waits for all of them at once; answers in their order.
async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, done) in running.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
