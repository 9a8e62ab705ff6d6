//! Idempotency keys: found where and while they should be, written with their message or not at all.

use trunkline_shared::{Offset, UnixMillis};

use super::together::leave;
use super::{Harness, Sample, make};
use crate::request::{AppendOutcome, ChannelAppend, Claimed, FindRequest, FloorRequest, FoundKey};
use crate::traits::{MessageStore, StoreError};

const NONE: [u64; 0] = [];
const COMMITTED: AppendOutcome = AppendOutcome::Committed { refused: vec![] };

impl<S: MessageStore> Sample<'_, S> {
    async fn take(&self, claimed: Claimed, append: ChannelAppend) -> AppendOutcome {
        self.0.append(vec![make::part(claimed, vec![append])]).await
    }
}

/// Not in another channel, not in another slot, whatever their names begin with.
pub async fn a_key_is_found_in_its_channel_only<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    sample.append(claimed, "chat:1", 0, 2).await;
    let append = make::keyed("chat:1", 2, b"once");
    assert_eq!(sample.take(claimed, append).await, COMMITTED);
    let found =
        |slot, name, key: &[u8]| sample.find_keys(make::keys_of(make::slot(slot), name, &[key]));
    assert_eq!(found(5, "chat:1", b"once").await, [3]);
    for (slot, name, key) in [
        (5, "chat:1", &b"onc"[..]),
        (5, "chat:1", b"once\0"),
        (5, "chat:2", b"once"),
        (5, "chat:1o", b"nce"),
        (6, "chat:1", b"once"),
    ] {
        assert_eq!(found(slot, name, key).await, NONE, "{slot} {name} {key:?}");
    }
}

/// The time is the message's own, by the clock of its owner; floor and retention hide nothing.
pub async fn a_key_is_forgotten_by_the_time_of_its_message<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let append = make::keyed("chat:1", 0, b"once");
    let time = append.messages[0].publication.time;
    assert_eq!(sample.take(claimed, append).await, COMMITTED);
    let floor = FloorRequest {
        slot: claimed.slot,
        generation: claimed.generation,
        channel: make::channel("chat:1"),
        floor: Offset(1),
    };
    assert!(sample.0.raise_floor(floor).await.is_ok());
    let asked = |keys_not_before| FindRequest {
        keys_not_before,
        ..make::keys_of(claimed.slot, "chat:1", &[b"once"])
    };
    assert_eq!(sample.find_keys(asked(time)).await, [1]);
    assert_eq!(sample.find_keys(asked(UnixMillis(time.0 + 1))).await, NONE);
}

/// An owner that looked in vain may use a key again, once its time is over.
pub async fn a_key_taken_again_names_the_newer_message<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    for follows in [0, 1] {
        let append = make::keyed("chat:1", follows, b"again");
        assert_eq!(sample.take(claimed, append).await, COMMITTED);
    }
    let asked = FindRequest {
        keys_not_before: make::message(2).publication.time,
        ..make::keys_of(claimed.slot, "chat:1", &[b"again"])
    };
    assert_eq!(sample.find_keys(asked).await, [2]);
}

/// NUL, bytes that are no UTF-8, prefixes of each other, the longest one.
pub async fn keys_of_any_bytes_are_kept_apart<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let keys: [&[u8]; 8] = [
        b"\0",
        b"\0\0",
        b"a",
        b"a\0",
        &[0xff; 255],
        &[0xff; 254],
        &[0xc3, 0x28],
        b"'; --",
    ];
    let channels = vec![ChannelAppend {
        keys: (1..).map(Offset).zip(keys.map(make::key)).collect(),
        ..make::messages("chat:1", 0, 8)
    }];
    let part = make::part(claimed, channels);
    assert_eq!(sample.0.append(vec![part]).await, COMMITTED);
    let asked = make::keys_of(claimed.slot, "chat:1", &keys);
    assert_eq!(sample.find_keys(asked).await, [1, 2, 3, 4, 5, 6, 7, 8]);
}

