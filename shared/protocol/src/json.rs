//! How fields of the messages are read from JSON and written to it.
//!
//! The generated types name these functions in their serde attributes. The rules are those of the
//! reference server: what holds nothing is omitted, `null` reads as nothing, and `bytes` fields are
//! JSON values embedded as they are.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Says whether a field holds nothing and is left out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Reads a field, taking `null` for nothing.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a message, which is an object or `null`.
///
/// Derived readers would take an array of the fields as well.
pub(crate) fn message<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(ObjectOrNull(PhantomData))
}

struct ObjectOrNull<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectOrNull<T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

/// A `bytes` field: any JSON value, carried as the text it came as.
pub(crate) mod raw {
    use bytes::Bytes;
    use serde::ser::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::value::RawValue;

    use crate::payload::json_without_newlines;

    /// Copies the value out of the frame, so that a small payload doesn't keep a large frame.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let value = <Option<&'de RawValue>>::deserialize(from)?;
        Ok(value.map_or_else(Bytes::new, |raw| {
            Bytes::copy_from_slice(raw.get().as_bytes())
        }))
    }

    /// Writes the value if it is JSON, on one line.
    pub(crate) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        if !bytes.contains(&b'\n') {
            return value(bytes)?.serialize(to);
        }
        let line = json_without_newlines(bytes).ok_or_else(|| S::Error::custom("not JSON"))?;
        value(&line)?.serialize(to)
    }

    fn value<E: Error>(bytes: &[u8]) -> Result<&RawValue, E> {
        serde_json::from_slice(bytes).map_err(E::custom)
    }
}
