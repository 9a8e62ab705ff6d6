//! Tokens: good ones, and ones that must be refused.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

/// A token signed with the mesh's secret.
pub(super) fn signed(claims: &Value) -> String {
    signed_with("secret", claims)
}

/// A token signed with another secret.
pub(super) fn signed_with(secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::default(), claims, &key).expect("claims that can be signed")
}

/// A token with `alg: none` and no signature.
pub(super) fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "none", "typ": "JWT" });
    format!("{}.{}.", part(&header), part(claims))
}

/// A user's token that doesn't expire.
pub(super) fn user(user: &str) -> String {
    signed(&json!({ "sub": user }))
}

/// A token's time: from when it was made to its end, in seconds as tokens count.
#[derive(Clone, Copy)]
pub(super) struct Lease {
    made: u64,
    pub(super) end: u64,
}

impl Lease {
    /// One that begins now.
    pub(super) fn of(seconds: u64) -> Self {
        let made = now();
        let end = made + seconds;
        Self { made, end }
    }

    /// Takes the `ttl` out of a result, leaving `null`: it must be what was left when the server answered, at least 1.
    pub(super) fn take_ttl(self, result: &mut Value) {
        let ttl = result["ttl"].take();
        let least = self.end.saturating_sub(now()).max(1);
        let told = ttl.as_u64();
        assert!(
            told.is_some_and(|told| (least..=self.end - self.made).contains(&told)),
            "{ttl} of {result}"
        );
    }
}

/// Whole seconds since 1970, as tokens count.
pub(super) fn now() -> u64 {
    since_1970().as_secs()
}

/// Whether a second of a token has begun.
pub(super) fn has_begun(second: u64) -> bool {
    since_1970().as_secs() >= second
}

fn since_1970() -> std::time::Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("the clock is set")
}
