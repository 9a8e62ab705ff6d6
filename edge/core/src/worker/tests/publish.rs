use bytes::Bytes;
use serde_json::json;
use trunkline_protocol::message::PublishRequest;
use trunkline_protocol::{Encoding, Request};
use trunkline_shared::Publication;

use super::requests::{E1, at, publish, subscribe_with_token, subscribed, token};
use super::rig::{Rig, config, ticket_of};
use crate::exchange::{RefusedBecause, ToUpstream};
use crate::worker::ConnId;

#[track_caller]
fn check(name: &str, data: &'static str, line: &str) {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, [(2, publish(name, data))]);
    assert_eq!(rig.lines(conn), [line]);
    assert!(rig.asked().is_empty());
}

/// Publishes and gives what upstream gets.
fn published(rig: &mut Rig, conn: ConnId, data: &'static [u8]) -> Publication {
    let data = Bytes::from_static(data);
    let request = PublishRequest {
        channel: "plain:a".into(),
        data,
        ..PublishRequest::default()
    };
    rig.send(conn, [(2, Request::Publish(request))]);
    let asked = rig.asked();
    let [ToUpstream::Publish { publication, .. }] = &asked[..] else {
        panic!("{asked:?}")
    };
    publication.clone()
}

#[test]
fn a_publish_is_answered_when_upstream_has_answered() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        rig.send(conn, [(2, publish("plain:a", "1"))]);
        assert!(rig.lines(conn).is_empty());
        let asked = rig.asked();
        let [ToUpstream::Publish { deadline, .. }] = &asked[..] else {
            panic!("{asked:?}")
        };
        assert_eq!(deadline.since(rig.now.instant), config().command_deadline);
        rig.published(ticket_of(&asked[0]).expect("a ticket"));
        assert_eq!(rig.lines(conn), ["2 publish"]);
    }
}

#[test]
fn what_may_not_or_cannot_be_published_is_refused() {
    check("nosuch:a", "1", "2 error 102");
    check("closed:a", "1", "2 error 103");
    check("plain:a", "", "2 error 107");
    check("json:a", "[1]", "2 error 107");
    check("plain:é", "1", "2 error 107");
    check("open:a", "1", "2 error 103");
}

#[test]
fn a_subscriber_may_publish_where_the_rules_say_so() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(
        conn,
        [
            (2, super::requests::subscribe("open:a")),
            (3, publish("open:a", "1")),
        ],
    );
    assert_eq!(rig.tickets().len(), 2);
}

#[test]
fn other_kinds_of_publish_are_not_available() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    let data = Bytes::from_static(b"1");
    let request = PublishRequest {
        channel: "plain:a".into(),
        data,
        r#type: 1,
    };
    rig.send(conn, [(2, Request::Publish(request))]);
    assert_eq!(rig.lines(conn), ["2 error 108"]);
}

#[test]
fn whether_data_is_json_is_decided_here_and_newlines_go() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Protobuf);
    let json = published(&mut rig, conn, b"{\n\"a\":1}");
    assert_eq!(
        (json.is_json, &json.data.bytes()[..]),
        (true, &b"{\"a\":1}"[..])
    );
    let binary = published(&mut rig, conn, b"\xff\n");
    assert_eq!(
        (binary.is_json, &binary.data.bytes()[..]),
        (false, &b"\xff\n"[..])
    );
}

#[test]
fn a_publication_says_who_published_and_when_it_entered() {
    let mut rig = Rig::new();
    let claims = json!({"sub": "42", "info": {"name": "a"}});
    let conn = rig.connected_with(Encoding::Json, &token(&claims));
    let claims = json!({"sub": "42", "channel": "plain:a", "info": 7});
    rig.send(conn, [(2, subscribe_with_token("plain:a", &claims))]);
    let ticket = rig.ticket();
    rig.answer(ticket, subscribed(None));
    let publication = published(&mut rig, conn, b"1");
    let info = publication.info.expect("a client's publication");
    assert_eq!((&*info.user, info.client.len()), ("42", 36));
    assert_eq!(&info.conn_info.bytes()[..], br#"{"name":"a"}"#);
    assert_eq!(&info.chan_info.bytes()[..], b"7");
    assert_eq!(publication.trace.entered_micros, rig.now.unix.0 * 1000);
}

#[test]
fn the_publisher_gets_its_own_publication_too() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.subscribed_at(conn, "rec:a", Some(at(E1, 0)));
    rig.send(conn, [(3, publish("rec:a", "1"))]);
    let ticket = rig.ticket();
    rig.publication("rec:a", E1, 1);
    rig.published(ticket);
    assert_eq!(rig.lines(conn), ["rec:a pub 1", "3 publish"]);
}

#[test]
fn a_refused_publish_is_temporary_or_final_as_upstream_says() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(
        conn,
        [(2, publish("plain:a", "1")), (3, publish("plain:b", "1"))],
    );
    let tickets = rig.tickets();
    rig.refuse(tickets[0], RefusedBecause::Temporary);
    rig.refuse(tickets[1], RefusedBecause::UnknownChannel);
    assert_eq!(rig.lines(conn), ["2 error 100", "3 error 102"]);
    assert_eq!(rig.worker.stats().counters.errors.get(&102), Some(&1));
}
