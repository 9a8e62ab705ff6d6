//! Workers that are slow: their channels lag, and are served from the rings.

use super::*;

/// Room for a few small publications.
fn small_queue() -> UpstreamConfig {
    UpstreamConfig {
        worker_queue_bytes: 1000,
        ..UpstreamConfig::default()
    }
}

/// An edge whose worker A is busy while 20 publications come.
fn with_busy_reader(config: UpstreamConfig) -> Edge {
    let mut edge = Edge::linked_with(config);
    edge.live(A, "chat:1", 0);
    edge.subscribe(B, "chat:1", None);
    edge.busy.insert(A);
    edge.forget_outputs();
    for offset in 1..=20 {
        edge.push("chat:1", offset);
    }
    edge
}

fn given(offsets: impl IntoIterator<Item = u64>) -> Vec<String> {
    offsets
        .into_iter()
        .map(|offset| format!("publication {offset}"))
        .collect()
}

#[test]
fn a_slow_worker_lags_alone_and_is_served_from_the_ring() {
    let mut edge = with_busy_reader(small_queue());
    assert_eq!(
        edge.take_told(B).len(),
        20,
        "the other worker has everything"
    );
    let first = edge.take_story(A).len() as u64;
    assert!((1..20).contains(&first));
    assert_eq!(edge.upstream.counters().worker_lags, 1);
    edge.unbusy();
    assert_eq!(edge.take_story(A), given(first + 1..=20));
    edge.push("chat:1", 21);
    assert_eq!(edge.take_story(A), given([21]));
}

#[test]
fn a_worker_that_the_ring_has_left_behind_is_told_the_gap() {
    let mut edge = with_busy_reader(UpstreamConfig {
        ring_publications_max: 4,
        ..small_queue()
    });
    edge.forget_outputs();
    edge.unbusy();
    let story = edge.take_story(A);
    assert_eq!(story[0], "gap 16");
    assert_eq!(story[1..], given(17..=20));
}

#[test]
fn answers_always_go_to_a_slow_worker() {
    let mut edge = with_busy_reader(small_queue());
    edge.forget_outputs();
    edge.subscribe(A, "chat:1", None);
    assert_eq!(edge.take_story(A), ["subscribed 20 None"]);
}

#[test]
fn what_has_no_position_is_dropped_for_a_slow_worker() {
    let mut edge = Edge::linked_with(small_queue());
    edge.subscribe(A, "cursors:1", None);
    edge.answer_subscribe(LINK, None, false);
    edge.busy.insert(A);
    for _ in 0..20 {
        edge.push_ephemeral("cursors:1");
    }
    assert!(edge.upstream.counters().worker_dropped > 0);
    edge.forget_outputs();
    edge.unbusy();
    assert!(edge.take_told(A).is_empty());
}

#[test]
fn what_has_no_position_is_no_step_in_a_numbered_channel() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.push("chat:1", 6);
    edge.push_ephemeral("chat:1");
    edge.push("chat:1", 7);
    assert_eq!(edge.take_story(A), given([6, 0, 7]));
    edge.subscribe(B, "chat:1", Some(recover(5)));
    let resumed = edge.take_story(B);
    assert_eq!(resumed, ["subscribed 7 Some([6, 7])"], "no ring has it");
}

#[test]
fn an_epoch_change_reaches_a_lagging_worker_and_ends_its_lag() {
    let mut edge = with_busy_reader(small_queue());
    edge.forget_outputs();
    edge.push_on(LINK, "chat:1", OTHER_EPOCH, 1);
    edge.answer_subscribe(LINK, Some(other_at(1)), false);
    assert_eq!(edge.take_story(A), ["epoch changed 1"]);
    edge.unbusy();
    edge.push_on(LINK, "chat:1", OTHER_EPOCH, 2);
    assert_eq!(edge.take_story(A), given([2]));
}

#[test]
fn rings_are_bounded_together() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        rings_bytes_max: 1500,
        ..UpstreamConfig::default()
    });
    for channel in ["chat:1", "chat:2", "chat:3"] {
        edge.live(A, channel, 0);
    }
    for offset in 1..=10 {
        for channel in ["chat:1", "chat:2", "chat:3"] {
            edge.push(channel, offset);
        }
    }
    assert!(edge.upstream.gauges().rings_bytes <= 1500);
    assert!(edge.upstream.counters().rings_evicted > 0);
    assert_eq!(edge.take_told(A).len(), 30, "who keeps up misses nothing");
}

#[test]
fn a_worker_that_leaves_while_it_lags_is_served_nothing_more() {
    let mut edge = with_busy_reader(small_queue());
    edge.unsubscribe(A, "chat:1");
    edge.forget_outputs();
    edge.unbusy();
    assert!(edge.take_told(A).is_empty());
}
