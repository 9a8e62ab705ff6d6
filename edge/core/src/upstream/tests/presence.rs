//! Presence: changes, and snapshots on new links.

use super::*;
use trunkline_shared::ClientInfo;
use trunkline_shared::frame::{PresenceEvent, PresenceSnapshot};

pub(super) fn client(id: &str) -> ClientInfo {
    let (user, client) = (SmolStr::new("u"), SmolStr::new(id));
    ClientInfo {
        user,
        client,
        conn_info: Payload::default(),
        chan_info: Payload::default(),
    }
}

fn join(edge: &mut Edge, id: &str) {
    edge.worker(
        A,
        ToUpstream::Joined {
            channel: named("chat:1"),
            client: client(id),
        },
    );
}

fn leave(edge: &mut Edge, id: &str) {
    edge.worker(
        A,
        ToUpstream::Left {
            channel: named("chat:1"),
            client: client(id),
        },
    );
}

fn snapshots(edge: &mut Edge) -> Vec<PresenceSnapshot> {
    let snapshot = |frame: ToNode| {
        if let ToNode::PresenceSnapshot(snapshot) = frame {
            Some(snapshot)
        } else {
            None
        }
    };
    edge.take_sent().into_iter().filter_map(snapshot).collect()
}

fn ids(snapshot: &PresenceSnapshot) -> Vec<&str> {
    snapshot
        .entries
        .iter()
        .map(|(_, client)| client.client.as_str())
        .collect()
}

/// An edge that tells 500 presences on a new link, on which it then is stuck when `stuck`.
fn with_many(lane_queue_bytes: usize, stuck: bool) -> Edge {
    let mut edge = Edge::linked_with(UpstreamConfig {
        lane_queue_bytes,
        ..UpstreamConfig::default()
    });
    edge.link_down(1);
    for number in 0..500 {
        join(&mut edge, &format!("c{number:03}"));
    }
    edge.forget_outputs();
    if stuck {
        edge.stuck.insert(LinkId(2));
    }
    edge.link_up(2, 1);
    edge
}

#[test]
fn a_first_presence_is_a_snapshot_and_later_ones_are_changes() {
    let mut edge = Edge::linked();
    join(&mut edge, "c1");
    let first = snapshots(&mut edge);
    assert_eq!(
        (first.len(), first[0].first, first[0].last, ids(&first[0])),
        (1, true, true, vec!["c1"])
    );
    join(&mut edge, "c2");
    leave(&mut edge, "c1");
    let told = edge.take_sent();
    assert_eq!(kinds(&told), ["changes", "changes"]);
    let ToNode::PresenceChanges(last) = &told[1] else {
        panic!("changes")
    };
    assert_eq!(
        (
            last.changes[0].joined,
            last.changes[0].client.client.as_str()
        ),
        (false, "c1")
    );
}

#[test]
fn a_new_link_is_told_everything_also_that_nobody_is_left() {
    let mut edge = Edge::linked();
    join(&mut edge, "c1");
    edge.link_down(1);
    leave(&mut edge, "c1");
    edge.forget_outputs();
    edge.link_up(2, 1);
    let told = snapshots(&mut edge);
    assert_eq!(
        (
            told.len(),
            told[0].first,
            told[0].last,
            told[0].entries.len()
        ),
        (1, true, true, 0)
    );
}

#[test]
fn long_snapshots_go_in_pieces_with_one_first_and_one_last() {
    let mut edge = with_many(4 << 20, false);
    let told = snapshots(&mut edge);
    assert!(told.len() > 1);
    assert_eq!(told.iter().filter(|piece| piece.first).count(), 1);
    assert_eq!(told.iter().filter(|piece| piece.last).count(), 1);
    let all: Vec<&str> = told.iter().flat_map(ids).collect();
    let distinct: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!((all.len(), distinct.len()), (500, 500));
}

#[test]
fn in_a_snapshot_each_entry_is_restated_or_changed_never_both() {
    let mut edge = with_many(40 << 10, true);
    assert_eq!(
        kinds(&edge.take_sent()),
        ["snapshot"],
        "the lane is full behind the first piece"
    );
    leave(&mut edge, "c000");
    join(&mut edge, "c999");
    leave(&mut edge, "c499");
    assert_eq!(
        kinds(&edge.take_sent()),
        ["changes"],
        "only the entry that was restated is changed"
    );
    edge.unstick();
    let rest = snapshots(&mut edge);
    let all: Vec<&str> = rest.iter().flat_map(ids).collect();
    assert!(all.contains(&"c999") && !all.contains(&"c499") && !all.contains(&"c000"));
    assert!(rest.iter().all(|piece| !piece.first) && rest.last().expect("more pieces").last);
}

#[test]
fn changes_that_find_the_lane_full_become_a_snapshot_later() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        lane_queue_bytes: 500,
        ..UpstreamConfig::default()
    });
    join(&mut edge, "c1");
    edge.stuck.insert(LINK);
    edge.publish(A, "chat:1", "1");
    edge.forget_outputs();
    join(&mut edge, "c2");
    assert!(edge.take_sent().is_empty());
    edge.unstick();
    let told = snapshots(&mut edge);
    assert_eq!((told.len(), ids(&told[0])), (1, vec!["c1", "c2"]));
}

#[test]
fn beyond_the_table_a_join_is_not_kept() {
    let mut edge = Edge::linked_with(UpstreamConfig {
        presences_max: 1,
        ..UpstreamConfig::default()
    });
    join(&mut edge, "c1");
    join(&mut edge, "c2");
    assert_eq!(edge.upstream.gauges().presences, 1);
    assert_eq!(edge.upstream.counters().presences_refused, 1);
}

#[test]
fn presence_is_told_again_after_an_owner_said_that_the_slot_is_not_its_own_yet() {
    let mut edge = Edge::linked();
    edge.subscribe(A, "chat:1", None);
    let request = request_of(&edge.take_sent()[0]);
    join(&mut edge, "c1");
    edge.take_sent();
    let refusal = trunkline_shared::frame::Refusal::Moved {
        version: version(1),
    };
    edge.frame(ToEdge::Refused {
        request,
        slot: slot("chat:1"),
        refusal,
    });
    edge.advance(Duration::from_millis(200));
    assert_eq!(kinds(&edge.take_sent()), ["subscribe", "snapshot"]);
}

#[test]
fn events_reach_the_workers_that_subscribe() {
    let mut edge = Edge::linked();
    edge.live(A, "chat:1", 5);
    let (slot, channel) = (slot("chat:1"), named("chat:1"));
    let events = vec![PresenceEvent {
        client: client("c1"),
        joined: true,
    }];
    edge.frame(ToEdge::PresenceEvents {
        slot,
        channel,
        events,
    });
    assert_eq!(edge.take_story(A), ["presence events 1"]);
    assert!(edge.take_told(B).is_empty());
}
