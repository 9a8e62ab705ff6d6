//! Links, views, dialling and readiness.

use super::*;
use trunkline_shared::frame::EdgeStats;

fn dials(edge: &mut Edge) -> Vec<String> {
    let text = |output: Output| match output {
        Output::Dial { address } => format!("dial {address}"),
        Output::Hangup { address } => format!("hang up {address}"),
        Output::CloseLink { link, .. } => format!("close {}", link.0),
        Output::Worker { .. } | Output::Send { .. } => String::new(),
    };
    edge.control.drain(..).map(text).collect()
}

fn with_contact() -> UpstreamConfig {
    UpstreamConfig {
        contacts: vec![SmolStr::new("contact:1")],
        ..UpstreamConfig::default()
    }
}

/// Node 1 is reached under the contact's address.
fn link_by_contact(edge: &mut Edge) {
    let (link, address) = (LINK, SmolStr::new("contact:1"));
    edge.input(Input::LinkUp {
        link,
        address,
        node: node(1),
        incarnation: Incarnation([1; 16]),
    });
}

#[test]
fn contacts_are_dialled_first_and_members_once_a_view_is_known() {
    let mut edge = Edge::new(with_contact());
    assert_eq!(dials(&mut edge), ["dial contact:1"]);
    link_by_contact(&mut edge);
    edge.frame(ToEdge::View(view(1, &[1, 2])));
    assert_eq!(
        dials(&mut edge),
        ["dial 127.0.0.1:7442"],
        "node 1 is linked under the contact's address"
    );
}

#[test]
fn a_node_that_is_linked_is_not_dialled_again_when_it_comes_into_the_view() {
    let mut edge = Edge::new(UpstreamConfig::default());
    edge.link_up(1, 1);
    edge.link_up(2, 2);
    dials(&mut edge);
    edge.frame(ToEdge::View(view(1, &[1])));
    edge.frame(ToEdge::View(view(2, &[1, 2])));
    assert_eq!(dials(&mut edge), [""; 0]);
    edge.frame(ToEdge::View(view(3, &[1])));
    edge.link_down(2);
    assert_eq!(dials(&mut edge), ["hang up 127.0.0.1:7442"]);
}

#[test]
fn contacts_are_dialled_again_when_no_member_is_linked() {
    let mut edge = Edge::new(with_contact());
    edge.link_up(1, 1);
    edge.frame(ToEdge::View(view(1, &[1])));
    assert!(dials(&mut edge).contains(&"hang up contact:1".to_owned()));
    edge.link_down(1);
    assert_eq!(dials(&mut edge), ["dial contact:1"]);
}

#[test]
fn a_newer_link_to_the_same_life_replaces_the_older() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    edge.link_up(2, 1);
    assert_eq!(dials(&mut edge), ["close 1"]);
    assert_eq!(
        edge.answer_subscribe(LinkId(2), Some(at(5)), false),
        Some(at(5))
    );
    edge.push("chat:1", 6);
    assert!(
        edge.take_told(A).is_empty(),
        "the closed link says nothing any more"
    );
}

#[test]
fn an_older_view_is_answered_with_the_newer() {
    let mut edge = Edge::linked();
    edge.frame(ToEdge::View(view(3, &[1])));
    edge.link_up(2, 2);
    edge.frame_on(LinkId(2), ToEdge::View(view(2, &[2])));
    assert_eq!(edge.take_kinds(), [(2, "show view")]);
    edge.publish(A, "chat:1", "1");
    assert_eq!(edge.take_kinds(), [(1, "publish")], "the newest view holds");
}

#[test]
fn a_node_with_an_older_view_is_shown_the_one_that_another_brings() {
    let mut edge = Edge::linked();
    edge.link_up(2, 2);
    edge.frame_on(LinkId(2), ToEdge::View(view(2, &[1, 2])));
    assert_eq!(edge.take_kinds(), [(1, "show view")]);
}

#[test]
fn a_moved_slot_is_restated_to_its_new_owner() {
    let mut edge = Edge::linked();
    edge.link_up(2, 2);
    edge.live(A, "chat:1", 5);
    edge.frame(ToEdge::View(view(2, &[2, 1])));
    edge.push("chat:1", 6);
    assert!(
        edge.take_told(A).is_empty(),
        "the old owner is not heard any more"
    );
    edge.answer_subscribe(LinkId(2), Some(at(5)), false);
    assert_eq!(edge.take_kinds(), [(2, "subscribe")]);
    edge.push_on(LinkId(2), "chat:1", EPOCH, 6);
    assert_eq!(edge.take_story(A), ["publication 6"]);
}

