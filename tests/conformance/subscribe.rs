//! Group S: who may subscribe, what the reply says, and what comes behind it.

use serde_json::{Value, json};
use trunkline_protocol::Encoding;

use super::checks::error;
use super::client::Client;
use super::stage::Stage;
use super::token::{self, Lease};

fn subscribe(channel: &str) -> Value {
    json!({ "subscribe": { "channel": channel } })
}

/// A subscription token of user 42.
fn sub_token(channel: &str, exp: u64) -> String {
    token::signed(&json!({ "sub": "42", "channel": channel, "exp": exp }))
}

fn subscribe_with(channel: &str, token: &str) -> Value {
    json!({ "subscribe": { "channel": channel, "token": token } })
}

#[test]
fn s_01_a_plain_channel_has_no_position() {
    for encoding in Encoding::ALL {
        let mut client = Client::anonymous(encoding);
        assert_eq!(
            client.ask(subscribe("plain:s-01")),
            json!({ "subscribe": {} })
        );
    }
}

#[test]
fn s_03_a_closed_channel_is_error_103_and_the_connection_stays() {
    for encoding in Encoding::ALL {
        let mut client = Client::user(encoding, "42");
        let reply = client.ask(subscribe("closed:s-03"));
        assert_eq!(reply, error(103, "permission denied"));
        client.expect_silence();
    }
}

#[test]
fn s_05_a_good_token_opens_a_closed_channel() {
    for encoding in Encoding::ALL {
        let mut client = Client::user(encoding, "42");
        let lease = Lease::of(100);
        let token = sub_token("closed:s-05", lease.end);
        let mut reply = client.ask(subscribe_with("closed:s-05", &token));
        lease.take_ttl(&mut reply["subscribe"]);
        assert_eq!(
            reply,
            json!({ "subscribe": { "expires": true, "ttl": null } })
        );
    }
}

#[test]
fn s_05_an_expired_token_is_error_109_and_one_with_a_bad_signature_103() {
    for encoding in Encoding::ALL {
        let mut client = Client::user(encoding, "42");
        let expired = sub_token("closed:s-05", token::now() - 10);
        let reply = client.ask(subscribe_with("closed:s-05", &expired));
        assert_eq!(reply, error(109, "token expired"));
        let forged = json!({ "sub": "42", "channel": "closed:s-05" });
        let forged = token::signed_with("guess", &forged);
        let reply = client.ask(subscribe_with("closed:s-05", &forged));
        assert_eq!(reply, error(103, "permission denied"));
        client.expect_silence();
    }
}

#[test]
fn s_05_a_token_of_another_channel_or_user_closes() {
    for claims in [
        json!({ "sub": "42", "channel": "closed:other" }),
        json!({ "sub": "43", "channel": "closed:s-05" }),
    ] {
        let mut client = Client::user(Encoding::Json, "42");
        client.begin(subscribe_with("closed:s-05", &token::signed(&claims)));
        client.expect_close(3500, "invalid token");
    }
}

#[test]
fn s_06_a_channel_is_had_once() {
    for encoding in Encoding::ALL {
        let mut client = Client::anonymous(encoding);
        let twice = error(105, "already subscribed");
        client.ask(subscribe("plain:s-06"));
        assert_eq!(client.ask(subscribe("plain:s-06")), twice);
        let both =
            [11, 12].map(|id| json!({ "id": id, "subscribe": { "channel": "plain:s-06-b" } }));
        client.send(&both);
        assert_eq!(client.reply(11), json!({ "subscribe": {} }));
        assert_eq!(client.reply(12), twice);
    }
}

#[test]
fn s_12_a_delta_that_is_not_allowed_is_not_negotiated() {
    for stage in Stage::all() {
        let channel = stage.channel("rec", "s-12");
        let request = json!({ "channel": channel, "delta": "fossil" });
        let mut reply = stage.ask(json!({ "subscribe": request }));
        let epoch = reply["subscribe"]["epoch"].take();
        assert!(epoch.as_str().is_some_and(|epoch| !epoch.is_empty()));
        let told = json!({ "recoverable": true, "positioned": true, "epoch": null });
        assert_eq!(reply, json!({ "subscribe": told }));
    }
}

