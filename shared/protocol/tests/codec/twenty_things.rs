//! The things that break SDKs when a server gets them wrong: those that are the codec's.
//!
//! Numbers in the tests' comments are those of the list in the protocol's description.

use std::slice::from_ref;

use bytes::Bytes;
use trunkline_protocol::client::{ServerMessage, encode_commands};
use trunkline_protocol::message::{
    ConnectResult, HistoryResult, Publication, PublishRequest, SubscribeRequest, SubscribeResult,
};
use trunkline_protocol::{
    Command, DisconnectCode, EncodeError, Encoding, Push, Reply, ReplyBody, Request, encode_push,
    encode_reply,
};

use crate::{commands, commands_and_error, messages, push_json, reply_json};

fn publication(data: &'static [u8]) -> Push {
    let data = Bytes::from_static(data);
    Push::Publication(Publication {
        data,
        offset: 1,
        ..Publication::default()
    })
}

/// 1
#[test]
fn a_reply_has_the_commands_id_and_a_push_has_none() {
    assert!(reply_json(77, ReplyBody::Publish).starts_with(r#"{"id":77,"#));
    assert!(!push_json("c", &publication(b"1")).contains("\"id\""));
    for encoding in Encoding::ALL {
        let push = encode_push(encoding, "c", &publication(b"1")).unwrap();
        assert!(matches!(
            &messages(encoding, &push)[..],
            [ServerMessage::Push { .. }]
        ));
    }
}

/// 2
#[test]
fn a_ping_is_an_empty_object_or_a_zero_byte_and_so_is_a_pong() {
    assert_eq!(Encoding::Json.ping(), b"{}");
    assert_eq!(Encoding::Protobuf.ping(), [0]);
    for encoding in Encoding::ALL {
        assert_eq!(messages(encoding, encoding.ping()), [ServerMessage::Ping]);
        let pong = Command {
            id: 0,
            request: Request::None,
        };
        assert!(pong.is_pong());
        assert_eq!(commands(encoding, encoding.ping()), from_ref(&pong));
        assert_eq!(encode_commands(encoding, &[pong]).unwrap(), encoding.ping());
    }
}

/// 3
#[test]
fn close_reasons_are_there_and_are_not_json() {
    for code in DisconnectCode::ALL {
        assert!((1..=123).contains(&code.reason().len()), "{code:?}");
        assert!(
            DisconnectCode::custom(4000, code.reason()).is_ok(),
            "{code:?}"
        );
    }
}

/// 5
#[test]
fn an_expiring_connect_shows_its_ttl() {
    let result = ConnectResult {
        expires: true,
        ttl: 60,
        ..ConnectResult::default()
    };
    let expected = r#"{"id":1,"connect":{"client":"","expires":true,"ttl":60}}"#;
    assert_eq!(reply_json(1, ReplyBody::Connect(result)), expected);
}

/// 6
#[test]
fn commands_of_a_frame_come_in_order_up_to_the_malformed_one() {
    let frame =
        b"{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"c\"}}\n{\"id\":";
    assert_eq!(commands_and_error(Encoding::Json, frame), (2, true));
    let ids: Vec<u32> = commands(Encoding::Json, &frame[..frame.len() - 6])
        .iter()
        .map(|command| command.id)
        .collect();
    assert_eq!(ids, [1, 2]);
}

/// 9
#[test]
fn a_command_without_id_is_a_pong_unless_it_sends() {
    let decoded = commands(
        Encoding::Json,
        b"{}\n{\"subscribe\":{\"channel\":\"c\"}}\n{\"send\":{\"data\":1}}\n{\"id\":1}",
    );
    let pongs: Vec<bool> = decoded.iter().map(Command::is_pong).collect();
    assert_eq!(pongs, [true, true, false, false]);
}

/// 10
#[test]
fn a_ping_of_a_client_is_known_as_such() {
    let ping = Command {
        id: 5,
        request: Request::Ping,
    };
    assert_eq!(
        commands(Encoding::Json, br#"{"id":5,"ping":{}}"#),
        from_ref(&ping)
    );
    assert_eq!(
        commands(Encoding::Protobuf, b"\x04\x08\x05\x5a\x00"),
        [ping]
    );
}

/// 14
#[test]
fn integers_are_json_numbers_up_to_the_largest() {
    let result = HistoryResult {
        offset: u64::MAX,
        ..HistoryResult::default()
    };
    let json = reply_json(1, ReplyBody::History(result));
    assert!(json.contains(r#""offset":18446744073709551615"#), "{json}");
    let result = ConnectResult {
        time: i64::MIN,
        ..ConnectResult::default()
    };
    let json = reply_json(1, ReplyBody::Connect(result));
    assert!(json.contains(r#""time":-9223372036854775808"#), "{json}");
}

/// 15
#[test]
fn payloads_are_embedded_as_the_json_they_are() {
    let json = push_json("c", &publication(br#"{"n": 1.0e2, "u": "\u00e9</a>"}"#));
    assert!(
        json.contains(r#""data":{"n": 1.0e2, "u": "\u00e9</a>"},"#),
        "{json}"
    );
    let frame = r#"{"id":1,"publish":{"channel":"c","data": {"n": 1.0e2,"é":"\u00e9"} }}"#;
    let data = Bytes::from_static(r#"{"n": 1.0e2,"é":"\u00e9"}"#.as_bytes());
    let request = PublishRequest {
        channel: "c".to_owned(),
        data,
        r#type: 0,
    };
    let expected = Command {
        id: 1,
        request: Request::Publish(request),
    };
    assert_eq!(commands(Encoding::Json, frame.as_bytes()), [expected]);
}

/// 15
#[test]
fn a_payload_that_is_null_is_none() {
    let frame = br#"{"id":1,"publish":{"channel":"c","data":null}}"#;
    let request = PublishRequest {
        channel: "c".to_owned(),
        ..PublishRequest::default()
    };
    let expected = Command {
        id: 1,
        request: Request::Publish(request),
    };
    assert_eq!(commands(Encoding::Json, frame), [expected]);
}

/// 15
#[test]
fn a_binary_payload_cannot_be_pushed_to_a_json_client() {
    let push = publication(b"\x00\x01");
    assert_eq!(
        encode_push(Encoding::Json, "c", &push),
        Err(EncodeError::NotJson)
    );
    assert!(encode_push(Encoding::Protobuf, "c", &push).is_ok());
}

/// 15
#[test]
fn a_reply_that_cannot_be_written_leaves_no_trace() {
    let Push::Publication(binary) = publication(b"\xff") else {
        panic!("a publication was made");
    };
    let result = HistoryResult {
        publications: vec![binary],
        ..HistoryResult::default()
    };
    let reply = Reply {
        id: 1,
        body: ReplyBody::History(result),
    };
    let mut out = b"{}".to_vec();
    assert_eq!(
        encode_reply(Encoding::Json, &reply, &mut out),
        Err(EncodeError::NotJson)
    );
    assert_eq!(out, b"{}");
}

/// 16
#[test]
fn json_frames_are_lines_with_at_most_one_newline_at_the_end() {
    assert_eq!(commands_and_error(Encoding::Json, b"{}"), (1, false));
    assert_eq!(commands_and_error(Encoding::Json, b"{}\n"), (1, false));
    assert_eq!(commands_and_error(Encoding::Json, b"{}\n{}\n"), (2, false));
    assert_eq!(commands_and_error(Encoding::Json, b"{}\n\n"), (1, true));
    assert_eq!(commands_and_error(Encoding::Json, b"{}\n\n{}"), (1, true));
    assert_eq!(commands_and_error(Encoding::Json, b"\n{}"), (0, true));
    assert_eq!(commands_and_error(Encoding::Json, b"\n"), (0, true));
}

/// 16
#[test]
fn an_empty_frame_is_an_error() {
    for encoding in Encoding::ALL {
        assert_eq!(commands_and_error(encoding, b""), (0, true));
    }
}

/// 16
#[test]
fn newlines_of_a_payload_do_not_split_a_push() {
    let json = push_json("c", &publication(b"{\n  \"a\": \"x\\ny\"\n}\n"));
    assert_eq!(
        json,
        r#"{"push":{"channel":"c","pub":{"data":{  "a": "x\ny"},"offset":1}}}"#
    );
}

/// 16
#[test]
fn names_with_newlines_do_not_split_a_push() {
    let json = push_json("a\nb\u{2028}", &publication(b"1"));
    assert!(!json.contains('\n'), "{json}");
}

/// 17, 20
#[test]
fn unknown_fields_and_flag_bits_are_ignored() {
    let json = br#"{"id":2,"x":{"y":[1]},"subscribe":{"channel":"c","flag":1025,"new":true}}"#;
    let protobuf = b"\x10\x08\x02\x2a\x09\x0a\x01c\x70\x81\x08\xa0\x06\x01\xf8\x01\x01";
    let request = SubscribeRequest {
        channel: "c".to_owned(),
        flag: 1025,
        ..SubscribeRequest::default()
    };
    let expected = Command {
        id: 2,
        request: Request::Subscribe(request),
    };
    assert_eq!(commands(Encoding::Json, json), from_ref(&expected));
    assert_eq!(commands(Encoding::Protobuf, protobuf), [expected]);
}

/// 17
#[test]
fn requests_of_other_kinds_are_known_by_their_type() {
    let json = concat!(
        r#"{"id":1,"subscribe":{"channel":"c","type":1,"phase":2,"cursor":"x","limit":5}}"#,
        "\n",
        r#"{"id":2,"publish":{"channel":"c","type":1,"key":"k","data":{}}}"#,
        "\n",
        r#"{"id":3,"sub_refresh":{"channel":"c","type":1,"track":[{"items":[{"key":"k"}]}]}}"#,
    );
    let decoded = commands(Encoding::Json, json.as_bytes());
    let requests: Vec<&Request> = decoded.iter().map(|command| &command.request).collect();
    let [
        Request::Subscribe(subscribe),
        Request::Publish(publish),
        Request::SubRefresh(refresh),
    ] = requests[..]
    else {
        unreachable!("{requests:?}")
    };
    assert_eq!(
        [subscribe.r#type, publish.r#type, refresh.r#type],
        [1, 1, 1]
    );
}

/// 19
#[test]
fn a_delta_is_a_json_string() {
    let data = Bytes::from_static(br#""1D\n5@0,3:{}\n1Q;""#);
    let push = Push::Publication(Publication {
        data,
        delta: true,
        ..Publication::default()
    });
    let expected = r#"{"push":{"channel":"c","pub":{"data":"1D\n5@0,3:{}\n1Q;","delta":true}}}"#;
    assert_eq!(push_json("c", &push), expected);
}

/// 20
#[test]
fn null_reads_as_nothing() {
    let json = br#"{"id":1,"connect":null,"subscribe":{"channel":null,"offset":null,"tf":null}}"#;
    let expected = Command {
        id: 1,
        request: Request::Subscribe(SubscribeRequest::default()),
    };
    assert_eq!(commands(Encoding::Json, json), [expected]);
}

/// 20
#[test]
fn of_several_requests_the_first_in_dispatch_order_counts() {
    let json = br#"{"id":1,"ping":{},"send":{},"rpc":{"method":"m"},"history":null}"#;
    let decoded = commands(Encoding::Json, json);
    assert!(matches!(decoded[0].request, Request::Rpc(_)), "{decoded:?}");
}

/// 11, 12: which offset it is, is the session's; that zero is left out, is ours.
#[test]
fn a_recovery_from_the_start_shows_no_offset() {
    let result = SubscribeResult {
        recoverable: true,
        epoch: "e".to_owned(),
        recovered: true,
        was_recovering: true,
        ..SubscribeResult::default()
    };
    let expected = concat!(
        r#"{"id":2,"subscribe":{"recoverable":true,"epoch":"e","#,
        r#""recovered":true,"was_recovering":true}}"#
    );
    assert_eq!(reply_json(2, ReplyBody::Subscribe(result)), expected);
}