#[test]
fn an_unusable_frame_or_link_is_ignored() {
    let mut edge = Edge::linked();
    edge.frame(ToEdge::Rules(Payload::new(Bytes::from_static(b"{"))));
    edge.frame_on(LinkId(77), ToEdge::Store { away: true });
    edge.link_down(77);
    edge.frame(ToEdge::Published {
        request: RequestId(999),
        slot: slot("chat:1"),
        position: at(1),
    });
    assert!(edge.take_told(A).is_empty());
    assert_eq!(edge.upstream.counters().views_or_rules_invalid, 1);
    assert_eq!(edge.upstream.counters().answers_unknown, 1);
    assert!(!edge.upstream.store_away());
}

#[test]
fn an_edge_is_ready_with_rules_and_a_link_until_it_is_alone_for_too_long() {
    let mut edge = Edge::new(UpstreamConfig::default());
    assert_eq!(edge.upstream.readiness().len(), 2);
    edge.link_up(1, 1);
    edge.frame(ToEdge::View(view(1, &[1])));
    edge.frame(ToEdge::Rules(rules_json(1)));
    assert!(edge.upstream.readiness().is_empty());
    edge.link_down(1);
    edge.advance(Duration::from_millis(59_999));
    assert!(edge.upstream.readiness().is_empty());
    edge.advance(Duration::from_millis(1));
    assert_eq!(edge.upstream.readiness().len(), 1);
    edge.link_up(2, 1);
    assert!(edge.upstream.readiness().is_empty());
}

#[test]
fn workers_are_told_that_the_edge_is_alone_where_it_sends_its_clients_away() {
    let mut edge = Edge::new(UpstreamConfig {
        isolation_tolerance: Duration::from_secs(5),
        close_when_isolated: true,
        ..UpstreamConfig::default()
    });
    let all_hear = |edge: &mut Edge, story: &[&str]| {
        assert_eq!(edge.take_story(A), story);
        assert_eq!(edge.take_story(B), story);
    };
    all_hear(&mut edge, &["isolated true"]);
    edge.link_up(1, 1);
    all_hear(&mut edge, &[]);
    edge.frame(ToEdge::View(view(1, &[1])));
    all_hear(&mut edge, &["isolated false"]);
    edge.link_down(1);
    edge.advance(Duration::from_millis(4_999));
    edge.link_up(2, 1);
    edge.link_down(2);
    edge.advance(Duration::from_millis(4_999));
    all_hear(&mut edge, &[]);
    assert!(!edge.upstream.gauges().isolated);
    edge.advance(Duration::from_millis(1));
    all_hear(&mut edge, &["isolated true"]);
    assert!(edge.upstream.gauges().isolated);
    edge.link_up(3, 1);
    all_hear(&mut edge, &["isolated false"]);
}

#[test]
fn workers_hear_nothing_of_an_edge_that_is_alone_and_keeps_its_clients() {
    let mut edge = Edge::linked();
    edge.link_down(1);
    edge.advance(Duration::from_secs(60));
    assert!(edge.upstream.gauges().isolated);
    assert!(edge.take_story(A).is_empty());
}

#[test]
fn a_store_that_is_away_leaves_the_edge_ready() {
    let mut edge = Edge::linked();
    edge.frame(ToEdge::Store { away: true });
    assert!(edge.upstream.store_away());
    assert!(edge.upstream.readiness().is_empty());
    edge.frame(ToEdge::Store { away: false });
    assert!(!edge.upstream.store_away());
}

#[test]
fn statistics_and_goodbyes_reach_all_nodes() {
    let mut edge = Edge::linked();
    edge.input(Input::Stats(EdgeStats::default()));
    edge.link_up(2, 2);
    edge.input(Input::Goodbye);
    assert!(
        edge.sent
            .iter()
            .all(|(_, stream, _)| *stream == StreamId::Control)
    );
    assert_eq!(
        edge.take_kinds(),
        [(1, "stats"), (2, "stats"), (1, "goodbye"), (2, "goodbye")]
    );
}

#[test]
fn an_edge_that_does_not_follow_the_view_dials_its_contacts_and_nobody_else() {
    let mut edge = Edge::new(UpstreamConfig {
        follow_view: false,
        ..with_contact()
    });
    assert_eq!(dials(&mut edge), ["dial contact:1"]);
    link_by_contact(&mut edge);
    edge.frame(ToEdge::View(view(1, &[1, 2])));
    edge.link_down(1);
    assert!(dials(&mut edge).is_empty(), "the contact stays dialled");
}
