//! Typical frames, byte for byte, as they stand on the wire.

use bytes::Bytes;
use trunkline_protocol::message::{
    ClientInfo, ConnectRequest, ConnectResult, Error, Publication, PublishRequest,
    SubscribeRequest, SubscribeResult, Unsubscribe,
};
use trunkline_protocol::{
    Command, Encoding, ErrorCode, Push, ReplyBody, Request, UnsubscribeCode, client, encode_push,
};

use crate::{commands, push_json, reply_bytes, reply_json};

const CONNECT_AND_SUBSCRIBE: &str = concat!(
    r#"{"connect":{"token":"<jwt>","name":"js"},"id":1}"#,
    "\n",
    r#"{"subscribe":{"channel":"news","flag":1},"id":2}"#,
);

fn connect() -> Command {
    let request = ConnectRequest {
        token: "<jwt>".to_owned(),
        name: "js".to_owned(),
        ..ConnectRequest::default()
    };
    Command {
        id: 1,
        request: Request::Connect(request),
    }
}

fn subscribe() -> Command {
    let request = SubscribeRequest {
        channel: "news".to_owned(),
        flag: 1,
        ..SubscribeRequest::default()
    };
    Command {
        id: 2,
        request: Request::Subscribe(request),
    }
}

fn publish() -> Command {
    let data = Bytes::from_static(br#"{"x":1}"#);
    let request = PublishRequest {
        channel: "news".to_owned(),
        data,
        r#type: 0,
    };
    Command {
        id: 3,
        request: Request::Publish(request),
    }
}

fn publication(info: Option<ClientInfo>, offset: u64) -> Push {
    let data = Bytes::from_static(br#"{"x":1}"#);
    Push::Publication(Publication {
        data,
        info,
        offset,
        ..Publication::default()
    })
}

#[test]
fn connect_and_subscribe_come_in_one_json_frame() {
    let decoded = commands(Encoding::Json, CONNECT_AND_SUBSCRIBE.as_bytes());
    assert_eq!(decoded, [connect(), subscribe()]);
}

#[test]
fn connect_and_subscribe_come_in_one_protobuf_frame() {
    let frame =
        b"\x0f\x08\x01\x22\x0b\x0a\x05<jwt>\x22\x02js\x0c\x08\x02\x2a\x08\x0a\x04news\x70\x01";
    assert_eq!(
        commands(Encoding::Protobuf, frame),
        [connect(), subscribe()]
    );
    let encoded = client::encode_commands(Encoding::Protobuf, &[connect(), subscribe()]).unwrap();
    assert_eq!(encoded, frame);
}

#[test]
fn a_publish_as_sdks_send_it() {
    let json = br#"{"publish":{"channel":"news","data":{"x":1}},"id":3}"#;
    assert_eq!(commands(Encoding::Json, json), [publish()]);
    let protobuf = b"\x13\x08\x03\x3a\x0f\x0a\x04news\x12\x07{\"x\":1}";
    assert_eq!(commands(Encoding::Protobuf, protobuf), [publish()]);
}

#[test]
fn a_connect_reply() {
    let result = ConnectResult {
        client: "8fb7".to_owned(),
        version: "trunkline/0.1.0".to_owned(),
        ping: 25,
        pong: true,
        ..ConnectResult::default()
    };
    assert_eq!(
        reply_json(1, ReplyBody::Connect(result.clone())),
        r#"{"id":1,"connect":{"client":"8fb7","version":"trunkline/0.1.0","ping":25,"pong":true}}"#
    );
    assert_eq!(
        reply_bytes(Encoding::Protobuf, 1, ReplyBody::Connect(result)),
        b"\x1f\x08\x01\x2a\x1b\x0a\x048fb7\x12\x0ftrunkline/0.1.0\x38\x19\x40\x01"
    );
}

#[test]
fn a_subscribe_reply() {
    let result = SubscribeResult {
        recoverable: true,
        epoch: "XyZq".to_owned(),
        offset: 4,
        positioned: true,
        ..SubscribeResult::default()
    };
    assert_eq!(
        reply_json(2, ReplyBody::Subscribe(result)),
        r#"{"id":2,"subscribe":{"recoverable":true,"epoch":"XyZq","offset":4,"positioned":true}}"#
    );
}

#[test]
fn a_publication_push() {
    let push = publication(None, 5);
    assert_eq!(
        push_json("news", &push),
        r#"{"push":{"channel":"news","pub":{"data":{"x":1},"offset":5}}}"#
    );
    assert_eq!(
        encode_push(Encoding::Protobuf, "news", &push).unwrap(),
        &b"\x15\x22\x13\x12\x04news\x22\x0b\x22\x07{\"x\":1}\x30\x05"[..]
    );
}

#[test]
fn a_publication_of_a_client_names_it() {
    let info = ClientInfo {
        user: "42".to_owned(),
        client: "8fb7".to_owned(),
        ..ClientInfo::default()
    };
    assert_eq!(
        push_json("news", &publication(Some(info), 6)),
        concat!(
            r#"{"push":{"channel":"news","pub":{"data":{"x":1},"#,
            r#""info":{"user":"42","client":"8fb7"},"offset":6}}}"#
        )
    );
}

#[test]
fn a_publish_reply() {
    assert_eq!(
        reply_json(3, ReplyBody::Publish),
        r#"{"id":3,"publish":{}}"#
    );
    assert_eq!(
        reply_bytes(Encoding::Protobuf, 3, ReplyBody::Publish),
        b"\x04\x08\x03\x42\x00"
    );
}

#[test]
fn an_error_reply() {
    let error = Error::from(ErrorCode::PermissionDenied);
    assert_eq!(
        reply_json(9, ReplyBody::Error(error)),
        r#"{"id":9,"error":{"code":103,"message":"permission denied"}}"#
    );
    let error = Error::from(ErrorCode::Internal);
    assert_eq!(
        reply_json(9, ReplyBody::Error(error)),
        r#"{"id":9,"error":{"code":100,"message":"internal server error","temporary":true}}"#
    );
}

#[test]
fn an_unsubscribe_push() {
    let push = Push::Unsubscribe(Unsubscribe::from(&UnsubscribeCode::InsufficientState));
    assert_eq!(
        push_json("news", &push),
        r#"{"push":{"channel":"news","unsubscribe":{"code":2500,"reason":"insufficient state"}}}"#
    );
}
