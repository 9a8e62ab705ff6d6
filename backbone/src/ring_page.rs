//! What `GET /ring` of a node's admin listener answers: the ring as the node sees it, and what the node does in it.

use serde::{Deserialize, Serialize};
use trunkline_backbone_core::Gauges;
use trunkline_backbone_core::membership::Ownership;
use trunkline_shared::{EdgeId, Member, NodeId, Region, RingView, ViewVersion};

use crate::control_task::LinkObserved;
use crate::membership::MembershipObserved;
use crate::observer::Observed;

/// The whole page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RingPage {
    /// The view by which the node works; none before it is in one for the first time.
    pub ring: Option<Ring>,
    /// The node itself.
    pub node: RingNode,
    /// Its links, by the edges' names.
    pub links: Vec<RingLink>,
}

/// A ring view in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// Its version: a later view has a higher one.
    pub version: ViewVersion,
    /// The nodes that it names.
    pub members: Vec<RingMember>,
    /// Slots that joins and leaves under way have yet to give to another owner.
    pub slots_to_move: usize,
    /// Views that this takes.
    pub steps_to_go: usize,
}

/// A member of a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingMember {
    /// Which node, which life of it, and where edges reach it.
    #[serde(flatten)]
    pub member: Member,
    /// Whether it comes or goes.
    pub state: RingState,
    /// Slots that the view gives to it.
    pub slots: usize,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RingState {
    /// It has its share.
    Member,
    /// It gets its share by steps.
    Joining,
    /// It gives up its share by steps.
    Leaving,
}

/// A node about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingNode {
    /// Its name.
    pub name: NodeId,
    /// Its present life, as 32 hexadecimal digits.
    pub incarnation: String,
    /// Whether it is in the view and has claimed what that gave it first.
    pub ready: bool,
    /// Whether it may write.
    pub lease_held: bool,
    /// Members whose rows move, itself included.
    pub alive: usize,
    /// Lives that the mesh has gone on without, since the process began.
    pub rejoins: u64,
    /// Slots that it holds.
    pub slots: usize,
    /// Slots that it is claiming.
    pub slots_claiming: usize,
    /// Slots that its view moves to it or from it, until they are claimed or their last append has ended.
    pub slots_moving: usize,
    /// Channels in its memory.
    pub channels: usize,
    /// Subscriptions of edges.
    pub subscriptions: usize,
}

/// A link from an edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RingLink {
    /// The edge's name.
    pub edge: EdgeId,
    /// Its region.
    pub region: Region,
    /// Its life, as 32 hexadecimal digits.
    pub incarnation: String,
    /// QUIC's estimate of the round trip, in milliseconds.
    pub round_trip_ms: f64,
    /// Frames received.
    pub frames_in: u64,
    /// Frames written.
    pub frames_out: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes written.
    pub bytes_out: u64,
    /// Bytes that wait to be written.
    pub queued_bytes: u64,
    /// Ephemeral frames dropped because their stream was behind.
    pub ephemeral_dropped: u64,
    /// Packets lost.
    pub lost_packets: u64,
    /// Bytes that may be under way.
    pub congestion_window: u64,
}

impl RingPage {
    /// The page of what was observed; none once the membership has ended.
    pub(crate) fn new(observed: &Observed, ready: bool) -> Option<Self> {
        let membership = observed.membership.as_ref()?;
        let links = observed.control.iter().flat_map(|control| &control.links);
        Some(Self {
            ring: membership.view.as_deref().map(Ring::of),
            node: RingNode::new(membership, observed, ready),
            links: links.map(RingLink::of).collect(),
        })
    }
}

impl Ring {
    /// A view in short.
    pub fn of(view: &RingView) -> Self {
        let is_moving = !view.joining.is_empty() || !view.leaving.is_empty();
        // A table at rest is what would be proposed, and to propose one takes a while where there are many members.
        let to_go = is_moving.then(|| Ownership::of(view).under_way());
        let members = view.members.iter().map(|member| RingMember {
            member: member.clone(),
            state: RingState::of(view, &member.name),
            slots: view.slots_of(member.incarnation).count(),
        });
        Self {
            version: view.version,
            members: members.collect(),
            slots_to_move: to_go.as_ref().map_or(0, |plan| plan.moved),
            steps_to_go: to_go.as_ref().map_or(0, |plan| plan.steps),
        }
    }
}

