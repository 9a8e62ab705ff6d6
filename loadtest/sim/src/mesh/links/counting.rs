//! What frames say about what happens in the mesh.

use trunkline_shared::frame::{Refusal, ToEdge, ToNode};

use crate::mesh::{Covered, Mesh};

impl Mesh {
    pub(in crate::mesh) fn count_to_edge(&mut self, frame: &ToEdge) {
        let event = match frame {
            ToEdge::Refused {
                refusal: Refusal::StaleView,
                ..
            } => Covered::StaleView,
            ToEdge::Behind(_) => Covered::Behind,
            ToEdge::Floor(_) => Covered::FloorPushed,
            ToEdge::Reset { .. } => Covered::Reset,
            ToEdge::Refused { .. }
            | ToEdge::Subscribed(_)
            | ToEdge::View(_)
            | ToEdge::Rules(_)
            | ToEdge::Store { .. }
            | ToEdge::Info { .. }
            | ToEdge::Goodbye { .. }
            | ToEdge::Published { .. }
            | ToEdge::Pulled(_)
            | ToEdge::History(_)
            | ToEdge::Presence(_)
            | ToEdge::PresenceStats { .. }
            | ToEdge::Positions { .. }
            | ToEdge::Push(_)
            | ToEdge::HistoryRemoved { .. }
            | ToEdge::PresenceEvents { .. } => return,
        };
        self.coverage.count(event);
    }

    pub(in crate::mesh) fn count_to_node(&mut self, frame: &ToNode) {
        let event = match frame {
            ToNode::Publish(publish) if publish.repeat => Covered::RepeatSent,
            ToNode::Pull(_) => Covered::Pull,
            ToNode::PresenceSnapshot(_) => Covered::PresenceSnapshot,
            ToNode::Publish(_)
            | ToNode::PublishUnkept(_)
            | ToNode::ShowView(_)
            | ToNode::Stats(_)
            | ToNode::Info { .. }
            | ToNode::Goodbye
            | ToNode::Subscribe(_)
            | ToNode::Unsubscribe { .. }
            | ToNode::History(_)
            | ToNode::RemoveHistory(_)
            | ToNode::Presence { .. }
            | ToNode::PresenceStats { .. }
            | ToNode::PresenceChanges(_)
            | ToNode::CheckPositions { .. } => return,
        };
        self.coverage.count(event);
    }
}
