//! What is looked at where it is made: who numbers a buffered channel, and what the store grants and takes.

use trunkline_shared::frame::ToEdge;
use trunkline_shared::rules::Class;
use trunkline_shared::{LinkId, RingView};

use super::Mesh;
use crate::record::{Numbered, Ownership};
use crate::scenario::CHANNELS;

impl Mesh {
    /// A node sends a frame: what it numbered, by which view.
    pub(super) fn witness_numbering(&mut self, link: LinkId, frame: &ToEdge) {
        let ToEdge::Push(push) = frame else { return };
        let (Some(epoch), Some(link)) = (push.epoch, self.links.get(&link)) else {
            return;
        };
        let node = link.node;
        let mut channels = CHANNELS.iter().enumerate();
        let channel = channels.find(|(_, plan)| plan.name == push.channel.as_str());
        if let Some((channel, plan)) = channel
            && plan.class == Class::Buffered
            && let Some(version) = self.nodes[node].version()
        {
            let key = (channel, epoch.to_string());
            let numbered = self.record.ownership.numbered.entry(key).or_default();
            numbered.insert(Numbered { node, version });
        }
    }

    /// Notes what the store has seen.
    pub(super) fn note_witness(&mut self) {
        let witness = self.disk.witness();
        let owners = |slot: &_| {
            let owner = |view: &RingView| view.owner(*slot).map(|member| member.incarnation);
            let views = witness.views.iter();
            views.map(|view| (view.version, owner(view))).collect()
        };
        self.record.ownership = Ownership {
            committed: witness.committed.clone(),
            claims: witness.claims.clone(),
            owners: self.scenario.slots.iter().map(owners).collect(),
            numbered: std::mem::take(&mut self.record.ownership.numbered),
        };
    }
}
