use serde_json::json;
use trunkline_protocol::message::SubscribeRequest;
use trunkline_protocol::{Encoding, ErrorCode, Request};

use super::requests::{
    connect, history, publish, sub_refresh, subscribe, subscribe_with_token, token,
};
use super::rig::{Rig, START, config};
use crate::worker::{ClientConfig, Deed, Denied, Refusal, RefusedConnect};

const NOW: u64 = START.as_secs();

#[track_caller]
fn check_connect(token: &str, why: RefusedConnect) {
    let mut rig = Rig::with(ClientConfig {
        allow_anonymous_connect_without_token: false,
        disallow_anonymous_connection_tokens: true,
        ..config()
    });
    let conn = rig.open(Encoding::Json);
    rig.send(conn, [(1, connect(token))]);
    assert_eq!(rig.refused(), [Refusal::Connect(why)]);
}

#[track_caller]
fn check_command(request: Request, expected: Option<Refusal>) {
    let mut rig = Rig::new();
    let conn = rig.user("42");
    rig.send(conn, [(2, request)]);
    assert_eq!(rig.refused(), Vec::from_iter(expected));
}

fn command(deed: Deed, code: ErrorCode, namespace: &str) -> Option<Refusal> {
    Some(Refusal::Command {
        deed,
        code,
        namespace: namespace.into(),
    })
}

#[test]
fn a_refused_connect_says_why() {
    check_connect("", RefusedConnect::NoToken);
    check_connect("x", RefusedConnect::InvalidToken);
    let expired = token(&json!({"sub": "42", "exp": NOW - 1}));
    check_connect(&expired, RefusedConnect::ExpiredToken);
    check_connect(&token(&json!({})), RefusedConnect::NobodysToken);
    let channels = token(&json!({"sub": "42", "channels": ["a"]}));
    check_connect(&channels, RefusedConnect::NamesChannels);
}

#[test]
fn a_refused_command_names_the_deed_and_the_namespace_only() {
    let unknown = command(Deed::Subscribe, ErrorCode::UnknownChannel, "nope");
    check_command(subscribe("nope:ann"), unknown);
    check_command(subscribe("rec:x"), None);
}

#[track_caller]
fn check_denied(request: Request, deed: Deed, why: Denied, namespace: &str) {
    let namespace = namespace.into();
    let denied = Refusal::Denied {
        deed,
        why,
        namespace,
    };
    check_command(request, Some(denied));
}

#[test]
fn each_cause_of_103_is_told_as_what_it_is() {
    let (subscribing, publishing) = (Deed::Subscribe, Deed::Publish);
    check_denied(
        publish("closed:x", "{}"),
        publishing,
        Denied::NotAllowed,
        "closed",
    );
    // It has a history, for subscribers.
    check_denied(
        history("rec:x", 1),
        Deed::History,
        Denied::NotAllowed,
        "rec",
    );
    let others = Denied::OtherUsersChannel;
    check_denied(publish("#43", "{}"), publishing, others, "");
    check_denied(subscribe("#43"), subscribing, others, "");
    let tokenless = Denied::NoSubscriptionToken;
    check_denied(subscribe("$rec:x"), subscribing, tokenless, "rec");
    let foreign = Request::Subscribe(SubscribeRequest {
        channel: "rec:x".into(),
        token: "x".into(),
        ..SubscribeRequest::default()
    });
    let invalid = Denied::InvalidSubscriptionToken;
    check_denied(foreign, subscribing, invalid, "rec");
    let refresh = sub_refresh("rec:x", "x".to_owned());
    check_denied(refresh, subscribing, Denied::NotSubscribed, "rec");
}

#[test]
fn a_subscription_token_of_somebody_else_is_told() {
    let claims = json!({"sub": "43", "channel": "rec:x"});
    check_command(
        subscribe_with_token("rec:x", &claims),
        Some(Refusal::SubscriptionToken),
    );
}
