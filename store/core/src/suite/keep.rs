//! What was acknowledged stays: over a restart, over a crash.

use bytes::Bytes;
use trunkline_shared::{Offset, UnixMillis};

use super::{Harness, Sample, make};
use crate::request::{Claimed, FloorRequest, Generation, ViewChange, ViewRow};
use crate::traits::MessageStore;

/// Closing and opening loses nothing.
pub async fn what_was_acknowledged_survives_reopening<H: Harness>() {
    let harness = H::open().await;
    let before = fill(&harness).await;
    let harness = harness.reopen().await;
    verify(&harness, before).await;
    verify_once_more(harness.reopen().await).await;
}

/// A crash after the answers loses nothing.
pub async fn what_was_acknowledged_survives_a_crash<H: Harness>() {
    let harness = H::open().await;
    let before = fill(&harness).await;
    let harness = harness.crash().await;
    verify(&harness, before).await;
    verify_once_more(harness.crash().await).await;
}

const RULES: Bytes = Bytes::from_static(b"rules");

struct Before {
    claimed: Claimed,
    birth: UnixMillis,
}

async fn fill<H: Harness>(harness: &H) -> Before {
    let sample = Sample(harness.store());
    sample.claim(5).await;
    let claimed = sample.claim(5).await;
    for follows in [0, 10, 20] {
        sample.append(claimed, "chat:1", follows, 10).await;
    }
    let channel = make::channel("chat:1");
    let floor = FloorRequest {
        slot: claimed.slot,
        generation: claimed.generation,
        channel,
        floor: Offset(7),
    };
    sample
        .0
        .raise_floor(floor)
        .await
        .expect("its own generation");
    let change = ViewChange {
        expected: None,
        view: make::ring_view(1),
        rules: Some(RULES),
    };
    assert_eq!(sample.0.change_view(change).await, Ok(true));
    Before {
        claimed,
        birth: sample.0.birth(),
    }
}

async fn verify<H: Harness>(harness: &H, before: Before) {
    let sample = Sample(harness.store());
    assert_eq!(sample.0.birth(), before.birth);
    let row = ViewRow {
        view: make::ring_view(1),
        rules: Some(RULES),
    };
    assert_eq!(sample.0.view().await, Ok(Some(row)));
    let head = sample.head(5, "chat:1").await;
    assert_eq!((head.offset, head.floor), (Offset(30), Offset(7)));
    let all = sample
        .range(make::offsets(before.claimed.slot, "chat:1", 1, 30))
        .await;
    assert_eq!(all, (8..=30).map(make::message).collect::<Vec<_>>());
    let ids = (1..=30)
        .map(|counter| (before.claimed.slot, make::id(counter)))
        .collect();
    assert_eq!(sample.find(ids).await.len(), 30);
    sample.append(before.claimed, "chat:1", 30, 1).await;
    let again = sample.claim(5).await;
    assert_eq!(
        (again.generation, again.epoch),
        (Generation(3), before.claimed.epoch)
    );
}

async fn verify_once_more<H: Harness>(harness: H) {
    let sample = Sample(harness.store());
    assert_eq!(sample.head(5, "chat:1").await.offset, Offset(31));
    assert_eq!(sample.claim(5).await.generation, Generation(4));
}
