//! Claims: generations, views, epochs.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use trunkline_shared::{Offset, Slot};

use super::{Harness, Sample, make};
use crate::StoreError;
use crate::request::{AppendOutcome, ClaimError, ClaimRequest, Generation, Refused};
use crate::traits::MessageStore;

/// The first claim gives generation 1, each later one the next; answers come in the order asked.
pub async fn a_claim_raises_generations_by_one<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    assert_eq!(sample.claim(9).await.generation, Generation(1));
    let request = claim_of(1, &[7, 9, 4095, 0]);
    let claimed = sample.0.claim(request).await.expect("a good claim");
    let seen: Vec<_> = claimed
        .iter()
        .map(|claimed| (claimed.slot.number(), claimed.generation.0))
        .collect();
    assert_eq!(seen, [(7, 1), (9, 2), (4095, 1), (0, 1)]);
}

/// A node that is alone takes the whole table at once.
pub async fn all_slots_are_claimed_in_one_call<H: Harness>() {
    let harness = H::open().await;
    let slots = Slot::all().map(|slot| (slot, false)).collect();
    let request = ClaimRequest {
        view: make::view(1),
        slots,
    };
    let claimed = harness.store().claim(request).await.expect("a good claim");
    assert!(claimed.iter().map(|claimed| claimed.slot).eq(Slot::all()));
    assert!(
        claimed
            .iter()
            .all(|claimed| claimed.generation == Generation(1))
    );
}

/// What was begun before a claim is either there when the claim is answered, or never.
pub async fn a_claim_waits_for_the_append_in_flight<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let mut owner = sample.claim(5).await;
    let mut head = 0;
    for _ in 0..20 {
        let part = make::part(owner, vec![make::messages("chat:1", head, 3)]);
        let append = sample.0.append(vec![part]);
        let claim_and_read = async {
            let claimed = sample.claim(5).await;
            (claimed, sample.head(5, "chat:1").await.offset)
        };
        let (outcome, (claimed, seen)) = both(append, claim_and_read).await;
        let taken = outcome == AppendOutcome::Committed { refused: vec![] };
        let fenced = outcome
            == AppendOutcome::Committed {
                refused: vec![(owner.slot, Refused::Generation)],
            };
        assert!(taken || fenced, "{outcome:?}");
        head += if taken { 3 } else { 0 };
        assert_eq!(seen, Offset(head), "the head as the claim left it");
        owner = claimed;
    }
}

/// One slot that was claimed under a later view refuses the whole claim; the same view is late enough.
pub async fn a_claim_under_an_older_view_changes_nothing<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let owner = sample
        .0
        .claim(claim_of(3, &[5]))
        .await
        .expect("a good claim")[0];
    let outcome = sample.0.claim(claim_of(2, &[4, 5])).await;
    assert_eq!(outcome, Err(ClaimError::LaterView(make::view(3))));
    sample.append(owner, "chat:1", 0, 1).await;
    let again = sample
        .0
        .claim(claim_of(3, &[5, 4]))
        .await
        .expect("the same view is not older");
    assert_eq!(
        again
            .iter()
            .map(|claimed| claimed.generation.0)
            .collect::<Vec<_>>(),
        [2, 1]
    );
}

/// An owner that names a slot twice has a bug.
pub async fn a_claim_that_names_a_slot_twice_fails<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let outcome = sample.0.claim(claim_of(1, &[5, 5])).await;
    assert!(
        matches!(outcome, Err(ClaimError::Store(StoreError::Data(_)))),
        "{outcome:?}"
    );
    assert_eq!(sample.claim(5).await.generation, Generation(1));
}

/// Claims keep a slot's epoch; it is a new one when the owner says that data were lost. Slots differ.
pub async fn an_epoch_stays_until_a_new_one_is_asked_for<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let (first, other) = (sample.claim(5).await, sample.claim(6).await);
    assert_ne!(first.epoch, other.epoch);
    assert_eq!(sample.claim(5).await.epoch, first.epoch);
    let lost = ClaimRequest {
        view: make::view(1),
        slots: vec![(first.slot, true), (other.slot, false)],
    };
    let claimed = sample.0.claim(lost).await.expect("a good claim");
    assert_ne!(claimed[0].epoch, first.epoch);
    assert_eq!(claimed[1].epoch, other.epoch);
    assert_eq!(sample.claim(5).await.epoch, claimed[0].epoch);
}

fn claim_of(view: u64, slots: &[u16]) -> ClaimRequest {
    let slots = slots
        .iter()
        .map(|number| (make::slot(*number), false))
        .collect();
    ClaimRequest {
        view: make::view(view),
        slots,
    }
}

/// Runs two futures together; the first is polled first.
pub(super) async fn both<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut a, mut b) = (None, None);
    poll_fn(|context| {
        if a.is_none()
            && let Poll::Ready(value) = first.as_mut().poll(context)
        {
            a = Some(value);
        }
        if b.is_none()
            && let Poll::Ready(value) = second.as_mut().poll(context)
        {
            b = Some(value);
        }
        match (a.take(), b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (first, second) => {
                (a, b) = (first, second);
                Poll::Pending
            }
        }
    })
    .await
}
