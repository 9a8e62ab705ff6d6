//! Values read back as written, damaged ones are refused, and the bytes of version 1 stay as they are.

use bytes::Bytes;
use proptest::prelude::*;
use smol_str::SmolStr;
use trunkline_shared::{ClientInfo, Incarnation, Payload, Publication, PublishId, Trace};
use trunkline_store_core::StoredMessage;
use trunkline_store_core::suite::make;

use super::*;

fn text() -> impl Strategy<Value = SmolStr> {
    "\\PC{0,12}|[\\x00a]{0,3}".prop_map(SmolStr::from)
}

fn payload() -> impl Strategy<Value = Payload> {
    prop::collection::vec(any::<u8>(), 0..64).prop_map(|bytes| Payload::new(Bytes::from(bytes)))
}

fn info() -> impl Strategy<Value = ClientInfo> {
    (text(), text(), payload(), payload()).prop_map(|(user, client, conn_info, chan_info)| {
        ClientInfo {
            user,
            client,
            conn_info,
            chan_info,
        }
    })
}

fn trace() -> impl Strategy<Value = Trace> {
    (
        any::<u64>(),
        any::<u64>(),
        any::<Option<([u8; 16], [u8; 8], u8)>>(),
    )
        .prop_map(|(entered_micros, left_owner_micros, context)| Trace {
            entered_micros,
            left_owner_micros,
            context,
        })
}

prop_compose! {
    fn message()(
        edge: [u8; 16], counter: u64, offset: u64, time: u64, is_json: bool,
        data in payload(), info in prop::option::of(info()),
        tags in prop::collection::vec((text(), text()), 0..4), origin in text(), trace in trace(),
    ) -> StoredMessage {
        let (offset, time) = (Offset(offset), UnixMillis(time));
        let publication = Publication { offset, data, is_json, info, tags, time, origin, trace };
        StoredMessage { id: PublishId { edge: Incarnation(edge), counter }, publication }
    }
}

proptest! {
    #[test]
    fn a_message_reads_back_as_written(message in message()) {
        let value = encode_message(&message);
        prop_assert_eq!(decode_message(message.publication.offset, &value), Ok(message));
    }

    #[test]
    fn a_head_reads_back_as_written(offset: u64, floor: u64, touched: u64) {
        let head = Head { offset: Offset(offset), floor: Offset(floor) };
        let row = HeadRow { head, touched: Some(UnixMillis(touched)) };
        prop_assert_eq!(decode_head(&encode_head(head, UnixMillis(touched))), Ok(row));
    }

    #[test]
    fn a_slot_reads_back_as_written(numbers: [u64; 5], timelines: [u32; 2]) {
        let row = SlotRow {
            generation: Generation(numbers[0]),
            epoch: Epoch { timeline: timelines[0], id: numbers[1] },
            view: ViewVersion { birth: UnixMillis(numbers[2]), timeline: timelines[1], number: numbers[3] },
            mark: Offset(numbers[4]),
        };
        prop_assert_eq!(decode_slot(&encode_slot(&row)), Ok(row));
    }

    #[test]
    fn a_place_reads_back_as_written(name in "\\PC{1,60}", offset: u64) {
        let place = Place { channel: make::channel(&name), offset: Offset(offset) };
        prop_assert_eq!(decode_place(&encode_place(&place.channel, place.offset)), Ok(place));
    }

    #[test]
    fn a_key_reads_back_as_written(offset: u64, time: u64, stored: u64) {
        let row = KeyRow {
            offset: Offset(offset), time: UnixMillis(time), stored: UnixMillis(stored),
        };
        prop_assert_eq!(decode_key(&encode_key(row)), Ok(row));
    }

    #[test]
    fn one_wrong_bit_is_found(message in message(), place: prop::sample::Index, bit in 0..8) {
        let mut value = encode_message(&message);
        let place = place.index(value.len());
        value[place] ^= 1_u8 << bit;
        prop_assert_eq!(decode_message(Offset(1), &value), Err(DecodeError::Checksum));
    }

    #[test]
    fn any_bytes_are_read_without_panic(fields: Vec<u8>) {
        let mut out = Encoder::new(VERSION, fields.len());
        out.raw(&fields);
        let value = out.finish();
        let _ = decode_message(Offset(1), &value);
        let _ = decode_head(&value);
        let _ = decode_slot(&value);
        let _ = decode_place(&value);
        let _ = decode_key(&value);
        let _ = decode_view(&value);
        let _ = decode_rules(&value);
        let _ = decode_number(&value);
    }
}

