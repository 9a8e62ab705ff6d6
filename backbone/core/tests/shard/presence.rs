//! Presence.

use std::time::Duration;

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::Input;
use trunkline_shared::LinkId;
use trunkline_shared::frame::{
    PresenceChange, PresenceChanges, PresenceSnapshot, Refusal, ToEdge, ToNode,
};

use crate::support::*;

fn change(owner: &mut Owner, link: u64, name: &str, changes: &[(&str, bool)]) {
    let change = |(who, joined): &(&str, bool)| PresenceChange {
        channel: channel(name),
        client: client(who),
        joined: *joined,
    };
    let changes = changes.iter().map(change).collect();
    owner.say(
        link,
        ToNode::PresenceChanges(PresenceChanges {
            slot: slot(name),
            changes,
        }),
    );
}

fn snapshot(
    owner: &mut Owner,
    link: u64,
    name: &str,
    (first, last): (bool, bool),
    clients: &[&str],
) {
    let entries = clients
        .iter()
        .map(|who| (channel(name), client(who)))
        .collect();
    owner.say(
        link,
        ToNode::PresenceSnapshot(PresenceSnapshot {
            slot: slot(name),
            first,
            last,
            entries,
        }),
    );
}

fn present(owner: &mut Owner, name: &str) -> Vec<String> {
    owner.frames.clear();
    let request = owner.request();
    owner.say(
        3,
        ToNode::Presence {
            request,
            slot: slot(name),
            channel: channel(name),
        },
    );
    let piece = |frame| {
        if let ToEdge::Presence(piece) = frame {
            piece.clients
        } else {
            Vec::new()
        }
    };
    owner
        .frames_to(3)
        .into_iter()
        .flat_map(piece)
        .map(|client| client.client.to_string())
        .collect()
}

/// Joins (+) and leaves (-) sent on a link since it was asked last.
fn events(owner: &mut Owner, link: u64) -> Vec<String> {
    let events = |frame| {
        if let ToEdge::PresenceEvents { events, .. } = frame {
            events
        } else {
            Vec::new()
        }
    };
    let sign = |joined| if joined { '+' } else { '-' };
    let all = owner.frames_to(link).into_iter().flat_map(events);
    all.map(|event| format!("{}{}", sign(event.joined), event.client.client))
        .collect()
}

#[test]
fn joins_and_leaves_are_kept_and_counted() {
    let mut owner = Owner::new();
    change(
        &mut owner,
        1,
        "quiet:1",
        &[("ann-1", true), ("bob-1", true), ("ann-2", true)],
    );
    change(&mut owner, 2, "quiet:1", &[("eve-1", true)]);
    change(&mut owner, 1, "quiet:1", &[("bob-1", false)]);
    assert_eq!(present(&mut owner, "quiet:1"), ["ann-1", "ann-2", "eve-1"]);
    let request = owner.request();
    owner.say(
        1,
        ToNode::PresenceStats {
            request,
            slot: slot("quiet:1"),
            channel: channel("quiet:1"),
        },
    );
    let stats = ToEdge::PresenceStats {
        request,
        slot: slot("quiet:1"),
        clients: 3,
        users: 2,
    };
    assert_eq!(owner.frames_to(1), [stats]);
}

#[test]
fn presence_of_an_empty_channel_is_empty() {
    let mut owner = Owner::new();
    assert_eq!(present(&mut owner, "room:1"), Vec::<String>::new());
}

#[test]
fn presence_is_not_available_where_the_namespace_has_none() {
    let mut owner = Owner::new();
    let request = owner.request();
    owner.say(
        1,
        ToNode::Presence {
            request,
            slot: slot("live:1"),
            channel: channel("live:1"),
        },
    );
    owner.say(
        1,
        ToNode::PresenceStats {
            request,
            slot: slot("live:1"),
            channel: channel("live:1"),
        },
    );
    assert_eq!(
        owner.refusals_to(1),
        [Refusal::NotAvailable, Refusal::NotAvailable]
    );
    change(&mut owner, 1, "live:1", &[("ann-1", true)]);
    assert_eq!(owner.shard.gauges().presence, 0);
}

