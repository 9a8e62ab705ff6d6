use serde_json::json;
use trunkline_protocol::message::{FilterNode, SubscribeRequest};
use trunkline_protocol::{Encoding, Request};

use super::requests::{E1, at, connect, subscribe, subscribe_with_token, subscribed, unsubscribe};
use super::rig::{Rig, config};
use crate::exchange::{RefusedBecause, ToUpstream};
use crate::worker::ClientConfig;

/// What a client is answered without anything being asked of upstream.
#[track_caller]
fn check(user: &str, request: Request, line: &str) {
    let mut rig = Rig::new();
    let conn = if user.is_empty() {
        rig.connected(Encoding::Json)
    } else {
        rig.user(user)
    };
    rig.send(conn, [(2, request)]);
    assert_eq!(rig.lines(conn), [line]);
    assert!(rig.asked().is_empty());
    assert_eq!(rig.close_code(conn), None);
}

/// Whether a subscribe is let through to upstream.
#[track_caller]
fn check_allowed(user: &str, request: Request) {
    let mut rig = Rig::new();
    let conn = if user.is_empty() {
        rig.connected(Encoding::Json)
    } else {
        rig.user(user)
    };
    rig.send(conn, [(2, request)]);
    let ticket = rig.ticket();
    rig.answer(ticket, subscribed(None));
    assert_eq!(rig.lines(conn), ["2 subscribe"]);
}

fn with(channel: &str, change: impl FnOnce(&mut SubscribeRequest)) -> Request {
    let mut request = SubscribeRequest {
        channel: channel.into(),
        ..SubscribeRequest::default()
    };
    change(&mut request);
    Request::Subscribe(request)
}

#[test]
fn an_ephemeral_channel_has_no_position() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        rig.send(
            conn,
            [(
                2,
                with("plain:x", |r| (r.positioned, r.recoverable) = (true, true)),
            )],
        );
        let ticket = rig.ticket();
        rig.answer(ticket, subscribed(None));
        assert_eq!(rig.lines(conn), ["2 subscribe"]);
    }
}

#[test]
fn position_and_recovery_are_given_when_asked_for_or_forced() {
    let cases = [
        (with("open:x", |_| ()), "2 subscribe"),
        (
            with("open:x", |r| r.positioned = true),
            "2 subscribe e1@5 positioned",
        ),
        (
            with("open:x", |r| r.recoverable = true),
            "2 subscribe e1@5 positioned recoverable",
        ),
        (
            with("rec:x", |_| ()),
            "2 subscribe e1@5 positioned recoverable",
        ),
        (with("pos:x", |_| ()), "2 subscribe e1@5 positioned"),
    ];
    for (request, line) in cases {
        let mut rig = Rig::new();
        let conn = rig.connected(Encoding::Json);
        rig.send(conn, [(2, request)]);
        let ticket = rig.ticket();
        rig.answer(ticket, subscribed(Some(at(E1, 5))));
        assert_eq!(rig.lines(conn), [line]);
    }
}

#[test]
fn a_subscribe_carries_its_deadline_upstream() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, [(2, subscribe("open:x"))]);
    let asked = rig.asked();
    let [
        ToUpstream::Subscribe {
            deadline,
            recover: None,
            ..
        },
    ] = &asked[..]
    else {
        panic!("{asked:?}");
    };
    assert_eq!(deadline.since(rig.now.instant), config().command_deadline);
}

#[test]
fn unknown_and_closed_namespaces_are_refused() {
    check("", subscribe("nosuch:x"), "2 error 102");
    check("", subscribe("closed:x"), "2 error 103");
}

#[test]
fn without_rules_everything_about_channels_is_temporary() {
    let mut rig = Rig::without_rules(config());
    let conn = rig.connected(Encoding::Json);
    let publish = super::requests::publish("open:x", "1");
    rig.send(conn, [(2, subscribe("nosuch:x")), (3, publish)]);
    rig.send(conn, [(4, super::requests::history("open:x", 1))]);
    rig.send(
        conn,
        [
            (5, super::requests::presence("open:x")),
            (6, unsubscribe("open:x")),
        ],
    );
    let errors = [2, 3, 4, 5].map(|id| format!("{id} error 100"));
    assert_eq!(
        rig.lines(conn),
        [&errors[..], &["6 unsubscribe".to_owned()]].concat()
    );
}

