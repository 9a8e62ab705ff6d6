use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;

const NOW: UnixMillis = UnixMillis(1_000_000);

fn verifier() -> TokenVerifier {
    TokenVerifier::new("secret")
}

fn signed(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(algorithm), claims, &key).expect("claims that can be signed")
}

fn token(claims: &Value) -> String {
    signed(Algorithm::HS256, "secret", claims)
}

fn connection(claims: &Value) -> Result<ConnectionToken, TokenError> {
    verifier().connection(&token(claims), NOW)
}

fn subscription(claims: &Value) -> Result<SubscriptionToken, TokenError> {
    verifier().subscription(&token(claims), NOW)
}

#[test]
fn all_three_hmac_algorithms_are_taken() {
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let token = signed(algorithm, "secret", &json!({"sub": "42"}));
        let user = verifier().connection(&token, NOW).map(|token| token.user);
        assert_eq!(user, Ok("42".into()), "{algorithm:?}");
    }
}

#[test]
fn another_secret_no_algorithm_and_no_token_are_invalid() {
    let forged = signed(Algorithm::HS256, "other", &json!({"sub": "42"}));
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiJ9.";
    for token in [&*forged, unsigned, "", "a.b.c", "\u{0}"] {
        assert_eq!(
            verifier().connection(token, NOW),
            Err(TokenError::Invalid),
            "{token}"
        );
    }
}

#[test]
fn without_a_secret_no_token_is_valid() {
    let token = signed(Algorithm::HS256, "", &json!({"sub": "42"}));
    assert_eq!(
        TokenVerifier::new("").connection(&token, NOW),
        Err(TokenError::Invalid)
    );
}

#[test]
fn a_token_holds_from_nbf_until_exp_without_leeway() {
    assert!(connection(&json!({"nbf": 1000, "exp": 1001})).is_ok());
    assert_eq!(connection(&json!({"exp": 1000})), Err(TokenError::Expired));
    assert_eq!(
        connection(&json!({"nbf": 1000.5})),
        Err(TokenError::Expired)
    );
}

#[test]
fn an_invalid_token_is_invalid_even_when_expired() {
    let claims = json!({"exp": 1, "channel": "chat:1"});
    assert_eq!(connection(&claims), Err(TokenError::Invalid));
    assert_eq!(
        connection(&json!({"exp": 1, "sub": 42})),
        Err(TokenError::Invalid)
    );
}

#[test]
fn expire_at_overrides_exp_and_zero_means_never() {
    let expire_at = |claims| connection(&claims).map(|token| token.expire_at);
    assert_eq!(
        expire_at(json!({"exp": 1005})),
        Ok(Some(UnixMillis(1_005_000)))
    );
    assert_eq!(expire_at(json!({"exp": 1005, "expire_at": 0})), Ok(None));
    let later = json!({"exp": 1005, "expire_at": 2000});
    assert_eq!(expire_at(later), Ok(Some(UnixMillis(2_000_000))));
    assert_eq!(expire_at(json!({})), Ok(None));
}

#[test]
fn info_is_json_or_base64_of_at_most_4_kib() {
    let info = |claims| connection(&claims).map(|token| token.info);
    assert_eq!(
        info(json!({"info": {"name": "a"}})),
        Ok(Bytes::from(r#"{"name":"a"}"#))
    );
    assert_eq!(
        info(json!({"b64info": "/w==", "info": 1})),
        Ok(Bytes::from_static(b"\xff"))
    );
    assert_eq!(info(json!({"b64info": "%"})), Err(TokenError::Invalid));
    assert!(info(json!({"info": "x".repeat(4094)})).is_ok());
    assert_eq!(
        info(json!({"info": "x".repeat(4095)})),
        Err(TokenError::Invalid)
    );
}

#[test]
fn a_subscription_token_needs_a_channel() {
    assert_eq!(
        subscription(&json!({"sub": "42"})),
        Err(TokenError::Invalid)
    );
    let claims = json!({
        "sub": "42", "channel": "$chat:1", "client": "c", "info": 1, "data": [2], "exp": 1005,
        "expire_at": 0,
    });
    let expected = SubscriptionToken {
        user: "42".into(),
        channel: "$chat:1".into(),
        client: "c".into(),
        info: Bytes::from_static(b"1"),
        data: Bytes::from_static(b"[2]"),
        expire_at: None,
    };
    assert_eq!(subscription(&claims), Ok(expected));
}
