//! What JSON leaves out, and what it never does.

use std::collections::BTreeMap;

use bytes::Bytes;
use trunkline_protocol::client::ServerMessage;
use trunkline_protocol::message::{
    ClientInfo, ConnectResult, Disconnect, Error, HistoryResult, Join, Leave, Message,
    PresenceResult, PresenceStatsResult, Publication, Refresh, RefreshResult, RpcResult,
    SubRefreshResult, Subscribe, SubscribeResult, Unsubscribe,
};
use trunkline_protocol::{Encoding, Push, Reply, ReplyBody, encode_push};

use crate::{messages, push_json, reply_bytes, reply_json};

#[test]
fn a_presence_result_always_has_its_object() {
    let body = ReplyBody::Presence(PresenceResult::default());
    assert_eq!(
        reply_json(1, body),
        r#"{"id":1,"presence":{"presence":{}}}"#
    );
}

#[test]
fn presence_stats_always_have_both_numbers() {
    let body = ReplyBody::PresenceStats(PresenceStatsResult::default());
    assert_eq!(
        reply_json(1, body),
        r#"{"id":1,"presence_stats":{"num_clients":0,"num_users":0}}"#
    );
}

#[test]
fn a_history_result_always_has_all_its_fields() {
    let body = ReplyBody::History(HistoryResult::default());
    let expected = r#"{"id":1,"history":{"publications":[],"epoch":"","offset":0}}"#;
    assert_eq!(reply_json(1, body), expected);
}

#[test]
fn a_client_info_always_has_user_and_client() {
    let presence = BTreeMap::from([("c1".to_owned(), ClientInfo::default())]);
    let body = ReplyBody::Presence(PresenceResult { presence });
    let expected = r#"{"id":1,"presence":{"presence":{"c1":{"user":"","client":""}}}}"#;
    assert_eq!(reply_json(1, body), expected);
}

#[test]
fn everything_else_is_left_out_when_it_holds_nothing() {
    for (body, expected) in [
        (
            ReplyBody::Subscribe(SubscribeResult::default()),
            r#"{"id":7,"subscribe":{}}"#,
        ),
        (ReplyBody::Unsubscribe, r#"{"id":7,"unsubscribe":{}}"#),
        (ReplyBody::Publish, r#"{"id":7,"publish":{}}"#),
        (ReplyBody::Rpc(RpcResult::default()), r#"{"id":7,"rpc":{}}"#),
        (
            ReplyBody::Refresh(RefreshResult::default()),
            r#"{"id":7,"refresh":{}}"#,
        ),
        (
            ReplyBody::SubRefresh(SubRefreshResult::default()),
            r#"{"id":7,"sub_refresh":{}}"#,
        ),
        (ReplyBody::Ping, r#"{"id":7,"ping":{}}"#),
    ] {
        assert_eq!(reply_json(7, body), expected);
    }
    for (push, expected) in [
        (
            Push::Publication(Publication::default()),
            r#"{"push":{"pub":{}}}"#,
        ),
        (Push::Join(Join::default()), r#"{"push":{"join":{}}}"#),
        (Push::Leave(Leave::default()), r#"{"push":{"leave":{}}}"#),
        (
            Push::Message(Message::default()),
            r#"{"push":{"message":{}}}"#,
        ),
        (
            Push::Subscribe(Subscribe::default()),
            r#"{"push":{"subscribe":{}}}"#,
        ),
        (
            Push::Refresh(Refresh::default()),
            r#"{"push":{"refresh":{}}}"#,
        ),
    ] {
        assert_eq!(push_json("", &push), expected);
    }
}

#[test]
fn what_sdks_index_is_never_left_out() {
    let body = ReplyBody::Error(Error::default());
    assert_eq!(reply_json(1, body), r#"{"id":1,"error":{"message":""}}"#);
    let body = ReplyBody::Connect(ConnectResult::default());
    assert_eq!(reply_json(1, body), r#"{"id":1,"connect":{"client":""}}"#);
    let push = Push::Unsubscribe(Unsubscribe::default());
    assert_eq!(
        push_json("c", &push),
        r#"{"push":{"channel":"c","unsubscribe":{"code":0,"reason":""}}}"#
    );
    let push = Push::Disconnect(Disconnect::default());
    assert_eq!(
        push_json("", &push),
        r#"{"push":{"disconnect":{"code":0,"reason":""}}}"#
    );
}

#[test]
fn empty_results_are_present_in_protobuf() {
    for (body, tag) in [
        (ReplyBody::Connect(ConnectResult::default()), 0x2a),
        (ReplyBody::Subscribe(SubscribeResult::default()), 0x32),
        (ReplyBody::Unsubscribe, 0x3a),
        (ReplyBody::Publish, 0x42),
        (ReplyBody::Presence(PresenceResult::default()), 0x4a),
        (
            ReplyBody::PresenceStats(PresenceStatsResult::default()),
            0x52,
        ),
        (ReplyBody::History(HistoryResult::default()), 0x5a),
        (ReplyBody::Rpc(RpcResult::default()), 0x6a),
        (ReplyBody::Refresh(RefreshResult::default()), 0x72),
        (ReplyBody::SubRefresh(SubRefreshResult::default()), 0x7a),
    ] {
        let encoded = reply_bytes(Encoding::Protobuf, 7, body.clone());
        assert_eq!(encoded, [4, 0x08, 7, tag, 0]);
        let reply = ServerMessage::Reply(Reply { id: 7, body });
        assert_eq!(messages(Encoding::Protobuf, &encoded), [reply]);
    }
    let push = Push::Publication(Publication::default());
    let encoded = encode_push(Encoding::Protobuf, "", &push).unwrap();
    assert_eq!(encoded, &[4, 0x22, 2, 0x22, 0][..]);
}

#[test]
fn every_field_of_a_publication_has_its_place() {
    let publication = Publication {
        data: Bytes::from_static(b"[1]"),
        info: Some(ClientInfo {
            user: "u".to_owned(),
            client: "c".to_owned(),
            conn_info: Bytes::from_static(b"{}"),
            chan_info: Bytes::from_static(b"0"),
        }),
        offset: u64::MAX,
        tags: BTreeMap::from([
            ("b".to_owned(), "2".to_owned()),
            ("a".to_owned(), String::new()),
        ]),
        delta: true,
        time: -1,
    };
    let expected = concat!(
        r#"{"push":{"channel":"n","pub":{"data":[1],"#,
        r#""info":{"user":"u","client":"c","conn_info":{},"chan_info":0},"#,
        r#""offset":18446744073709551615,"tags":{"a":"","b":"2"},"delta":true,"time":-1}}}"#
    );
    assert_eq!(push_json("n", &Push::Publication(publication)), expected);
}
