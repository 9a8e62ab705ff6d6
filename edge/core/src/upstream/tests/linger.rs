//! Channels whose last subscriber has left.

use super::*;

#[test]
fn a_channel_lingers_and_is_then_ended_at_the_owner() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.unsubscribe(A, "chat:1");
    edge.advance(Duration::from_millis(59_999));
    assert!(!kinds(&edge.take_sent()).contains(&"unsubscribe"));
    edge.advance(Duration::from_millis(1));
    assert!(kinds(&edge.take_sent()).contains(&"unsubscribe"));
    assert_eq!(edge.upstream.gauges().channels, 0);
}

#[test]
fn a_subscribe_meanwhile_finds_it_live() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.unsubscribe(A, "chat:1");
    edge.push("chat:1", 6);
    assert!(edge.take_told(A).is_empty(), "nobody there wants it");
    edge.subscribe(A, "chat:1", None);
    assert_eq!(edge.take_story(A), ["subscribed 6 None"]);
    edge.advance(Duration::from_secs(61));
    assert!(!kinds(&edge.take_sent()).contains(&"unsubscribe"));
}

#[test]
fn one_worker_leaving_ends_its_publications_only() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.subscribe(B, "chat:1", None);
    edge.unsubscribe(A, "chat:1");
    edge.forget_outputs();
    edge.push("chat:1", 6);
    assert!(edge.take_told(A).is_empty());
    assert_eq!(edge.take_story(B), ["publication 6"]);
    assert_eq!(edge.upstream.gauges().channels_lingering, 0);
}

#[test]
fn with_too_many_lingering_the_oldest_ends() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        linger_channels_max: 1,
        ..UpstreamConfig::default()
    });
    edge.live(A, "chat:1", 5);
    edge.live(A, "chat:2", 5);
    edge.unsubscribe(A, "chat:1");
    edge.unsubscribe(A, "chat:2");
    let sent = edge.take_sent();
    assert!(
        matches!(&sent[..], [ToNode::Unsubscribe { channel, .. }] if *channel == named("chat:1"))
    );
}

#[test]
fn with_too_many_channels_a_lingering_one_makes_room_or_none_is_taken() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        channels_max: 1,
        ..UpstreamConfig::default()
    });
    edge.live(A, "chat:1", 5);
    edge.subscribe(A, "chat:2", None);
    assert_eq!(edge.take_story(A), [refused(RefusedBecause::Temporary)]);
    edge.unsubscribe(A, "chat:1");
    edge.subscribe(A, "chat:2", None);
    assert_eq!(kinds(&edge.take_sent()), ["unsubscribe", "subscribe"]);
}

#[test]
fn a_lingering_channel_is_restated_on_a_new_link() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.unsubscribe(A, "chat:1");
    edge.link_down(1);
    edge.link_up(2, 1);
    assert_eq!(
        edge.answer_subscribe(LinkId(2), Some(at(5)), false),
        Some(at(5))
    );
}