#[test]
fn names_that_are_too_long_or_not_ascii_are_refused() {
    check(
        "",
        subscribe(&format!("open:{}", "x".repeat(251))),
        "2 error 107",
    );
    check("", subscribe("open:é"), "2 error 107");
    check_allowed("", subscribe(&format!("plain:{}", "x".repeat(249))));
}

#[test]
fn an_anonymous_client_needs_the_anonymous_permission() {
    check("", subscribe("lobby"), "2 error 103");
    check_allowed("42", subscribe("lobby"));
}

#[test]
fn a_channel_is_had_once() {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        rig.send(conn, [(2, subscribe("plain:x")), (3, subscribe("plain:x"))]);
        let ticket = rig.ticket();
        rig.answer(ticket, subscribed(None));
        assert_eq!(rig.lines(conn), ["2 subscribe", "3 error 105"]);
        rig.send(conn, [(4, subscribe("plain:x"))]);
        assert_eq!(rig.lines(conn), ["4 error 105"]);
    }
}

#[test]
fn one_channel_too_many_is_error_106() {
    let mut rig = Rig::with(ClientConfig {
        channel_limit: 2,
        ..config()
    });
    let conn = rig.connected(Encoding::Json);
    for name in ["plain:a", "plain:b"] {
        rig.subscribed_at(conn, name, None);
    }
    rig.send(conn, [(3, subscribe("plain:c"))]);
    assert_eq!(rig.lines(conn), ["3 error 106"]);
    rig.send(
        conn,
        [(4, unsubscribe("plain:a")), (5, subscribe("plain:c"))],
    );
    assert_eq!(rig.tickets().len(), 1);
}

#[test]
fn other_kinds_of_subscription_are_not_available() {
    for kind in [1, 2, 3, 4] {
        check(
            "",
            with("open:x", |request| request.r#type = kind),
            "2 error 108",
        );
    }
}

#[test]
fn an_unknown_delta_closes_and_a_known_one_is_not_negotiated() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(
        conn,
        [(2, with("open:x", |request| request.delta = "xyz".into()))],
    );
    assert_eq!(rig.close_code(conn), Some(3501));
    check_allowed(
        "",
        with("plain:x", |request| request.delta = "fossil".into()),
    );
}

#[test]
fn a_tags_filter_is_refused() {
    check(
        "",
        with("open:x", |r| r.tf = Some(FilterNode::default())),
        "2 error 107",
    );
}

#[test]
fn unknown_flags_are_ignored() {
    check_allowed("", with("plain:x", |request| request.flag = 1 | 1 << 40));
}

#[test]
fn a_private_channel_needs_a_token() {
    check("42", subscribe("$plain:x"), "2 error 103");
    let claims = json!({"sub": "42", "channel": "$closed:x"});
    check_allowed("42", subscribe_with_token("$closed:x", &claims));
}

#[test]
fn a_token_opens_a_closed_channel_for_its_user_only() {
    let claims = json!({"sub": "42", "channel": "closed:x"});
    check_allowed("42", subscribe_with_token("closed:x", &claims));
    for (user, channel) in [("43", "closed:x"), ("42", "closed:y")] {
        let mut rig = Rig::new();
        let conn = rig.user(user);
        rig.send(conn, [(2, subscribe_with_token(channel, &claims))]);
        assert_eq!(rig.close_code(conn), Some(3500));
    }
}

#[test]
fn a_token_of_another_client_closes() {
    let mut rig = Rig::new();
    let conn = rig.user("42");
    let claims = json!({"sub": "42", "channel": "closed:x", "client": "somebody"});
    rig.send(conn, [(2, subscribe_with_token("closed:x", &claims))]);
    assert_eq!(rig.close_code(conn), Some(3500));
}