#[test]
fn a_view_reads_back_as_written() {
    let view = make::ring_view(4);
    assert_eq!(decode_view(&encode_view(&view)), Ok(view));
}

#[test]
fn rules_read_back_as_written_and_damage_shows() {
    let value = encode_rules(b"{}\0\xff");
    assert_eq!(decode_rules(&value), Ok(Bytes::from_static(b"{}\0\xff")));
    let cut = &value[..value.len() - 1];
    assert_eq!(decode_rules(cut), Err(DecodeError::Checksum));
}

#[test]
fn a_later_version_is_named() {
    let later = |version| {
        let mut out = Encoder::new(version, 48);
        out.raw(&[0; 48]);
        out.finish()
    };
    let three = DecodeError::UnknownVersion(3);
    assert_eq!(decode_head(&later(3)), Err(three.clone()));
    assert_eq!(decode_slot(&later(3)), Err(three));
    let two = DecodeError::UnknownVersion(2);
    assert_eq!(decode_number(&later(2)), Err(two));
}

#[test]
fn the_bytes_of_version_1_stay() {
    let mut message = make::message(5);
    message.publication.is_json = true;
    message.publication.tags = vec![("kind".into(), "text".into())];
    let values = [
        encode_message(&message),
        encode_place(&make::channel("chat:1"), Offset(5)),
        encode_number(1),
    ];
    assert_eq!(values.map(hex::encode), BYTES_OF_VERSION_1);
}

const HEAD: Head = Head {
    offset: Offset(5),
    floor: Offset(2),
};

const SLOT: SlotRow = SlotRow {
    generation: Generation(3),
    epoch: Epoch::new(9),
    view: make::view(4),
    mark: Offset(6),
};

#[test]
fn heads_and_slots_of_version_1_are_read() {
    let head = hex::decode("0100000000000000050000000000000002ead01e9d").expect("hex");
    let row = HeadRow {
        head: HEAD,
        touched: None,
    };
    assert_eq!(decode_head(&head), Ok(row));
    let slot = concat!(
        "01000000000000000300000000000000000000000900000000000000010000000000000000000000",
        "04bd5e366a",
    );
    let slot = hex::decode(slot).expect("hex");
    let row = SlotRow {
        mark: Offset::ZERO,
        ..SLOT
    };
    assert_eq!(decode_slot(&slot), Ok(row));
}

#[test]
fn the_bytes_of_version_2_stay() {
    let values = [encode_head(HEAD, UnixMillis(7)), encode_slot(&SLOT)];
    assert_eq!(values.map(hex::encode), BYTES_OF_VERSION_2);
}

const BYTES_OF_VERSION_2: [&str; 2] = [
    "020000000000000005000000000000000200000000000000073d95797b",
    concat!(
        "02000000000000000300000000000000000000000900000000000000010000000000000000000000",
        "04000000000000000692938411",
    ),
];

const BYTES_OF_VERSION_1: [&str; 3] = [
    concat!(
        "010107070707070707070707070707070707000000000000000500000000000003ed000000076575",
        "2d776573740000000000000000000000000000000000000001000000046b696e6400000004746578",
        "74000000096d6573736167652035477a6530",
    ),
    "01000000000000000500000006636861743a319c5a1f9e",
    "0100000000000000018675307b",
];
