//! The server API of an edge: it speaks as a worker without sessions.

use std::time::Duration;

use trunkline_edge_core::exchange::{Answer, Ticket, ToUpstream, ToWorker, WorkerId};
use trunkline_edge_core::upstream;
use trunkline_shared::Channel;

use crate::mesh::{Covered, Mesh};
use crate::record::{Removal, Removed};
use crate::scenario::CHANNELS;

/// The worker that it speaks as.
pub(super) const API: WorkerId = WorkerId(u16::MAX);

/// How long a call waits for its answer.
const DEADLINE: Duration = Duration::from_secs(4);

impl Mesh {
    /// Somebody calls `history_remove`.
    pub(in crate::mesh) fn remove_history(&mut self, number: usize, channel: usize) {
        if !self.edges[number].is_up() {
            return;
        }
        let ticket = Ticket(self.record.removals.len() as u64);
        self.record.removals.push(Removal {
            edge: number,
            channel,
            sent: self.now,
            removed: None,
        });
        let message = ToUpstream::RemoveHistory {
            ticket,
            deadline: self.edges[number].clock.now(self.now).instant + DEADLINE,
            channel: Channel::parse(CHANNELS[channel].name).expect("a good name"),
        };
        self.tell_upstream(
            number,
            upstream::Input::Worker {
                worker: API,
                message,
            },
        );
        self.drain_edge(number);
    }

    /// The way upstream has said something to the API.
    pub(super) fn api_takes(&mut self, number: usize, message: &ToWorker) {
        let weight = message.weight();
        self.tell_upstream(
            number,
            upstream::Input::Worker {
                worker: API,
                message: ToUpstream::Consumed { weight },
            },
        );
        let ToWorker::Answer { ticket, answer } = message else {
            return;
        };
        if let Answer::HistoryRemoved { epoch, floor } = answer {
            self.coverage.count(Covered::HistoryRemoved);
            let call = usize::try_from(ticket.0).expect("few calls");
            self.record.removals[call].removed = Some(Removed {
                at: self.now,
                epoch: self.tamper.removal_epoch(*epoch).to_string(),
                floor: floor.0,
            });
        }
    }
}
