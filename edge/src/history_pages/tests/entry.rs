//! Who may read, and what pages of other origins may.

use axum::http::Method;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;

/// `Bearer` and a token with these claims.
pub(super) fn token(claims: &Value) -> String {
    format!("Bearer {}", signed(claims, SECRET))
}

fn signed(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::default(), claims, &key).expect("a token")
}

async fn check(channel: &str, connection: Option<&str>, subscription: Option<&str>, status: u16) {
    let pages = pages(&Owner::with(3));
    // What others have read doesn't open it.
    let ann = token(&json!({ "sub": "ann" }));
    for name in ["chat:1", "open:1", "%23ann"] {
        let rest = format!("{name}/messages");
        let read = get(&pages, &rest, &[("authorization", ann.as_str())]).await;
        assert_eq!(read.status, StatusCode::OK, "{name}");
    }
    let connection = connection.map(|token| ("authorization", token));
    let subscription = subscription.map(|token| ("x-subscription-token", token));
    let headers: Vec<_> = connection.into_iter().chain(subscription).collect();
    let page = get(&pages, &format!("{channel}/messages"), &headers).await;
    assert_eq!(page.status.as_u16(), status, "{channel} {headers:?}");
    let challenged = !page.header("www-authenticate").is_empty();
    assert_eq!(challenged, status == 401, "{channel}");
    if status != 200 {
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(page.json()["error"].is_string());
    }
}

#[tokio::test]
async fn permissions_are_those_of_the_socket() {
    let ann = token(&json!({ "sub": "ann" }));
    let bob = token(&json!({ "sub": "bob" }));
    let (ann, bob) = (Some(ann.as_str()), Some(bob.as_str()));
    check("open:1", None, None, 200).await;
    check("open:1", ann, None, 200).await;
    check("chat:1", ann, None, 200).await;
    check("chat:1", None, None, 401).await;
    check("sub:1", ann, None, 403).await;
    check("%23ann", ann, None, 200).await;
    check("%23ann", bob, None, 403).await;
    check("%23ann", None, None, 401).await;
    check("plain:1", ann, None, 404).await;
    check("nowhere:1", ann, None, 404).await;
}

#[tokio::test]
async fn connection_tokens_must_hold() {
    let forged = format!("Bearer {}", signed(&json!({ "sub": "ann" }), "other"));
    let expired = token(&json!({ "sub": "ann", "exp": 1 }));
    let subscription = token(&json!({ "sub": "ann", "channel": "chat:1" }));
    for bad in [
        &forged,
        &expired,
        &subscription,
        "Basic YTpi",
        "Bearer",
        "Bearer x",
    ] {
        // Also where nobody needs one.
        check("open:1", Some(bad), None, 401).await;
    }
}

#[tokio::test]
async fn a_subscription_token_makes_a_subscriber_of_its_user_and_channel_only() {
    let ann = token(&json!({ "sub": "ann" }));
    let ann = Some(ann.as_str());
    let of = |claims: Value| signed(&claims, SECRET);
    let good = of(json!({ "sub": "ann", "channel": "sub:1" }));
    check("sub:1", ann, Some(&good), 200).await;
    check("sub:1", None, Some(&good), 403).await;
    check("sub:2", ann, Some(&good), 403).await;
    let expired = of(json!({ "sub": "ann", "channel": "sub:1", "exp": 1 }));
    check("sub:1", ann, Some(&expired), 401).await;
    let over = of(json!({ "sub": "ann", "channel": "sub:1", "expire_at": 1 }));
    check("sub:1", ann, Some(&over), 401).await;
    let of_a_connection = of(json!({ "sub": "ann", "channel": "sub:1", "client": "c" }));
    check("sub:1", ann, Some(&of_a_connection), 403).await;
    let forged = signed(&json!({ "sub": "ann", "channel": "sub:1" }), "other");
    check("sub:1", ann, Some(&forged), 403).await;
    check("sub:1", ann, Some("x"), 403).await;
}

#[tokio::test]
async fn without_anonymous_connections_nobody_reads_without_a_token() {
    let config = ClientConfig {
        allow_anonymous_connect_without_token: false,
        ..client()
    };
    let owner = Owner::with(3);
    let pages = pages_by(Some(rules()), &config, move |message| owner.hear(&message));
    let nobody = get(&pages, "open:1/messages", &[]).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    let ann = token(&json!({ "sub": "ann" }));
    let page = get(&pages, "open:1/messages", &[("authorization", &ann)]).await;
    assert_eq!(page.header("cache-control"), "private, no-cache");
}

#[tokio::test]
async fn pages_of_allowed_origins_may_read_answers_and_errors() {
    let pages = pages(&Owner::with(3));
    let allowed = "access-control-allow-origin";
    let good = ("origin", "https://app.example.com");
    for rest in ["open:1/messages", "chat:1/messages"] {
        let page = get(&pages, rest, &[good]).await;
        assert_eq!(page.header(allowed), good.1);
        let other = get(&pages, rest, &[("origin", "https://evil.net")]).await;
        assert_eq!(other.header(allowed), "");
    }
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/v1/channels/open:1/messages")
        .header("origin", good.1)
        .header("access-control-request-method", "GET")
        .body(Body::empty());
    let reply = send(&pages, preflight.expect("a request")).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(reply.header(allowed), good.1);
    assert!(
        reply
            .header("access-control-allow-headers")
            .contains("Authorization")
    );
}

#[tokio::test]
async fn head_is_answered_without_a_body_and_other_methods_are_not() {
    let pages = pages(&Owner::with(120));
    let by = |method: Method| {
        let request = Request::builder()
            .method(method)
            .uri("/v1/channels/open:1/messages")
            .body(Body::empty());
        send(&pages, request.expect("a request"))
    };
    let (get, head) = (by(Method::GET).await, by(Method::HEAD).await);
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("etag"), get.header("etag"));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    let post = by(Method::POST).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.header("allow"), "GET, HEAD, OPTIONS");
}
