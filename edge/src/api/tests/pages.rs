//! `history` that is longer than one answer from upstream.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use trunkline_edge_core::exchange::{Answer, ToUpstream};
use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::limits::API_HISTORY_BYTES_MAX;
use trunkline_shared::{Epoch, Offset, Payload, Position, Publication, Trace, UnixMillis};

use super::{api, call, is_error, keyed, position, rules};

/// Bytes of each publication's data: some sixteen fill an answer.
const DATA_BYTES: usize = 60 << 10;

fn publication(offset: u64) -> Publication {
    Publication {
        offset: Offset(offset),
        data: Payload::new(format!("\"{}\"", "x".repeat(DATA_BYTES - 2)).into()),
        is_json: true,
        info: None,
        tags: Vec::new(),
        time: UnixMillis(5),
        origin: "".into(),
        trace: Trace::default(),
    }
}

/// A channel that keeps the publications from `from` to `to`.
struct Kept {
    from: u64,
    to: u64,
}

impl Kept {
    /// Answers as an owner does: as many as are asked and fit.
    fn answer(&self, message: ToUpstream) -> Answer {
        let ToUpstream::History {
            query, bytes_max, ..
        } = message
        else {
            panic!("a history")
        };
        let offsets: Vec<u64> = match query {
            HistoryQuery::Forward { after, limit } => {
                let first = self.from.max(after.0 + 1);
                (first..=self.to).take(limit as usize).collect()
            }
            HistoryQuery::Backward { before, limit } => {
                let end = before.map_or(self.to + 1, |before| before.0);
                (self.from..end).rev().take(limit as usize).collect()
            }
            HistoryQuery::Position | HistoryQuery::Newest { .. } => panic!("not asked"),
        };
        let fit = bytes_max as usize / publication(1).weight();
        Answer::History {
            head: position(self.to),
            floor: Offset::ZERO,
            publications: offsets.into_iter().take(fit).map(publication).collect(),
        }
    }
}

fn body(limit: i64, reverse: bool) -> Value {
    json!({"channel": "long:1", "limit": limit, "reverse": reverse})
}

#[track_caller]
fn offsets(answer: &Value) -> Vec<u64> {
    let publications = answer["result"]["publications"].as_array();
    let publications = publications.expect("publications").iter();
    publications
        .map(|publication| publication["offset"].as_u64().expect("an offset"))
        .collect()
}

async fn history(kept: Kept, limit: i64, reverse: bool) -> Vec<u64> {
    let api = api(Some(rules()), keyed(), move |message| kept.answer(message));
    offsets(&call(&api, "history", body(limit, reverse)).await)
}

#[tokio::test]
async fn a_long_history_comes_whole() {
    let kept = || Kept { from: 5, to: 64 };
    let all: Vec<u64> = (5..=64).collect();
    assert_eq!(history(kept(), -1, false).await, all);
    let newest_first: Vec<u64> = all.iter().rev().copied().collect();
    assert_eq!(history(kept(), -1, true).await, newest_first);
    assert_eq!(history(kept(), 40, false).await, all[..40]);
    assert_eq!(history(kept(), 40, true).await, newest_first[..40]);
}

#[tokio::test]
async fn beyond_16_mib_the_first_ones_come() {
    let fit = (API_HISTORY_BYTES_MAX / publication(1).weight()) as u64;
    let kept = || Kept { from: 1, to: 400 };
    let oldest: Vec<u64> = (1..=fit).collect();
    assert_eq!(history(kept(), -1, false).await, oldest);
    let newest: Vec<u64> = (1..=400).rev().take(oldest.len()).collect();
    assert_eq!(history(kept(), -1, true).await, newest);
}

/// Calls over an owner whose channel differs from answer to answer.
async fn changing(kept: impl Fn(u64) -> (Kept, Epoch) + Send + 'static) -> Value {
    let calls = AtomicU64::new(0);
    let api = api(Some(rules()), keyed(), move |message| {
        let (kept, epoch) = kept(calls.fetch_add(1, Ordering::Relaxed));
        let Answer::History {
            head,
            floor,
            publications,
        } = kept.answer(message)
        else {
            panic!("a history")
        };
        Answer::History {
            head: Position { epoch, ..head },
            floor,
            publications,
        }
    });
    call(&api, "history", body(-1, false)).await
}

#[tokio::test]
async fn what_is_published_meanwhile_is_above_the_top_that_is_shown() {
    let kept = |call: u64| Kept {
        from: 1,
        to: 40 + call,
    };
    let answer = changing(move |call| (kept(call), Epoch::new(7))).await;
    assert_eq!(offsets(&answer), (1..=40).collect::<Vec<u64>>());
    assert_eq!(answer["result"]["offset"], 40);
}

#[tokio::test]
async fn what_leaves_meanwhile_leaves_no_hole() {
    let kept = |call: u64| Kept {
        from: 1 + 20 * call.min(2),
        to: 60,
    };
    let answer = changing(move |call| (kept(call), Epoch::new(7))).await;
    assert_eq!(offsets(&answer), (41..=60).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_numbering_that_changes_meanwhile_is_100() {
    let kept = || Kept { from: 1, to: 60 };
    let answer = changing(move |call| (kept(), Epoch::new(7 + call))).await;
    is_error(&answer, 100);
}