/// Each of them as it was asked for, whether the others are there or not.
pub async fn keys_and_ids_are_found_in_one_call<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let append = make::keyed("chat:1", 0, b"once");
    assert_eq!(sample.take(claimed, append).await, COMMITTED);
    let asked = FindRequest {
        ids: vec![(claimed.slot, make::id(9)), (claimed.slot, make::id(1))],
        ..make::keys_of(claimed.slot, "chat:1", &[b"never", b"once", b"never"])
    };
    let once = asked.keys[1].clone();
    let found = sample.0.find(asked).await.expect("the store is there");
    assert_eq!(found.ids.len(), 1);
    assert_eq!(found.ids[0].id, make::id(1));
    let offset = Offset(1);
    assert_eq!(found.keys, [FoundKey { key: once, offset }]);
}

/// Refused for its own head, and for that of another channel of the slot.
pub async fn the_key_of_a_refused_message_is_not_found<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let (claimed, other) = (sample.claim(5).await, sample.claim(6).await);
    let refused = vec![
        make::keyed("chat:1", 0, b"whole"),
        make::keyed("chat:2", 7, b"wrong"),
    ];
    let parts = vec![
        make::part(claimed, refused),
        make::part(other, vec![make::keyed("chat:3", 0, b"taken")]),
    ];
    assert_ne!(sample.0.append(parts).await, COMMITTED);
    let found =
        |slot, name, key: &[u8]| sample.find_keys(make::keys_of(make::slot(slot), name, &[key]));
    assert_eq!(found(5, "chat:1", b"whole").await, NONE);
    assert_eq!(found(5, "chat:2", b"wrong").await, NONE);
    assert_eq!(found(6, "chat:3", b"taken").await, [1]);
}

/// An owner with a bug is told so.
pub async fn a_key_of_no_message_fails<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let keys = [
        vec![(Offset(0), make::key(b"before"))],
        vec![(Offset(3), make::key(b"behind"))],
        vec![
            (Offset(1), make::key(b"twice")),
            (Offset(2), make::key(b"twice")),
        ],
    ];
    for keys in keys {
        let append = ChannelAppend {
            keys,
            ..make::messages("chat:1", 0, 2)
        };
        let outcome = sample.take(claimed, append).await;
        let is_data = matches!(outcome, AppendOutcome::Failed(StoreError::Data(_)));
        assert!(is_data, "{outcome:?}");
    }
    sample.append(claimed, "chat:1", 0, 1).await;
}

/// Over a restart and over a crash.
pub async fn keys_survive_with_their_messages<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let append = make::keyed("chat:1", 0, b"once");
    assert_eq!(sample.take(claimed, append).await, COMMITTED);
    let asked = || make::keys_of(claimed.slot, "chat:1", &[b"once"]);
    let harness = harness.reopen().await;
    assert_eq!(Sample(harness.store()).find_keys(asked()).await, [1]);
    let harness = harness.crash().await;
    assert_eq!(Sample(harness.store()).find_keys(asked()).await, [1]);
}

/// Nobody has heard of the append: its key says what its head says.
pub async fn keys_cut_by_a_crash_are_there_with_their_messages_or_not_at_all<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let mut appends = Vec::new();
    for slot in SLOTS {
        let claimed = sample.claim(slot).await;
        appends.push(sample.take(claimed, make::keyed("chat:1", 0, b"once")));
    }
    leave(appends).await;
    let harness = harness.crash().await;
    let sample = Sample(harness.store());
    for slot in SLOTS {
        let claimed = sample.claim(slot).await;
        let head = sample.head(slot, "chat:1").await.offset.0;
        let asked = make::keys_of(claimed.slot, "chat:1", &[b"once"]);
        let found = sample.find_keys(asked).await;
        assert_eq!(found.len() as u64, head, "slot {slot}");
    }
}

const SLOTS: std::ops::Range<u16> = 10..40;
