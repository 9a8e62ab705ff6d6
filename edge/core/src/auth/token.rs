//! Connection and subscription tokens: HMAC signed JWT (`client-protocol.md` §11).
//!
//! Time is checked here against the time we are given; the JWT library would read a clock.

use std::collections::BTreeMap;

use bytes::Bytes;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use smol_str::SmolStr;
use trunkline_shared::{UnixMillis, limits};

use super::claims::{Times, either};

/// Why a token isn't taken; a token with both faults is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is malformed, not signed by us, has a claim of a wrong type or size, or is of the other kind.
    #[error("token is invalid")]
    Invalid,
    /// It isn't valid any more, or not yet.
    #[error("token is expired")]
    Expired,
}

/// What a connection token says; by default that of nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionToken {
    /// The user; empty for an anonymous one.
    pub user: SmolStr,
    /// What others are shown of the connection; empty when absent.
    pub info: Bytes,
    /// When the connection is over; `None` for never.
    pub expire_at: Option<UnixMillis>,
    /// Whether it names channels that the server is to subscribe the connection to.
    pub names_channels: bool,
}

/// What a subscription token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionToken {
    /// The user that it is for.
    pub user: SmolStr,
    /// The channel that it is for.
    pub channel: String,
    /// The one connection that it is for; empty for any of the user's.
    pub client: String,
    /// What others are shown of the subscription; empty when absent.
    pub info: Bytes,
    /// What the client is told in the reply; empty when absent.
    pub data: Bytes,
    /// When the subscription is over; `None` for never.
    pub expire_at: Option<UnixMillis>,
}

#[derive(Deserialize)]
struct ConnectionClaims {
    sub: Option<SmolStr>,
    channel: Option<String>,
    info: Option<Box<RawValue>>,
    b64info: Option<String>,
    #[serde(default)]
    channels: Vec<IgnoredAny>,
    #[serde(default)]
    subs: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct SubscriptionClaims {
    sub: Option<SmolStr>,
    channel: String,
    client: Option<String>,
    info: Option<Box<RawValue>>,
    b64info: Option<String>,
    data: Option<Box<RawValue>>,
    b64data: Option<String>,
}

/// Checks tokens against one secret.
pub struct TokenVerifier {
    key: Option<DecodingKey>,
    validation: Validation,
}

impl TokenVerifier {
    /// Takes the secret; with an empty one every token is invalid.
    pub fn new(hmac_secret_key: &str) -> Self {
        let secret = Some(hmac_secret_key).filter(|secret| !secret.is_empty());
        let key = secret.map(|secret| DecodingKey::from_secret(secret.as_bytes()));
        Self {
            key,
            validation: validation(),
        }
    }

    /// Verifies a connection token.
    ///
    /// # Errors
    /// [`TokenError`]; a token with a `channel` is for a subscription, and invalid here.
    pub fn connection(&self, token: &str, now: UnixMillis) -> Result<ConnectionToken, TokenError> {
        let (claims, times): (ConnectionClaims, Times) = self.claims(token)?;
        if claims.channel.is_some_and(|channel| !channel.is_empty()) {
            return Err(TokenError::Invalid);
        }
        let info = info(claims.info.as_deref(), claims.b64info.as_deref())?;
        times.check(now)?;
        let user = claims.sub.unwrap_or_default();
        Ok(ConnectionToken {
            user,
            info,
            expire_at: times.expire_at(),
            names_channels: !claims.channels.is_empty() || !claims.subs.is_empty(),
        })
    }

    /// Verifies a subscription token; whose it is, and of which channel, is for the caller to compare.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn subscription(
        &self,
        token: &str,
        now: UnixMillis,
    ) -> Result<SubscriptionToken, TokenError> {
        let (claims, times): (SubscriptionClaims, Times) = self.claims(token)?;
        let info = info(claims.info.as_deref(), claims.b64info.as_deref())?;
        let data = claims.data.as_deref();
        let data = either(data, claims.b64data.as_deref(), limits::PAYLOAD_BYTES_MAX)?;
        times.check(now)?;
        Ok(SubscriptionToken {
            user: claims.sub.unwrap_or_default(),
            channel: claims.channel,
            client: claims.client.unwrap_or_default(),
            info,
            data,
            expire_at: times.expire_at(),
        })
    }

    /// Reads the claims of a token that we have signed.
    fn claims<C: DeserializeOwned>(&self, token: &str) -> Result<(C, Times), TokenError> {
        let key = self.key.as_ref().ok_or(TokenError::Invalid)?;
        let token = decode::<Box<RawValue>>(token, key, &self.validation);
        let json = token.map_err(|_| TokenError::Invalid)?.claims;
        Ok((read(&json)?, read(&json)?))
    }
}

fn read<C: DeserializeOwned>(json: &RawValue) -> Result<C, TokenError> {
    serde_json::from_str(json.get()).map_err(|_| TokenError::Invalid)
}

/// The algorithms are ours, never the token's; everything that needs a clock is off.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.algorithms = vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    validation.required_spec_claims.clear();
    validation.leeway = 0;
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn info(json: Option<&RawValue>, base64: Option<&str>) -> Result<Bytes, TokenError> {
    either(json, base64, limits::INFO_BYTES_MAX)
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