#[test]
fn events_go_to_every_subscribed_edge_in_one_batch() {
    let mut owner = Owner::new();
    owner.subscribed(1, "room:1", None);
    owner.subscribed(2, "room:1", None);
    owner.frames.clear();
    change(
        &mut owner,
        1,
        "room:1",
        &[("ann-1", true), ("bob-1", true), ("ann-1", false)],
    );
    assert_eq!(owner.frames.len(), 2, "one frame per edge");
    assert_eq!(events(&mut owner, 1), ["+ann-1", "+bob-1", "-ann-1"]);
    assert_eq!(events(&mut owner, 2), ["+ann-1", "+bob-1", "-ann-1"]);
}

#[test]
fn a_namespace_without_join_leave_sends_no_events() {
    let mut owner = Owner::new();
    owner.subscribed(2, "quiet:1", None);
    change(&mut owner, 1, "quiet:1", &[("ann-1", true)]);
    assert!(owner.frames_to(2).is_empty());
}

#[test]
fn a_join_of_one_present_and_a_leave_of_one_absent_are_no_events() {
    let mut owner = Owner::new();
    owner.subscribed(2, "room:1", None);
    change(&mut owner, 1, "room:1", &[("ann-1", true)]);
    owner.frames.clear();
    change(
        &mut owner,
        1,
        "room:1",
        &[("ann-1", true), ("bob-1", false)],
    );
    change(&mut owner, 3, "room:1", &[("ann-1", false)]);
    assert!(owner.frames.is_empty());
    assert_eq!(present(&mut owner, "room:1"), ["ann-1"]);
}

#[test]
fn a_snapshot_ends_what_it_does_not_restate() {
    let mut owner = Owner::new();
    owner.subscribed(2, "room:1", None);
    change(
        &mut owner,
        1,
        "room:1",
        &[("ann-1", true), ("bob-1", true), ("eve-1", true)],
    );
    change(&mut owner, 2, "room:1", &[("joe-1", true)]);
    owner.down(1);
    owner.up(1, 11);
    owner.frames.clear();
    snapshot(&mut owner, 11, "room:1", (true, false), &["ann-1"]);
    change(&mut owner, 11, "room:1", &[("zoe-1", true)]);
    snapshot(&mut owner, 11, "room:1", (false, true), &["eve-1"]);
    assert_eq!(events(&mut owner, 2), ["+zoe-1", "-bob-1"]);
    assert_eq!(
        present(&mut owner, "room:1"),
        ["ann-1", "eve-1", "joe-1", "zoe-1"]
    );
}

#[test]
fn a_snapshot_cut_by_the_link_ends_nothing() {
    let mut owner = Owner::new();
    change(&mut owner, 1, "room:1", &[("ann-1", true), ("bob-1", true)]);
    owner.down(1);
    owner.up(1, 11);
    snapshot(&mut owner, 11, "room:1", (true, false), &["ann-1"]);
    owner.down(11);
    owner.up(1, 12);
    snapshot(&mut owner, 12, "room:1", (false, true), &[]);
    assert_eq!(present(&mut owner, "room:1"), ["ann-1", "bob-1"]);
}

#[test]
fn an_edge_that_comes_back_without_restating_loses_the_rest_after_the_debounce() {
    let mut owner = Owner::new();
    change(&mut owner, 1, "room:1", &[("ann-1", true)]);
    change(&mut owner, 1, "room:2", &[("ann-1", true)]);
    owner.down(1);
    owner.up(1, 11);
    snapshot(&mut owner, 11, "room:1", (true, true), &["ann-1"]);
    owner.pass(Duration::from_secs(30));
    assert_eq!(present(&mut owner, "room:1"), ["ann-1"]);
    assert_eq!(present(&mut owner, "room:2"), Vec::<String>::new());
}

#[test]
fn the_connections_of_a_dead_edge_leave_together_after_the_debounce() {
    let mut owner = Owner::new();
    owner.subscribed(2, "room:1", None);
    change(&mut owner, 1, "room:1", &[("ann-1", true), ("bob-1", true)]);
    owner.down(1);
    owner.frames.clear();
    owner.pass(Duration::from_secs(39));
    assert!(owner.frames.is_empty());
    owner.pass(Duration::from_secs(1));
    assert_eq!(events(&mut owner, 2), ["-ann-1", "-bob-1"]);
    assert_eq!(owner.shard.gauges().edges, 2);
}

