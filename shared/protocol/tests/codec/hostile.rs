//! Bytes from outside: never a panic, always an end.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use trunkline_protocol::client::{decode_messages, encode_commands};
use trunkline_protocol::{DecodeError, Encoding, decode_commands};

use crate::commands_and_error;
use crate::strategies::command;

fn decode_all(frame: &[u8]) {
    let frame = Bytes::copy_from_slice(frame);
    for encoding in Encoding::ALL {
        assert!(decode_commands(encoding, &frame).count() <= frame.len() + 1);
        assert!(decode_messages(encoding, &frame).count() <= frame.len() + 1);
    }
}

fn first_error(encoding: Encoding, frame: impl Into<Bytes>) -> DecodeError {
    decode_commands(encoding, &frame.into())
        .find_map(Result::err)
        .unwrap()
}

proptest! {
    #[test]
    fn random_bytes_do_not_panic(frame in vec(any::<u8>(), 0..256)) {
        decode_all(&frame);
    }

    #[test]
    fn every_prefix_of_a_json_frame_ends(sent in vec(command(Encoding::Json), 1..3)) {
        let frame = encode_commands(Encoding::Json, &sent).unwrap();
        for end in 0..frame.len() {
            decode_all(&frame[..end]);
        }
    }

    #[test]
    fn every_prefix_of_a_protobuf_frame_ends(sent in vec(command(Encoding::Protobuf), 1..3)) {
        let frame = encode_commands(Encoding::Protobuf, &sent).unwrap();
        for end in 0..frame.len() {
            decode_all(&frame[..end]);
        }
    }

    #[test]
    fn a_changed_byte_does_not_panic(
        sent in vec(command(Encoding::Protobuf), 1..3),
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let mut frame = encode_commands(Encoding::Protobuf, &sent).unwrap();
        let at = at.index(frame.len());
        frame[at] = value;
        decode_all(&frame);
    }
}

#[test]
fn a_frame_cut_inside_a_command_is_an_error_after_the_commands_before() {
    let whole = b"\x04\x08\x03\x42\x00\x04\x08\x03\x42\x00";
    for end in 6..whole.len() {
        assert_eq!(
            commands_and_error(Encoding::Protobuf, &whole[..end]),
            (1, true),
            "{end}"
        );
    }
    assert_eq!(commands_and_error(Encoding::Protobuf, whole), (2, false));
}

#[test]
fn a_length_prefix_beyond_the_frame_is_refused_before_it_is_believed() {
    let huge = first_error(
        Encoding::Protobuf,
        &b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"[..],
    );
    assert!(
        matches!(
            huge,
            DecodeError::Truncated {
                declared: u64::MAX,
                left: 1
            }
        ),
        "{huge}"
    );
    let overlong = first_error(Encoding::Protobuf, &[0xff; 11][..]);
    assert!(matches!(overlong, DecodeError::Length), "{overlong}");
    // Inside a command: a channel of 2 GiB.
    let inner = b"\x09\x2a\x07\x0a\xff\xff\xff\xff\x07n";
    assert!(matches!(
        first_error(Encoding::Protobuf, &inner[..]),
        DecodeError::Protobuf(_)
    ));
}

#[test]
fn numbers_out_of_range_are_errors() {
    for line in [
        r#"{"id":4294967296}"#,
        r#"{"id":-1}"#,
        r#"{"id":1.5}"#,
        r#"{"id":1e400}"#,
        r#"{"id":"1"}"#,
        r#"{"id":1,"subscribe":{"offset":18446744073709551616}}"#,
        r#"{"id":1,"subscribe":{"flag":9223372036854775808}}"#,
        r#"{"id":1,"history":{"limit":2147483648}}"#,
    ] {
        let error = first_error(Encoding::Json, line);
        assert!(matches!(error, DecodeError::Json(_)), "{line}: {error}");
    }
}

#[test]
fn a_line_is_one_object() {
    for line in [
        "null",
        "[]",
        "[1]",
        "1",
        "\"x\"",
        "{} {}",
        "{}x",
        "{",
        "\u{feff}{}",
        " ",
    ] {
        assert_eq!(
            commands_and_error(Encoding::Json, line.as_bytes()),
            (0, true),
            "{line}"
        );
    }
    assert!(matches!(
        first_error(Encoding::Json, "null"),
        DecodeError::NotAnObject
    ));
    for line in [
        r#"{"id":1,"publish":["news",{}]}"#,
        r#"{"id":1,"connect":1}"#,
    ] {
        assert_eq!(
            commands_and_error(Encoding::Json, line.as_bytes()),
            (0, true),
            "{line}"
        );
    }
}

#[test]
fn a_payload_that_is_not_json_is_an_error() {
    for data in ["{", "tru", "[1,]", "\u{1}", "'x'"] {
        let line = format!(r#"{{"id":1,"publish":{{"channel":"c","data":{data}}}}}"#);
        assert_eq!(
            commands_and_error(Encoding::Json, line.as_bytes()),
            (0, true),
            "{line}"
        );
    }
}

#[test]
fn strings_that_are_not_utf_8_are_errors() {
    let json = b"{\"id\":1,\"publish\":{\"channel\":\"\xff\"}}";
    assert_eq!(commands_and_error(Encoding::Json, json), (0, true));
    let json = b"{\"id\":1,\"publish\":{\"data\":\"\xff\"}}";
    assert_eq!(commands_and_error(Encoding::Json, json), (0, true));
    let protobuf = b"\x07\x08\x01\x2a\x03\x0a\x01\xff";
    assert_eq!(commands_and_error(Encoding::Protobuf, protobuf), (0, true));
}

/// Twice the most that fits a frame, on the small stack of a test thread.
const DEEP: usize = 128 * 1024;

#[test]
fn a_deep_payload_is_carried() {
    let data = [b"[".repeat(DEEP), b"]".repeat(DEEP)].concat();
    let head = br#"{"id":1,"publish":{"channel":"c","data":"#;
    let frame = [&head[..], &data[..], b"}}"].concat();
    assert_eq!(commands_and_error(Encoding::Json, &frame), (1, false));
}

#[test]
fn a_deep_unknown_field_is_ignored() {
    let value = [br#"{"a":"#.repeat(DEEP), b"1".to_vec(), b"}".repeat(DEEP)].concat();
    let frame = [&br#"{"id":1,"new":"#[..], &value[..], b"}"].concat();
    assert_eq!(commands_and_error(Encoding::Json, &frame), (1, false));
}

#[test]
fn a_deep_filter_is_an_error() {
    let value = [br#"{"nodes":["#.repeat(DEEP), b"]}".repeat(DEEP)].concat();
    let frame = [&br#"{"id":1,"subscribe":{"tf":"#[..], &value[..], b"}}"].concat();
    assert_eq!(commands_and_error(Encoding::Json, &frame), (0, true));

    let mut node = Vec::new();
    for _ in 0..500 {
        node = prefixed(0x32, &node);
    }
    let subscribe = prefixed(0x2a, &prefixed(0x6a, &node));
    let frame = [varint(subscribe.len()), subscribe].concat();
    assert_eq!(commands_and_error(Encoding::Protobuf, &frame), (0, true));
}

fn prefixed(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag], &varint(value.len())[..], value].concat()
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}
