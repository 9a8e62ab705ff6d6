//! One publication as a line of JSON.

use serde::Serialize;
use serde_json::value::RawValue;
use trunkline_protocol::message::Publication;

use crate::client::ClientError;

/// What a line shows; the order of the fields is part of what scripts see.
#[derive(Serialize)]
struct Line<'a> {
    channel: &'a str,
    offset: Option<u64>,
    epoch: Option<&'a str>,
    data: &'a RawValue,
    time: Option<i64>,
}

/// Writes a line, without its end.
pub(super) fn line(
    channel: &str,
    epoch: &str,
    publication: &Publication,
) -> Result<String, ClientError> {
    let broken = |error: serde_json::Error| ClientError::Protocol(format!("{channel}: {error}"));
    let line = Line {
        channel,
        offset: (publication.offset > 0).then_some(publication.offset),
        epoch: (!epoch.is_empty()).then_some(epoch),
        data: serde_json::from_slice(&publication.data).map_err(broken)?,
        time: (publication.time > 0).then_some(publication.time),
    };
    serde_json::to_string(&line).map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_null() {
        let publication = Publication {
            data: "{\"b\":1, \"a\":2}".into(),
            ..Publication::default()
        };
        assert_eq!(
            line("cursors:1", "", &publication).expect("JSON"),
            r#"{"channel":"cursors:1","offset":null,"epoch":null,"data":{"b":1, "a":2},"time":null}"#
        );
    }

    #[test]
    fn a_kept_message_shows_its_place() {
        let publication = Publication {
            data: "1".into(),
            offset: 7,
            time: 5,
            ..Publication::default()
        };
        assert_eq!(
            line("chat:1", "AbCd", &publication).expect("JSON"),
            r#"{"channel":"chat:1","offset":7,"epoch":"AbCd","data":1,"time":5}"#
        );
    }
}