#[test]
fn a_goodbye_needs_no_lease() {
    let mut owner = Owner::new();
    change(&mut owner, 1, "room:1", &[("ann-1", true)]);
    owner.input(Input::LinkDown {
        link: LinkId(1),
        goodbye: true,
    });
    owner.pass(Duration::from_secs(29));
    assert_eq!(present(&mut owner, "room:1"), ["ann-1"]);
    owner.pass(Duration::from_secs(1));
    assert_eq!(present(&mut owner, "room:1"), Vec::<String>::new());
}

#[test]
fn what_another_edge_restates_stays() {
    let mut owner = Owner::new();
    owner.subscribed(3, "room:1", None);
    change(&mut owner, 1, "room:1", &[("ann-1", true), ("bob-1", true)]);
    owner.down(1);
    owner.frames.clear();
    change(&mut owner, 2, "room:1", &[("ann-1", true)]);
    owner.pass(Duration::from_secs(60));
    assert_eq!(events(&mut owner, 3), ["-bob-1"]);
    assert_eq!(present(&mut owner, "room:1"), ["ann-1"]);
}

#[test]
fn an_edge_that_comes_back_in_time_loses_nothing() {
    let mut owner = Owner::new();
    change(&mut owner, 1, "room:1", &[("ann-1", true)]);
    owner.down(1);
    owner.pass(Duration::from_secs(39));
    owner.up(1, 11);
    snapshot(&mut owner, 11, "room:1", (true, true), &["ann-1"]);
    owner.pass(Duration::from_secs(120));
    assert_eq!(present(&mut owner, "room:1"), ["ann-1"]);
}

#[test]
fn presence_is_bounded_per_channel_and_in_all() {
    let bounds = ShardConfig {
        presence_per_channel_max: 2,
        presence_max: 3,
        ..ShardConfig::default()
    };
    let mut owner = Owner::with(bounds);
    change(
        &mut owner,
        1,
        "room:1",
        &[("a-1", true), ("b-1", true), ("c-1", true)],
    );
    change(&mut owner, 1, "room:2", &[("a-1", true), ("b-1", true)]);
    assert_eq!(present(&mut owner, "room:1"), ["a-1", "b-1"]);
    assert_eq!(present(&mut owner, "room:2"), ["a-1"]);
    assert_eq!(owner.shard.counters().presence_refused, 2);
}

#[test]
fn a_long_presence_comes_in_pieces() {
    let mut owner = Owner::new();
    let names: Vec<String> = (0..1000).map(|n| format!("user-{n:04}")).collect();
    let joins: Vec<_> = names.iter().map(|name| (name.as_str(), true)).collect();
    change(&mut owner, 1, "quiet:1", &joins);
    owner.frames.clear();
    let request = owner.request();
    owner.say(
        3,
        ToNode::Presence {
            request,
            slot: slot("quiet:1"),
            channel: channel("quiet:1"),
        },
    );
    let piece = |frame| {
        if let ToEdge::Presence(piece) = frame {
            (piece.clients.len(), piece.last)
        } else {
            (0, false)
        }
    };
    let pieces: Vec<_> = owner.frames_to(3).into_iter().map(piece).collect();
    assert_eq!(pieces, [(464, false), (464, false), (72, true)]);
}

#[test]
fn events_that_do_not_fit_a_lane_are_dropped() {
    let mut owner = Owner::with(ShardConfig {
        lane_queue_bytes: 400,
        ..ShardConfig::default()
    });
    owner.subscribed(2, "room:1", None);
    change(&mut owner, 1, "room:1", &[("a-1", true)]);
    change(&mut owner, 1, "room:1", &[("b-1", true)]);
    assert_eq!(owner.shard.counters().presence_events_dropped, 1);
    assert_eq!(
        present(&mut owner, "room:1"),
        ["a-1", "b-1"],
        "presence is right all the same"
    );
}
