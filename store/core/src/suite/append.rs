//! Appends: whole or refused, fenced by generation and head.

use trunkline_shared::Offset;

use super::{Harness, Sample, make};
use crate::StoreError;
use crate::request::{AppendOutcome, Claimed, Generation, Refused};
use crate::traits::MessageStore;

/// Messages are taken after the head that they name, and the head moves with them.
pub async fn messages_follow_their_head<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    sample.append(claimed, "chat:1", 0, 3).await;
    sample.append(claimed, "chat:1", 3, 1).await;
    assert_eq!(sample.head(5, "chat:1").await.offset, Offset(4));
    let all = make::offsets(claimed.slot, "chat:1", 1, u64::MAX);
    assert_eq!(sample.read(all).await, [1, 2, 3, 4]);
}

/// A head that differs, by being ahead or behind, refuses the part.
pub async fn an_append_after_another_head_is_refused<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    sample.append(claimed, "chat:1", 0, 3).await;
    for follows in [0, 2, 4] {
        let part = make::part(claimed, vec![make::messages("chat:1", follows, 2)]);
        assert_eq!(
            sample.0.append(vec![part]).await,
            refused(claimed, Refused::Head)
        );
    }
    assert_eq!(sample.head(5, "chat:1").await.offset, Offset(3));
}

/// One wrong head refuses all channels of its slot; another slot of the same call commits.
pub async fn a_slots_part_is_refused_whole_while_others_commit<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let (bad, good) = (sample.claim(5).await, sample.claim(6).await);
    let channels = ["chat:1", "chat:2"].map(|name| make::messages(name, 0, 2));
    let wrong = make::messages("chat:3", 7, 1);
    let parts = vec![
        make::part(bad, channels.iter().cloned().chain([wrong]).collect()),
        make::part(good, channels.to_vec()),
    ];
    assert_eq!(sample.0.append(parts).await, refused(bad, Refused::Head));
    for name in ["chat:1", "chat:2"] {
        assert_eq!(sample.head(5, name).await.offset, Offset(0));
        assert_eq!(sample.head(6, name).await.offset, Offset(2));
        assert!(
            sample
                .read(make::offsets(bad.slot, name, 1, 9))
                .await
                .is_empty()
        );
    }
}

/// Who was fenced by a later claim writes nothing, whatever head it names; a generation of the future neither.
pub async fn an_append_of_an_older_generation_is_refused<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let old = sample.claim(5).await;
    sample.append(old, "chat:1", 0, 1).await;
    let new = sample.claim(5).await;
    let future = Claimed {
        generation: Generation(new.generation.0 + 1),
        ..new
    };
    for (claimed, follows) in [(old, 1), (old, 0), (future, 1)] {
        let part = make::part(claimed, vec![make::messages("chat:1", follows, 1)]);
        assert_eq!(
            sample.0.append(vec![part]).await,
            refused(claimed, Refused::Generation)
        );
    }
    sample.append(new, "chat:1", 1, 1).await;
}

/// Generation 0 is nobody's.
pub async fn a_slot_that_was_never_claimed_takes_nothing<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    for generation in [0, 1] {
        let nobody = make::unclaimed(5, generation);
        let part = make::part(nobody, vec![make::messages("chat:1", 0, 1)]);
        assert_eq!(
            sample.0.append(vec![part]).await,
            refused(nobody, Refused::Generation)
        );
    }
}

/// Slots and channels come once, messages are contiguous and at least one; else nothing of the call is taken.
pub async fn an_append_that_makes_no_sense_fails<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let (claimed, other) = (sample.claim(5).await, sample.claim(6).await);
    let good = make::messages("chat:1", 0, 2);
    let mut gap = good.clone();
    gap.messages.remove(0);
    let mut empty = good.clone();
    empty.messages.clear();
    let nonsense = [vec![gap], vec![empty], vec![good.clone(), good.clone()]];
    for channels in nonsense {
        let parts = vec![
            make::part(other, vec![good.clone()]),
            make::part(claimed, channels),
        ];
        assert!(is_nonsense(&sample.0.append(parts).await));
    }
    let twice = vec![make::part(claimed, vec![good]); 2];
    assert!(is_nonsense(&sample.0.append(twice).await));
    assert_eq!(sample.head(6, "chat:1").await.offset, Offset(0));
}

/// No part, nothing to refuse.
pub async fn an_append_of_nothing_is_committed<H: Harness>() {
    let harness = H::open().await;
    let outcome = harness.store().append(Vec::new()).await;
    assert_eq!(outcome, AppendOutcome::Committed { refused: vec![] });
}

fn refused(claimed: Claimed, reason: Refused) -> AppendOutcome {
    AppendOutcome::Committed {
        refused: vec![(claimed.slot, reason)],
    }
}

fn is_nonsense(outcome: &AppendOutcome) -> bool {
    match outcome {
        AppendOutcome::Failed(StoreError::Data(_)) => true,
        AppendOutcome::Failed(StoreError::Away(_))
        | AppendOutcome::Committed { .. }
        | AppendOutcome::Unknown(_) => false,
    }
}
