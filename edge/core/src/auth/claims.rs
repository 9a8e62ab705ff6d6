//! The claims of tokens, and what all kinds of token have in common.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use trunkline_protocol::json_without_newlines;
use trunkline_shared::UnixMillis;

use super::TokenError;

/// When a token holds, and until when what it grants does; all in seconds since the Unix epoch.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Times {
    exp: Option<f64>,
    nbf: Option<f64>,
    expire_at: Option<f64>,
}

impl Times {
    /// Whether the token itself holds; no leeway is given.
    pub(super) fn check(self, now: UnixMillis) -> Result<(), TokenError> {
        let over = self.exp.is_some_and(|exp| millis(exp) <= now);
        let early = self.nbf.is_some_and(|nbf| now < millis(nbf));
        if over || early {
            Err(TokenError::Expired)
        } else {
            Ok(())
        }
    }

    /// When what the token grants is over: `expire_at`, where 0 means never, else `exp`.
    pub(super) fn expire_at(self) -> Option<UnixMillis> {
        match self.expire_at {
            Some(at) => (at > 0.0).then(|| millis(at)),
            None => self.exp.map(millis),
        }
    }
}

/// Negative times become the Unix epoch, those beyond all numbers the last one: `as` saturates.
fn millis(seconds: f64) -> UnixMillis {
    UnixMillis((seconds * 1000.0) as u64)
}

/// A value given as JSON or, which wins, as base64 of anything; empty when absent.
///
/// # Errors
/// When the base64 is malformed, or the value has more than `bytes_max` bytes.
pub(super) fn either(
    json: Option<&RawValue>,
    base64: Option<&str>,
    bytes_max: usize,
) -> Result<Bytes, TokenError> {
    let bytes = match (base64, json) {
        (Some(text), _) if !text.is_empty() => STANDARD
            .decode(text)
            .map_err(|_| TokenError::Invalid)?
            .into(),
        (_, Some(json)) => {
            let bytes = Bytes::copy_from_slice(json.get().as_bytes());
            json_without_newlines(&bytes).ok_or(TokenError::Invalid)?
        }
        (_, None) => Bytes::new(),
    };
    if bytes.len() > bytes_max {
        Err(TokenError::Invalid)
    } else {
        Ok(bytes)
    }
}
