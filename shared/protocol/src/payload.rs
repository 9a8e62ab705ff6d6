//! Payloads: bytes that the mesh carries without looking inside, except for whether they are JSON.
//!
//! A JSON client can only be sent JSON, on one line, because a line is a message there. Where a
//! payload enters the mesh this is decided once.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::Encoding;

/// A payload that knows whether clients of the JSON encoding can be sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientPayload {
    /// A JSON value without raw newlines.
    Json(Bytes),
    /// Anything else, also nothing at all.
    Binary(Bytes),
}

impl ClientPayload {
    /// Takes a `bytes` field of a decoded command.
    ///
    /// From a JSON client it is known to be JSON on one line, and isn't looked at again.
    pub fn from_client(encoding: Encoding, data: Bytes) -> Self {
        match encoding {
            Encoding::Json if !data.is_empty() => Self::Json(data),
            Encoding::Json => Self::Binary(data),
            Encoding::Protobuf => Self::classify(data),
        }
    }

    /// Takes bytes of which nothing is known, from a Protobuf client or the server API.
    pub fn classify(data: Bytes) -> Self {
        json_without_newlines(&data).map_or(Self::Binary(data), Self::Json)
    }

    /// The bytes.
    pub const fn bytes(&self) -> &Bytes {
        match self {
            Self::Json(bytes) | Self::Binary(bytes) => bytes,
        }
    }

    /// Whether the bytes are JSON on one line.
    pub const fn is_json(&self) -> bool {
        matches!(self, Self::Json(_))
    }
}

/// The same JSON value without raw newlines, or nothing if the bytes aren't one JSON value.
///
/// Newlines inside JSON strings are escaped, so a raw one stands between tokens and can go. Copies
/// only where there is one. Depth doesn't matter: the check doesn't recurse.
pub fn json_without_newlines(data: &Bytes) -> Option<Bytes> {
    serde_json::from_slice::<&RawValue>(data).ok()?;
    if !data.contains(&b'\n') {
        return Some(data.clone());
    }
    Some(data.iter().copied().filter(|byte| *byte != b'\n').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_on_one_line_is_not_copied() {
        let data = Bytes::from_static(br#"{"a": "line\nline"}"#);
        let line = json_without_newlines(&data).expect("the data is JSON");
        assert_eq!(line.as_ptr(), data.as_ptr());
    }

    #[test]
    fn raw_newlines_go_and_escaped_ones_stay() {
        let data = Bytes::from_static(b"{\n  \"a\": \"x\\ny\",\r\n  \"b\": [1,\n2]\n}\n");
        let line = json_without_newlines(&data).expect("the data is JSON");
        assert_eq!(line, &b"{  \"a\": \"x\\ny\",\r  \"b\": [1,2]}"[..]);
    }

    #[test]
    fn what_becomes_json_only_without_its_newlines_is_not_json() {
        assert_eq!(json_without_newlines(&Bytes::from_static(b"1\n2")), None);
        assert_eq!(
            json_without_newlines(&Bytes::from_static(b"\"a\nb\"")),
            None
        );
    }

    #[test]
    fn bytes_that_are_not_one_value_are_not_json() {
        for data in [
            &b""[..],
            b" ",
            b"{",
            b"{}{}",
            b"\xff",
            b"\"\xff\"",
            b"nul",
            b"01",
            b"'a'",
        ] {
            assert_eq!(
                json_without_newlines(&Bytes::from_static(data)),
                None,
                "{data:?}"
            );
        }
    }

    #[test]
    fn depth_does_not_matter() {
        let deep = Bytes::from([b"[".repeat(1 << 20), b"]".repeat(1 << 20)].concat());
        assert!(json_without_newlines(&deep).is_some());
    }

    #[test]
    fn an_empty_payload_is_not_json() {
        assert!(!ClientPayload::from_client(Encoding::Json, Bytes::new()).is_json());
        assert!(!ClientPayload::classify(Bytes::new()).is_json());
    }

    #[test]
    fn a_protobuf_payload_may_be_json() {
        let payload = ClientPayload::from_client(Encoding::Protobuf, Bytes::from_static(b"[\n1]"));
        assert_eq!(payload, ClientPayload::Json(Bytes::from_static(b"[1]")));
        let payload = ClientPayload::from_client(Encoding::Protobuf, Bytes::from_static(b"\x01"));
        assert_eq!(payload, ClientPayload::Binary(Bytes::from_static(b"\x01")));
    }
}
