use serde_json::{Value, json};
use trunkline_protocol::message::{RpcRequest, RpcResult};
use trunkline_protocol::{Encoding, ReplyBody, Request};
use trunkline_shared::{IdempotencyKey, Publication};

use super::requests::{E1, at};
use super::rig::{Rig, ticket_of};
use crate::exchange::{Answer, RefusedBecause, ToUpstream};
use crate::worker::rpc::rpc_published_body;

fn rpc(params: &Value) -> Request {
    Request::Rpc(RpcRequest {
        method: "publish".into(),
        data: params.to_string().into(),
    })
}

#[track_caller]
fn check(params: &Value, line: &str) {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        rig.send(conn, [(2, rpc(params))]);
        assert_eq!(rig.lines(conn), [line], "{params}");
        assert_eq!(rig.close_code(conn), None);
        assert!(rig.asked().is_empty());
    }
}

/// Sends a publish that is taken; gives what upstream gets.
fn taken(
    rig: &mut Rig,
    encoding: Encoding,
    params: &Value,
) -> (Option<IdempotencyKey>, Publication) {
    let conn = rig.connected(encoding);
    rig.send(conn, [(2, rpc(params))]);
    let asked = rig.asked();
    let [
        ToUpstream::Publish {
            key, publication, ..
        },
    ] = &asked[..]
    else {
        panic!("{asked:?}")
    };
    rig.answer(
        ticket_of(&asked[0]).expect("a ticket"),
        Answer::Published { position: None },
    );
    assert_eq!(rig.lines(conn), ["2 rpc"]);
    (key.clone(), publication.clone())
}

#[test]
fn a_publish_by_rpc_goes_upstream_with_its_key_and_the_clients_name() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let params =
            json!({"channel": "plain:a", "data": {"a": 1}, "idempotency_key": "ключ", "more": 1});
        let (key, publication) = taken(&mut rig, encoding, &params);
        let expected = IdempotencyKey::new("ключ".as_bytes()).expect("a good key");
        assert_eq!(key, Some(expected));
        assert_eq!(publication.data.bytes(), r#"{"a":1}"#);
        assert!(publication.is_json && publication.info.is_some());
    }
}

#[test]
fn a_publish_by_rpc_may_have_no_key_and_any_json_as_data() {
    for params in [
        json!({"channel": "plain:a", "data": null}),
        json!({"channel": "plain:a", "data": null, "idempotency_key": null}),
        json!({"channel": "plain:a", "data": null, "idempotency_key": ""}),
    ] {
        let (key, publication) = taken(&mut Rig::new(), Encoding::Json, &params);
        assert_eq!(key, None);
        assert_eq!(publication.data.bytes(), "null");
    }
}

#[test]
fn its_answer_says_where_it_stands() {
    let data = |position| {
        let ReplyBody::Rpc(RpcResult { data }) = rpc_published_body(position) else {
            panic!("the answer of an rpc")
        };
        serde_json::from_slice::<Value>(&data).ok()
    };
    let epoch = E1.to_string();
    assert_eq!(
        data(Some(at(E1, 7))),
        Some(json!({"offset": 7, "epoch": epoch}))
    );
    assert_eq!(data(None), Some(json!({})));
}

#[test]
fn parameters_that_make_no_sense_are_error_107() {
    for params in [
        json!(null),
        json!(["plain:a", 1]),
        json!({"data": 1}),
        json!({"channel": "", "data": 1}),
        json!({"channel": 7, "data": 1}),
        json!({"channel": "plain:a"}),
        json!({"channel": "plain:a", "data": 1, "idempotency_key": 7}),
        json!({"channel": "plain:a", "data": 1, "idempotency_key": "k".repeat(256)}),
        json!({"channel": "json:a", "data": [1]}),
    ] {
        check(&params, "2 error 107");
    }
}

#[test]
fn what_a_client_may_not_publish_it_may_not_publish_by_rpc() {
    check(&json!({"channel": "nosuch:a", "data": 1}), "2 error 102");
    check(&json!({"channel": "closed:a", "data": 1}), "2 error 103");
    check(&json!({"channel": "open:a", "data": 1}), "2 error 103");
}

#[test]
fn a_publish_by_rpc_that_upstream_refuses_is_error_100() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, [(2, rpc(&json!({"channel": "plain:a", "data": 1})))]);
    let ticket = rig.ticket();
    rig.answer(ticket, Answer::Refused(RefusedBecause::Temporary));
    assert_eq!(rig.lines(conn), ["2 error 100"]);
}
