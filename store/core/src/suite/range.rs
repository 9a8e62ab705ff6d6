//! Range reads: directions, bounds, expiry, floor.

use trunkline_shared::{Offset, UnixMillis};

use super::{Harness, Sample, make};
use crate::request::{Claimed, FloorError, FloorRequest, RangeRequest};
use crate::traits::MessageStore;

const CHANNEL: &str = "chat:1";

async fn with_ten_messages<H: Harness>() -> (H, Claimed) {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    sample.append(claimed, "chat:0", 0, 3).await;
    sample.append(claimed, CHANNEL, 0, 10).await;
    sample.append(claimed, "chat:2", 0, 3).await;
    (harness, claimed)
}

fn offsets(claimed: Claimed, from: u64, to: u64) -> RangeRequest {
    make::offsets(claimed.slot, CHANNEL, from, to)
}

fn newest_first(request: RangeRequest) -> RangeRequest {
    RangeRequest {
        descending: true,
        ..request
    }
}

/// Both bounds count, whatever lies beyond them; the limit cuts at the far end of the direction.
pub async fn a_range_is_read_both_ways<H: Harness>() {
    let (harness, claimed) = with_ten_messages::<H>().await;
    let sample = Sample(harness.store());
    let some = offsets(claimed, 3, 5);
    assert_eq!(sample.read(some.clone()).await, [3, 4, 5]);
    assert_eq!(sample.read(newest_first(some)).await, [5, 4, 3]);
    let limited = RangeRequest {
        limit: 2,
        ..offsets(claimed, 0, u64::MAX)
    };
    assert_eq!(sample.read(limited.clone()).await, [1, 2]);
    assert_eq!(sample.read(newest_first(limited.clone())).await, [10, 9]);
    assert!(
        sample
            .read(RangeRequest {
                limit: 0,
                ..limited
            })
            .await
            .is_empty()
    );
    for (from, to) in [(11, u64::MAX), (0, 0), (6, 5), (u64::MAX, u64::MAX)] {
        assert!(sample.read(offsets(claimed, from, to)).await.is_empty());
        assert!(
            sample
                .read(newest_first(offsets(claimed, from, to)))
                .await
                .is_empty()
        );
    }
}

/// Bytes cut like the limit, but never down to nothing.
pub async fn a_range_ends_at_its_bytes_but_gives_one_message<H: Harness>() {
    let (harness, claimed) = with_ten_messages::<H>().await;
    let sample = Sample(harness.store());
    let weight = make::message(1).weight();
    for (bytes_max, count) in [
        (0, 1),
        (weight, 1),
        (weight * 2 - 1, 1),
        (weight * 2, 2),
        (weight * 3, 3),
    ] {
        let request = RangeRequest {
            bytes_max,
            ..offsets(claimed, 1, 9)
        };
        assert_eq!(sample.read(request).await.len(), count, "{bytes_max} bytes");
    }
}

/// A message as old as the bound is kept, an older one isn't read.
pub async fn expired_messages_are_not_read<H: Harness>() {
    let (harness, claimed) = with_ten_messages::<H>().await;
    let sample = Sample(harness.store());
    let since = |millis| RangeRequest {
        not_before: UnixMillis(millis),
        ..offsets(claimed, 1, 10)
    };
    assert_eq!(sample.read(since(1008)).await, [8, 9, 10]);
    assert_eq!(sample.read(newest_first(since(1008))).await, [10, 9, 8]);
    assert_eq!(
        sample
            .read(RangeRequest {
                limit: 1,
                ..since(1008)
            })
            .await,
        [8]
    );
    assert!(sample.read(since(1011)).await.is_empty());
}

/// Owners' clocks differ: an expired message between two living ones leaves no hole, in neither direction.
pub async fn a_clock_that_stepped_back_makes_no_hole<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let mut append = make::messages(CHANNEL, 0, 5);
    for (message, time) in append.messages.iter_mut().zip([10, 30, 20, 40, 50]) {
        message.publication.time = UnixMillis(time);
    }
    sample
        .0
        .append(vec![make::part(claimed, vec![append])])
        .await;
    let request = RangeRequest {
        not_before: UnixMillis(25),
        ..offsets(claimed, 1, 5)
    };
    assert_eq!(sample.read(request.clone()).await, [2, 3, 4, 5]);
    assert_eq!(sample.read(newest_first(request)).await, [5, 4]);
}

/// A raised floor hides what is at or below it, and nothing else: the numbering goes on.
pub async fn nothing_at_or_below_the_floor_is_read<H: Harness>() {
    let (harness, claimed) = with_ten_messages::<H>().await;
    let sample = Sample(harness.store());
    let head = sample
        .0
        .raise_floor(floor(claimed, 8))
        .await
        .expect("its own generation");
    assert_eq!((head.offset, head.floor), (Offset(10), Offset(8)));
    let all = offsets(claimed, 1, u64::MAX);
    assert_eq!(sample.read(all.clone()).await, [9, 10]);
    assert_eq!(sample.read(newest_first(all.clone())).await, [10, 9]);
    sample.append(claimed, CHANNEL, 10, 1).await;
    assert_eq!(sample.read(all).await, [9, 10, 11]);
    assert_eq!(sample.head(5, CHANNEL).await.floor, Offset(8));
}

/// Raising it again to less changes nothing; more than the head is the head.
pub async fn a_floor_never_sinks_and_never_passes_the_head<H: Harness>() {
    let (harness, claimed) = with_ten_messages::<H>().await;
    let sample = Sample(harness.store());
    for (asked, got) in [(4, 4), (2, 4), (u64::MAX, 10)] {
        let head = sample
            .0
            .raise_floor(floor(claimed, asked))
            .await
            .expect("its own generation");
        assert_eq!(head.floor, Offset(got));
        assert_eq!(sample.head(5, CHANNEL).await, head);
    }
}

/// A floor is fenced like an append.
pub async fn a_floor_of_an_older_generation_is_refused<H: Harness>() {
    let (harness, old) = with_ten_messages::<H>().await;
    let sample = Sample(harness.store());
    sample.claim(5).await;
    assert_eq!(
        sample.0.raise_floor(floor(old, 8)).await,
        Err(FloorError::Generation)
    );
    assert_eq!(sample.head(5, CHANNEL).await.floor, Offset(0));
}

fn floor(claimed: Claimed, offset: u64) -> FloorRequest {
    let channel = trunkline_shared::Channel::parse(CHANNEL).expect("a good name");
    FloorRequest {
        slot: claimed.slot,
        generation: claimed.generation,
        channel,
        floor: Offset(offset),
    }
}
