//! The server API as a worker without sessions: its questions, and who waits for their answers.

use tracing::debug;
use trunkline_edge_core::exchange::{ToUpstream, ToWorker, WorkerId};
use trunkline_edge_core::upstream::Input;

use super::{UpstreamTask, worker_id};
use crate::ask::Ask;

impl UpstreamTask {
    /// The server API's name among the workers.
    pub(super) fn api(&self) -> WorkerId {
        worker_id(self.outlets.workers.len())
    }

    pub(super) fn on_ask(&mut self, ask: Ask) {
        self.asked.insert(ask.ticket, ask.reply);
        self.input(Input::Worker {
            worker: self.api(),
            message: ask.message,
        });
    }

    pub(super) fn tell_api(&mut self, message: ToWorker) {
        let weight = message.weight();
        match message {
            ToWorker::Answer { ticket, answer } => {
                if let Some(reply) = self.asked.remove(&ticket) {
                    // Whoever asked may have gone away.
                    drop(reply.send(answer));
                }
            }
            ToWorker::Rules(rules) => drop(self.outlets.rules.send_replace(Some(rules))),
            // Calls find out by themselves: they are answered with error 100.
            ToWorker::Isolated(_) => {}
            ToWorker::Publication(_)
            | ToWorker::Gap { .. }
            | ToWorker::EpochChanged { .. }
            | ToWorker::PresenceEvents { .. } => {
                debug!("the server API is told of a channel that it doesn't have")
            }
        }
        let consumed = Input::Worker {
            worker: self.api(),
            message: ToUpstream::Consumed { weight },
        };
        self.machine.handle_input(self.clock.now(), consumed);
    }
}
