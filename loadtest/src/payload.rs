//! Payloads that carry when they were sent, and reading that out of whatever frame they come in.

use std::time::SystemTime;

use serde::Deserialize;

/// What stands before the time.
const MARK: &[u8] = br#"{"t":"#;

/// Digits of a time in nanoseconds since 1970, until the year 2286.
const DIGITS: usize = 19;

/// Nanoseconds since 1970: the one clock that the processes of a machine share.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// A JSON object of `bytes` bytes, or of the least that holds the time.
pub(crate) fn sent_at(time: u64, bytes: usize) -> Vec<u8> {
    filled(format!(r#"{{"t":{time:019},"p":""#), bytes)
}

fn filled(begin: String, bytes: usize) -> Vec<u8> {
    let mut payload = begin.into_bytes();
    let room = bytes.saturating_sub(payload.len() + 2);
    payload.resize(payload.len() + room, b'x');
    payload.extend_from_slice(br#""}"#);
    payload
}

/// A payload that carries its number besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Numbered {
    /// When it was due.
    #[serde(rename = "t")]
    pub(crate) time: u64,
    /// Which message it is; no two of a run have the same.
    #[serde(rename = "n")]
    pub(crate) number: u64,
}

impl Numbered {
    /// A JSON object of `bytes` bytes, or of the least that holds both.
    pub(crate) fn encode(self, bytes: usize) -> Vec<u8> {
        let Self { time, number } = self;
        filled(format!(r#"{{"t":{time:019},"n":{number},"p":""#), bytes)
    }

    /// What a message holds; nothing when it is another kind of message.
    pub(crate) fn decode(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }

    /// What the payload in a record holds, whatever stands around it.
    pub(crate) fn within(record: &[u8]) -> Option<Self> {
        let from_mark = record.get(place_of_mark(record)?..)?;
        let mut values = serde_json::Deserializer::from_slice(from_mark).into_iter();
        values.next()?.ok()
    }
}

/// The time in a frame that holds such a payload.
pub(crate) fn time_of(frame: &[u8]) -> Option<u64> {
    let digits = frame
        .get(place_of_mark(frame)? + MARK.len()..)?
        .get(..DIGITS)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn place_of_mark(bytes: &[u8]) -> Option<usize> {
    bytes.windows(MARK.len()).position(|part| part == MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_has_its_length_and_its_time() {
        let payload = sent_at(1_764_000_000_000_000_001, 200);
        assert_eq!(payload.len(), 200);
        let push = [
            br#"{"push":{"channel":"live:x","pub":{"data":"#,
            &payload[..],
        ]
        .concat();
        assert_eq!(time_of(&push), Some(1_764_000_000_000_000_001));
    }

    #[test]
    fn a_numbered_payload_is_read_as_written() {
        let written = Numbered {
            time: 1_764_000_000_000_000_001,
            number: 4711,
        };
        let payload = written.encode(100);
        assert_eq!(payload.len(), 100);
        assert_eq!(Numbered::decode(&payload), Some(written));
        assert_eq!(Numbered::decode(&sent_at(1, 100)), None);
    }

    #[test]
    fn a_numbered_payload_is_found_in_a_record() {
        let (time, number) = (1_764_000_000_000_000_001, 4711);
        let written = Numbered { time, number };
        let record = [&[1, 0, 0xff], &*written.encode(100), &[0, 0, 7]].concat();
        assert_eq!(Numbered::within(&record), Some(written));
        assert_eq!(Numbered::within(&record[..40]), None);
    }

    #[test]
    fn a_payload_is_json() {
        assert!(serde_json::from_slice::<serde_json::Value>(&sent_at(now(), 64)).is_ok());
    }

    #[test]
    fn a_frame_without_a_time_has_none() {
        for frame in [&b"{}"[..], br#"{"t":12}"#, br#"{"push":{}}"#, br#"{"t":"#] {
            assert_eq!(time_of(frame), None);
        }
    }
}
