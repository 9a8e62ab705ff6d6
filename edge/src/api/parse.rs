//! Reading request bodies as the reference server does: `null` is absent, unknown fields are ignored.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::error::Failure;

/// Reads a body.
///
/// # Errors
/// When it isn't a JSON object with fields of the right types.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    object(body)?;
    serde_json::from_slice(body).map_err(|_| Failure::Undecodable)
}

/// Checks that a body is a JSON object; derived readers would take an array of the fields as well.
///
/// # Errors
/// When it isn't.
pub(super) fn object(body: &[u8]) -> Result<(), Failure> {
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let is_json = is_object && serde_json::from_slice::<&RawValue>(body).is_ok();
    if is_json {
        Ok(())
    } else {
        Err(Failure::Undecodable)
    }
}

/// Reads a field, taking `null` for nothing.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a field that may hold any JSON, for which `null` is a value too.
pub(super) fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}
