//! What comes back: messages, names, publish ids, the view.

use bytes::Bytes;
use trunkline_shared::{ClientInfo, Incarnation, Offset, Payload, PublishId, Trace, UnixMillis};

use super::{Harness, Sample, make};
use crate::message::{Head, StoredMessage};
use crate::request::{AppendOutcome, ChannelAppend, Found};
use crate::traits::MessageStore;

/// Every field and every byte.
pub async fn a_message_comes_back_as_it_was_given<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let given = vec![full_message(1), make::message(2), large_message(3)];
    let channel = make::channel("chat:1");
    let append = ChannelAppend {
        channel,
        follows: Offset(0),
        messages: given.clone(),
        keys: Vec::new(),
    };
    let outcome = sample
        .0
        .append(vec![make::part(claimed, vec![append])])
        .await;
    assert_eq!(outcome, AppendOutcome::Committed { refused: vec![] });
    assert_eq!(
        sample
            .range(make::offsets(claimed.slot, "chat:1", 1, 3))
            .await,
        given
    );
}

fn full_message(offset: u64) -> StoredMessage {
    let mut message = make::message(offset);
    message.id = PublishId {
        edge: Incarnation([255; 16]),
        counter: u64::MAX,
    };
    let publication = &mut message.publication;
    publication.data = Payload::new(Bytes::from((0..=255).collect::<Vec<u8>>()));
    publication.is_json = true;
    publication.info = Some(ClientInfo {
        user: "Zoë\0".into(),
        client: "8e9c2a60-1111-4222-8333-444444444444".into(),
        conn_info: Payload::new(Bytes::from_static(b"{\"name\":\"\\u0000\"}")),
        chan_info: Payload::new(Bytes::from_static(&[0, 255, 0])),
    });
    publication.tags = vec![
        ("kind".into(), "text\0".into()),
        ("".into(), "".into()),
        ("kind".into(), "again".into()),
    ];
    publication.time = UnixMillis(u64::MAX);
    publication.origin = "".into();
    publication.trace = Trace {
        entered_micros: 1,
        left_owner_micros: u64::MAX,
        context: Some(([1; 16], [2; 8], 3)),
    };
    message
}

fn large_message(offset: u64) -> StoredMessage {
    let mut message = make::message(offset);
    message.publication.data = Payload::new(Bytes::from(vec![
            0xa5;
            trunkline_shared::limits::PAYLOAD_BYTES_MAX
        ]));
    message
}

/// NUL, prefixes of each other, 255 bytes, anything that is UTF-8.
pub async fn names_of_any_utf8_are_kept_apart<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let long = "ß".repeat(127) + "x";
    let names = [
        "a",
        "a\0",
        "a\0\0",
        "ab",
        "\0",
        "\u{10ffff}",
        "ключ:日本",
        "'; --",
        "%_\\",
        &long,
    ];
    for (count, name) in (1..).zip(names) {
        sample.append(claimed, name, 0, count).await;
    }
    for (count, name) in (1..).zip(names) {
        assert_eq!(sample.head(5, name).await.offset, Offset(count), "{name:?}");
        let all = sample
            .read(make::offsets(claimed.slot, name, 0, u64::MAX))
            .await;
        assert_eq!(all, (1..=count).collect::<Vec<_>>(), "{name:?}");
    }
}

/// A namespace's routing may have changed: a name means nothing without its slot.
pub async fn one_channel_in_two_slots_is_two_channels<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let (low, high) = (sample.claim(5).await, sample.claim(261).await);
    sample.append(low, "chat:1", 0, 2).await;
    sample.append(high, "chat:1", 0, 1).await;
    assert_eq!(
        sample.read(make::offsets(low.slot, "chat:1", 0, 9)).await,
        [1, 2]
    );
    assert_eq!(
        sample.read(make::offsets(high.slot, "chat:1", 0, 9)).await,
        [1]
    );
}

/// Heads come in the order asked, known or not.
pub async fn a_channel_never_written_to_has_the_default_head<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    sample.append(claimed, "chat:1", 0, 2).await;
    let asked = ["chat:2", "chat:1", "chat:3", "chat:1"];
    let asked = asked.map(|name| (claimed.slot, make::channel(name)));
    let written = Head {
        offset: Offset(2),
        floor: Offset(0),
    };
    let heads = sample
        .0
        .heads(asked.to_vec())
        .await
        .expect("the store is there");
    assert_eq!(heads, [Head::default(), written, Head::default(), written]);
}

/// A repeat is found in its slot, with channel and offset; an id that was never stored isn't.
pub async fn a_publish_id_is_found_where_its_message_is<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    sample.append(claimed, "chat:1", 0, 3).await;
    let other_edge = PublishId {
        edge: Incarnation([8; 16]),
        counter: 2,
    };
    let ids = [make::id(9), make::id(2), other_edge];
    let asked = ids.map(|id| (claimed.slot, id)).to_vec();
    let found = sample.find(asked).await;
    let channel = make::channel("chat:1");
    assert_eq!(
        found,
        [Found {
            id: ids[1],
            channel,
            offset: Offset(2)
        }]
    );
    let elsewhere = vec![(make::slot(6), ids[1])];
    assert_eq!(sample.find(elsewhere).await, []);
}

/// Nothing of a refused part is kept, not even its ids.
pub async fn the_id_of_a_refused_message_is_not_found<H: Harness>() {
    let harness = H::open().await;
    let sample = Sample(harness.store());
    let claimed = sample.claim(5).await;
    let channels = vec![
        make::messages("chat:1", 0, 1),
        make::messages("chat:2", 4, 1),
    ];
    sample.0.append(vec![make::part(claimed, channels)]).await;
    let ids = [1, 5]
        .map(|counter| (claimed.slot, make::id(counter)))
        .to_vec();
    assert_eq!(sample.find(ids).await, []);
}