#[test]
fn s_13_a_map_subscription_of_a_stream_is_error_108_and_the_connection_stays() {
    for encoding in Encoding::ALL {
        let mut client = Client::user(encoding, "42");
        for kind in 1..=4 {
            let request = json!({ "channel": "rec:s-13", "type": kind });
            let reply = client.ask(json!({ "subscribe": request }));
            assert_eq!(reply, error(108, "not available"), "type {kind}");
        }
        client.expect_silence();
    }
}

#[test]
fn s_15_joins_and_leaves_are_told_to_those_who_want_them() {
    for stage in Stage::all() {
        let channel = stage.channel("open", "s-15");
        let watch = json!({ "subscribe": { "channel": channel, "join_leave": true } });
        let info = |client: &Client, user| json!({ "info": { "user": user, "client": client.id } });
        let (mut a, mut b) = (stage.user(), Client::user(stage.encoding, "43"));
        let (of_a, of_b) = (info(&a, "42"), info(&b, "43"));

        a.ask(watch.clone());
        assert_eq!(a.push(&channel), json!({ "join": of_a }));
        let reply = b.begin(watch.clone());
        assert_eq!(b.arrived()["id"], reply, "the reply before the own join");
        assert_eq!(b.push(&channel), json!({ "join": of_b }));
        assert_eq!(a.push(&channel), json!({ "join": of_b }));

        b.ask(json!({ "unsubscribe": { "channel": channel } }));
        assert_eq!(a.push(&channel), json!({ "leave": of_b }));
        b.ask(watch);
        assert_eq!(
            b.push(&channel),
            json!({ "join": of_b }),
            "not the own leave"
        );
        assert_eq!(a.push(&channel), json!({ "join": of_b }));

        drop(b);
        assert_eq!(a.push(&channel), json!({ "leave": of_b }));
        a.expect_silence();
    }
}

#[test]
fn s_16_a_subscription_that_is_not_refreshed_ends_with_2501() {
    for encoding in Encoding::ALL {
        let mut client = Client::user(encoding, "42");
        let (channel, lease) = ("closed:s-16", Lease::of(2));
        let mut reply = client.ask(subscribe_with(channel, &sub_token(channel, lease.end)));
        lease.take_ttl(&mut reply["subscribe"]);
        assert_eq!(
            reply,
            json!({ "subscribe": { "expires": true, "ttl": null } })
        );
        let unsubscribe = json!({ "code": 2501, "reason": "subscription expired" });
        assert_eq!(client.push(channel), json!({ "unsubscribe": unsubscribe }));
        assert!(token::has_begun(lease.end + 1), "1 s is given to refresh");
        client.expect_silence();
    }
}

#[test]
fn s_17_a_sub_refresh_prolongs_what_is_had_and_nothing_else() {
    for encoding in Encoding::ALL {
        let mut client = Client::user(encoding, "42");
        let channel = "closed:s-17";
        let lease = Lease::of(100);
        let good = sub_token(channel, lease.end);
        client.ask(subscribe_with(channel, &good));
        let refresh = |channel: &str, token: &str| json!({ "sub_refresh": { "channel": channel, "token": token } });
        let mut reply = client.ask(refresh(channel, &good));
        lease.take_ttl(&mut reply["sub_refresh"]);
        let told = json!({ "expires": true, "ttl": null });
        assert_eq!(reply, json!({ "sub_refresh": told }));

        let other = sub_token("closed:s-17-b", token::now() + 100);
        let reply = client.ask(refresh("closed:s-17-b", &other));
        assert_eq!(reply, error(103, "permission denied"));
        client.begin(refresh(channel, &other));
        client.expect_close(3500, "invalid token");
    }
}
