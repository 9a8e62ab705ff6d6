//! A planted ring that keeps what it has when a channel gets another numbering.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_edge_core::exchange::{Answer, ToWorker};
use trunkline_edge_core::shared_publication::SharedPublication;
use trunkline_shared::{Channel, Offset};

type Shared = Arc<SharedPublication>;

/// What an edge was first given at each place of its channels, whatever the numbering.
#[derive(Debug, Default)]
pub(super) struct MixedRings(BTreeMap<(usize, Channel, Offset), Shared>);

impl MixedRings {
    /// Keeps a publication on its way to a worker of an edge, or puts kept ones into what a resume is given.
    pub(super) fn mix(&mut self, edge: usize, message: &mut ToWorker) {
        match message {
            ToWorker::Publication(shared) => self.keep(edge, shared),
            ToWorker::Answer {
                answer:
                    Answer::Subscribed {
                        caught_up: Some(missed),
                        ..
                    },
                ..
            } => missed
                .iter_mut()
                .for_each(|shared| self.replace(edge, shared)),
            ToWorker::Answer { .. }
            | ToWorker::Gap { .. }
            | ToWorker::EpochChanged { .. }
            | ToWorker::PresenceEvents { .. }
            | ToWorker::Rules(_)
            | ToWorker::Isolated(_) => {}
        }
    }

    fn keep(&mut self, edge: usize, shared: &Shared) {
        let place = place(edge, shared);
        self.0.entry(place).or_insert_with(|| Arc::clone(shared));
    }

    fn replace(&self, edge: usize, shared: &mut Shared) {
        if let Some(kept) = self.0.get(&place(edge, shared)) {
            let (channel, publication) = (kept.channel.clone(), kept.publication.clone());
            *shared = Arc::new(SharedPublication::new(channel, shared.epoch, publication));
        }
    }
}

fn place(edge: usize, shared: &Shared) -> (usize, Channel, Offset) {
    (edge, shared.channel.clone(), shared.publication.offset)
}
