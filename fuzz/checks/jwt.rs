//! What holds for whatever stands in a token: its claims or an error come of it, and what comes is within its limits.

use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use trunkline_edge_core::auth::TokenVerifier;
use trunkline_shared::{UnixMillis, limits};

const SECRET: &str = "secret";

/// Reads a token: as it is; as claims that we have signed; as header and claims, with a newline between, that we have.
pub(crate) fn check(input: &[u8]) {
    let Some((form, rest)) = input.split_first() else {
        return;
    };
    let token = match form % 3 {
        0 => String::from_utf8_lossy(rest).into_owned(),
        1 => signed(br#"{"alg":"HS256"}"#, rest),
        _ => {
            let mut parts = rest.splitn(2, |byte| *byte == b'\n');
            let header = parts.next().unwrap_or_default();
            signed(header, parts.next().unwrap_or_default())
        }
    };
    verify(&token);
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", base64url(header), base64url(claims));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = sign(message.as_bytes(), &key, Algorithm::HS256).expect("a key for it");
    format!("{message}.{signature}")
}

fn verify(token: &str) {
    let verifier = TokenVerifier::new(SECRET);
    let now = UnixMillis(1_700_000_000_000);
    if let Ok(token) = verifier.connection(token, now) {
        assert!(token.info.len() <= limits::INFO_BYTES_MAX);
    }
    if let Ok(token) = verifier.subscription(token, now) {
        assert!(token.info.len() <= limits::INFO_BYTES_MAX);
        assert!(token.data.len() <= limits::PAYLOAD_BYTES_MAX);
    }
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=group.len() {
            let digit = bits >> (18 - 6 * place) & 63;
            text.push(char::from(DIGITS[digit as usize]));
        }
    }
    text
}
