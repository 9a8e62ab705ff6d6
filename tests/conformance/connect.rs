//! Group C: who is let in, and what they are told.

use serde_json::{Value, json};
use trunkline_protocol::Encoding;

use super::checks::error;
use super::client::Client;
use super::mesh::{Edge, mesh};
use super::token::{self, Lease};

const VERSION: &str = concat!("trunkline/", env!("CARGO_PKG_VERSION"));

/// The result of a connect with this token; its client id is a version 4 UUID and is taken out.
fn connected(encoding: Encoding, request: &Value) -> Value {
    let mut client = Client::open(Edge::Fast, encoding);
    let mut result = client.connect(request);
    assert!(is_uuid_4(&client.id), "{}", client.id);
    result.as_object_mut().expect("an object").remove("client");
    result
}

fn is_uuid_4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
    lengths == [8, 4, 4, 4, 12]
        && text.bytes().all(is_hex)
        && parts[2].starts_with('4')
        && parts[3].starts_with(['8', '9', 'a', 'b'])
}

#[test]
fn c_01_an_anonymous_client_is_told_its_id_and_the_heartbeat_and_nothing_else() {
    for encoding in Encoding::ALL {
        let told = json!({ "version": VERSION, "ping": 2, "pong": true });
        assert_eq!(connected(encoding, &json!({})), told);
    }
}

#[test]
fn c_03_a_token_that_expires_is_told_with_the_seconds_left() {
    for encoding in Encoding::ALL {
        // The mesh may have to be started first, which takes a part of the 10 s.
        mesh();
        let lease = Lease::of(10);
        let token = token::signed(&json!({ "sub": "42", "exp": lease.end }));
        let mut told = connected(encoding, &json!({ "token": token }));
        lease.take_ttl(&mut told);
        let expected = json!({
            "version": VERSION, "ping": 2, "pong": true, "expires": true, "ttl": null
        });
        assert_eq!(told, expected);
    }
}

#[test]
fn c_04_an_expired_token_is_error_109_and_the_next_command_closes() {
    for encoding in Encoding::ALL {
        let mut client = Client::open(Edge::Fast, encoding);
        let token = token::signed(&json!({ "sub": "42", "exp": token::now() - 10 }));
        let reply = client.ask(json!({ "connect": { "token": token } }));
        assert_eq!(reply, error(109, "token expired"));
        client.begin(json!({ "subscribe": { "channel": "plain:c-04" } }));
        client.expect_close(3501, "bad request");
    }
}

#[test]
fn c_05_a_token_with_a_wrong_signature_without_one_or_for_a_channel_closes() {
    let claims = json!({ "sub": "42" });
    for token in [
        token::signed_with("guess", &claims),
        token::unsigned(&claims),
        token::signed(&json!({ "sub": "42", "channel": "rec:x" })),
    ] {
        let mut client = Client::open(Edge::Fast, Encoding::Json);
        client.begin(json!({ "connect": { "token": token } }));
        client.expect_close(3500, "invalid token");
    }
}
