//! Group T: tokens of connections that are renewed, or not.

use serde_json::{Value, json};
use trunkline_protocol::Encoding;

use super::client::Client;
use super::mesh::Edge;
use super::token::{self, Lease};

/// A connection of user 42 whose token ends in this many seconds.
fn user_for(encoding: Encoding, seconds: u64) -> Client {
    let mut client = Client::open(Edge::Fast, encoding);
    let token = token::signed(&json!({ "sub": "42", "exp": token::now() + seconds }));
    client.connect(&json!({ "token": token }));
    client
}

#[test]
fn t_01_a_good_refresh_is_told_with_the_seconds_left() {
    for encoding in Encoding::ALL {
        let mut client = user_for(encoding, 60);
        let lease = Lease::of(100);
        let token = token::signed(&json!({ "sub": "42", "exp": lease.end }));
        let mut reply = client.ask(json!({ "refresh": { "token": token } }));
        lease.take_ttl(&mut reply["refresh"]);
        // The id is the connection's own: the JS SDK takes it for its new one.
        let told = json!({ "client": client.id, "expires": true, "ttl": null });
        assert_eq!(reply, json!({ "refresh": told }));
    }
}

fn expect_refresh_closes(claims: Option<&Value>, code: u16, reason: &str) {
    for encoding in Encoding::ALL {
        let mut client = user_for(encoding, 60);
        let token = claims.map_or_else(|| "nonsense".to_owned(), token::signed);
        client.begin(json!({ "refresh": { "token": token } }));
        client.expect_close(code, reason);
    }
}

#[test]
fn t_01_an_expired_refresh_closes_with_3005() {
    let claims = json!({ "sub": "42", "exp": token::now() - 10 });
    expect_refresh_closes(Some(&claims), 3005, "connection expired");
}

#[test]
fn t_01_an_invalid_refresh_closes_with_3500() {
    expect_refresh_closes(None, 3500, "invalid token");
}

#[test]
fn t_01_another_users_refresh_closes_with_3500() {
    let claims = json!({ "sub": "43", "exp": token::now() + 100 });
    expect_refresh_closes(Some(&claims), 3500, "invalid token");
}

#[test]
fn t_02_a_token_that_ends_without_a_refresh_closes_with_3005() {
    for encoding in Encoding::ALL {
        let mut client = Client::open(Edge::Fast, encoding);
        let end = token::now() + 2;
        let token = token::signed(&json!({ "sub": "42", "exp": end }));
        client.connect(&json!({ "token": token }));
        client.expect_close(3005, "connection expired");
        assert!(token::has_begun(end + 1), "1 s is given to refresh");
    }
}
