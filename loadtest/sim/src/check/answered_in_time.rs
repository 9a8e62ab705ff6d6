//! Every command is answered within 4 s, while its connection lives and its client reads.

use std::time::Duration;

use trunkline_shared::limits::COMMAND_DEADLINE;

use super::{Fault, fault};
use crate::record::{Command, Record};

/// The way there and back, and queues in between.
const SLACK: Duration = Duration::from_millis(500);

pub(super) fn check(record: &Record) -> Vec<Fault> {
    record
        .commands
        .iter()
        .filter(|command| !command.slow && is_late(command))
        .map(describe)
        .collect()
}

fn is_late(command: &Command) -> bool {
    let took = command.ended.since(command.sent);
    took > COMMAND_DEADLINE + SLACK || (!command.answered && !command.lost)
}

fn describe(command: &Command) -> Fault {
    let Command {
        client,
        kind,
        answered,
        lost,
        ..
    } = command;
    let took = command.ended.since(command.sent);
    let what =
        format!("{kind} of client {client}: answered: {answered}, lost: {lost}, after {took:?}");
    fault(command.ended, what)
}