impl RingState {
    fn of(view: &RingView, name: &NodeId) -> Self {
        if view.leaving.contains(name) {
            Self::Leaving
        } else if view.joining.contains(name) {
            Self::Joining
        } else {
            Self::Member
        }
    }
}

impl RingNode {
    fn new(membership: &MembershipObserved, observed: &Observed, ready: bool) -> Self {
        let shards = &observed.shards;
        let hold = |of: fn(&Gauges) -> usize| shards.iter().map(|(_, gauges)| of(gauges)).sum();
        Self {
            name: membership.name.clone(),
            incarnation: membership.life.to_string(),
            ready,
            lease_held: membership.gauges.lease_held,
            alive: membership.gauges.alive,
            rejoins: membership.rejoins,
            slots: hold(|gauges| gauges.slots),
            slots_claiming: hold(|gauges| gauges.claiming),
            slots_moving: hold(|gauges| gauges.moving),
            channels: hold(|gauges| gauges.channels),
            subscriptions: hold(|gauges| gauges.subscriptions),
        }
    }
}

impl RingLink {
    fn of(link: &LinkObserved) -> Self {
        let LinkObserved { edge, counters } = link;
        Self {
            edge: edge.edge.clone(),
            region: edge.region.clone(),
            incarnation: edge.incarnation.to_string(),
            round_trip_ms: counters.rtt.as_secs_f64() * 1e3,
            frames_in: counters.frames_in,
            frames_out: counters.frames_out,
            bytes_in: counters.bytes_in,
            bytes_out: counters.bytes_out,
            queued_bytes: counters.queued_bytes,
            ephemeral_dropped: counters.ephemeral_dropped,
            lost_packets: counters.lost_packets,
            congestion_window: counters.congestion_window,
        }
    }
}

#[cfg(test)]
mod tests {
    use smol_str::SmolStr;
    use trunkline_backbone_core::propose;
    use trunkline_shared::Incarnation;

    use super::*;

    fn member(life: u8) -> Member {
        Member {
            name: NodeId::parse(&format!("backbone-{life}")).expect("a valid name"),
            incarnation: Incarnation([life; 16]),
            address: SmolStr::new("10.0.0.1:7443"),
        }
    }

    /// Nodes 1 and 2 with their shares, node 3 without one.
    fn view() -> RingView {
        let members: Vec<_> = (1..=3).map(member).collect();
        let names: Vec<_> = members.iter().map(|member| member.name.clone()).collect();
        let view = RingView::new(ViewVersion::default(), 1, members, propose(&names[..2]));
        view.expect("a table of members")
    }

    #[test]
    fn a_view_at_rest_has_nothing_to_move() {
        let mut view = view();
        view.members.pop();
        let ring = Ring::of(&view);
        assert_eq!((ring.slots_to_move, ring.steps_to_go), (0, 0));
        let slots: usize = ring.members.iter().map(|member| member.slots).sum();
        assert_eq!(slots, 4096);
    }

    #[test]
    fn who_joins_and_who_leaves_is_told_with_what_has_yet_to_move() {
        let mut view = view();
        view.joining = vec![member(3).name];
        view.leaving = vec![member(2).name];
        let ring = Ring::of(&view);
        let states: Vec<_> = ring.members.iter().map(|member| member.state).collect();
        let all = [RingState::Member, RingState::Leaving, RingState::Joining];
        assert_eq!(states, all);
        // All that is given up, at least, and all of it in steps of 64.
        assert!(ring.slots_to_move >= ring.members[1].slots, "{ring:?}");
        assert!(ring.steps_to_go >= ring.slots_to_move.div_ceil(64));
    }

    #[test]
    fn a_member_is_one_object_of_its_name_life_address_state_and_slots() {
        let ring = Ring::of(&view());
        let shown = serde_json::to_value(&ring.members[2]).expect("it is JSON");
        let expected = serde_json::json!({
            "name": "backbone-3",
            "incarnation": "03".repeat(16),
            "address": "10.0.0.1:7443",
            "state": "member",
            "slots": 0,
        });
        assert_eq!(shown, expected);
        let read: RingMember = serde_json::from_value(shown).expect("as it was written");
        assert_eq!(read, ring.members[2]);
    }
}
