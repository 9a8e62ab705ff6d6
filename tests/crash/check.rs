//! What must hold whatever was killed: of messages by their payload, never by what the mesh says of itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::publisher::{Payload, Sent};
use super::subscriber::{END, Log};
use crate::harness::api;

/// Offset and message, in order.
pub(crate) type Entries = Vec<(u64, Payload)>;

/// Reads a channel by the server API, page by page: its epoch and its messages, without the last one.
pub(crate) fn history(edge: &str, channel: &str) -> (String, Entries) {
    let mut entries: Vec<(u64, Payload)> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |(offset, _)| *offset);
        let page = page(edge, channel, after);
        let publications = page["publications"].as_array().expect("a list");
        if publications.is_empty() {
            entries.retain(|(_, payload)| payload.0 != END);
            let epoch = page["epoch"].as_str().expect("an epoch");
            return (epoch.to_owned(), entries);
        }
        entries.extend(publications.iter().map(entry));
    }
}

fn page(edge: &str, channel: &str, after: u64) -> Value {
    let body = json!({ "channel": channel, "limit": -1, "since": { "offset": after } });
    let answer = api(edge, "history", &body);
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"].clone()
}

fn entry(publication: &Value) -> (u64, Payload) {
    let payload = serde_json::from_value(publication["data"].clone());
    (
        publication["offset"].as_u64().expect("an offset"),
        payload.expect("a numbered message"),
    )
}

/// Checks one channel's messages in order: offsets without a hole, each message once, each publisher's in its order,
/// everything acked there, nothing there that wasn't sent.
pub(crate) fn check_kept(entries: &[(u64, Payload)], sent: &[Sent]) {
    for (index, (offset, payload)) in entries.iter().enumerate() {
        assert_eq!(*offset, index as u64 + 1, "a hole before {payload:?}");
    }
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    for (_, (publisher, number)) in entries {
        let before = last.insert(*publisher, *number);
        assert!(
            before.is_none_or(|before| before < *number),
            "publisher {publisher}: {number} after {before:?}"
        );
    }
    let kept: BTreeSet<Payload> = entries.iter().map(|(_, payload)| *payload).collect();
    assert_eq!(kept.len(), entries.len(), "a message is there twice");
    let lost: Vec<_> = sent
        .iter()
        .filter(|one| one.acked && !kept.contains(&one.payload))
        .map(|one| one.payload)
        .collect();
    assert!(lost.is_empty(), "acked and lost: {lost:?}");
    let known: BTreeSet<Payload> = sent.iter().map(|one| one.payload).collect();
    assert!(kept.is_subset(&known), "a message that nobody sent");
}

/// Checks that a subscriber got exactly these messages in this order, and was told of nothing missing.
pub(crate) fn check_followed(log: &Log, entries: &[(u64, Payload)]) {
    assert!(
        log.told.is_empty(),
        "told that something is missing: {:?}",
        log.told
    );
    let differs = log
        .entries
        .iter()
        .zip(entries)
        .position(|(got, kept)| got != kept);
    assert_eq!(differs, None, "got and kept differ from there on");
    assert_eq!(log.entries.len(), entries.len(), "got and kept");
}

/// Checks that a subscriber got a part of these messages, in order, and was told at each hole.
pub(crate) fn check_told(log: &Log, entries: &[(u64, Payload)]) {
    let all: BTreeMap<u64, Payload> = entries.iter().copied().collect();
    for (offset, payload) in &log.entries {
        assert_eq!(all.get(offset), Some(payload), "at offset {offset}");
    }
    for (index, pair) in log.entries.windows(2).enumerate() {
        let (before, after) = (pair[0].0, pair[1].0);
        let may_miss = log.told.contains(&(index + 1));
        assert!(
            after == before + 1 || (may_miss && after > before),
            "{after} follows {before} in silence"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn sent(payload: Payload) -> Sent {
        Sent {
            payload,
            at: Instant::now(),
            answered_at: None,
            acked: true,
        }
    }

    fn got(entries: &[(u64, Payload)], told: &[usize]) -> Log {
        Log {
            entries: entries.into(),
            told: told.into(),
            ..Log::default()
        }
    }

    #[test]
    fn what_is_whole_is_passed() {
        let kept = [(1, (0, 0)), (2, (1, 0)), (3, (0, 2))];
        check_kept(&kept, &kept.map(|(_, payload)| sent(payload)));
        check_followed(&got(&kept, &[]), &kept);
        check_told(&got(&[kept[0], kept[2]], &[1]), &kept);
    }

    #[test]
    #[should_panic(expected = "acked and lost: [(0, 1)]")]
    fn a_lost_message_is_found() {
        check_kept(&[(1, (0, 0))], &[sent((0, 0)), sent((0, 1))]);
    }

    #[test]
    #[should_panic(expected = "publisher 0: 0 after Some(0)")]
    fn a_doubled_message_is_found() {
        check_kept(&[(1, (0, 0)), (2, (0, 0))], &[sent((0, 0))]);
    }

    #[test]
    #[should_panic(expected = "publisher 0: 0 after Some(1)")]
    fn a_publishers_broken_order_is_found() {
        check_kept(&[(1, (0, 1)), (2, (0, 0))], &[sent((0, 0)), sent((0, 1))]);
    }

    #[test]
    #[should_panic(expected = "a hole before (0, 1)")]
    fn a_hole_is_found() {
        check_kept(&[(1, (0, 0)), (3, (0, 1))], &[sent((0, 0)), sent((0, 1))]);
    }

    #[test]
    #[should_panic(expected = "got and kept differ from there on")]
    fn a_swallowed_push_is_found() {
        let kept = [(1, (0, 0)), (2, (0, 1)), (3, (0, 2))];
        check_followed(&got(&[kept[0], kept[2]], &[]), &kept);
    }

    #[test]
    #[should_panic(expected = "3 follows 1 in silence")]
    fn a_silent_gap_is_found() {
        let kept = [(1, (0, 0)), (2, (0, 1)), (3, (0, 2))];
        check_told(&got(&[kept[0], kept[2]], &[]), &kept);
    }
}