#[test]
fn expired_and_invalid_subscription_tokens_are_109_and_103() {
    let expired = json!({"sub": "42", "channel": "closed:x", "exp": 1});
    check(
        "42",
        subscribe_with_token("closed:x", &expired),
        "2 error 109",
    );
    check(
        "42",
        with("closed:x", |request| request.token = "x".into()),
        "2 error 103",
    );
    let over = json!({"sub": "42", "channel": "closed:x", "expire_at": 1});
    check("42", subscribe_with_token("closed:x", &over), "2 error 110");
}

#[test]
fn a_token_gives_data_and_a_time() {
    let mut rig = Rig::new();
    let conn = rig.user("42");
    let exp = super::rig::START.as_secs() + 30;
    let claims = json!({"sub": "42", "channel": "closed:x", "data": {"a": 1}, "exp": exp});
    rig.send(conn, [(2, subscribe_with_token("closed:x", &claims))]);
    let ticket = rig.ticket();
    rig.answer(ticket, subscribed(None));
    let text = format!("{:?}", rig.messages(conn));
    assert!(
        text.contains(r#"data: b"{\"a\":1}""#) && text.contains("ttl: 30"),
        "{text}"
    );
}

#[test]
fn named_users_may_subscribe_to_a_user_limited_channel() {
    for user in ["42", "43"] {
        check_allowed(user, subscribe("ul:d#42,43"));
    }
    check("44", subscribe("ul:d#42,43"), "2 error 103");
    check("", subscribe("ul:d#"), "2 error 103");
}

#[test]
fn a_personal_channel_is_for_its_user_whatever_rules_and_tokens_say() {
    check_allowed("42", subscribe("#42"));
    check("43", subscribe("#42"), "2 error 103");
    let claims = json!({"sub": "43", "channel": "#42"});
    check("43", subscribe_with_token("#42", &claims), "2 error 103");
    check("43", super::requests::publish("#42", "1"), "2 error 103");
}

#[test]
fn a_refused_subscribe_leaves_nothing_behind() {
    let refusals = [
        (RefusedBecause::Temporary, 100),
        (RefusedBecause::UnknownChannel, 102),
        (RefusedBecause::NotAvailable, 108),
    ];
    for (because, code) in refusals {
        let mut rig = Rig::new();
        let conn = rig.connected(Encoding::Protobuf);
        rig.send(conn, [(2, subscribe("open:x"))]);
        let ticket = rig.ticket();
        rig.refuse(ticket, because);
        assert_eq!(rig.lines(conn), [format!("2 error {code}")]);
        assert!(rig.asked().is_empty());
        rig.send(conn, [(3, subscribe("open:x"))]);
        assert_eq!(rig.tickets().len(), 1);
    }
}

#[test]
fn the_last_subscriber_gives_the_channel_back() {
    let mut rig = Rig::new();
    let [first, second] = [(); 2].map(|()| rig.connected(Encoding::Json));
    rig.subscribed_at(first, "plain:x", None);
    rig.subscribed_at(second, "plain:x", None);
    rig.send(first, [(3, unsubscribe("plain:x"))]);
    assert!(rig.asked().is_empty());
    rig.input(crate::worker::Input::Closed { conn: second });
    let asked = rig.asked();
    assert!(
        matches!(&asked[..], [ToUpstream::Unsubscribe { .. }]),
        "{asked:?}"
    );
}

#[test]
fn an_answer_for_a_client_that_is_gone_gives_the_channel_back() {
    let mut rig = Rig::new();
    let conn = rig.open(Encoding::Json);
    rig.send(conn, [(1, connect("")), (2, subscribe("plain:x"))]);
    let ticket = rig.ticket();
    rig.input(crate::worker::Input::Closed { conn });
    assert!(rig.asked().is_empty());
    rig.answer(ticket, subscribed(None));
    let asked = rig.asked();
    assert!(
        matches!(&asked[..], [ToUpstream::Unsubscribe { .. }]),
        "{asked:?}"
    );
    rig.answer(ticket, subscribed(None));
    assert_eq!(rig.worker.stats().counters.unknown_answers, 1);
}
