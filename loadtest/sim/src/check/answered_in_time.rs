//! Every command is answered within 4 s, while its connection lives and its client reads.

use std::time::Duration;

use trunkline_shared::Instant;
use trunkline_shared::limits::COMMAND_DEADLINE;

use super::{Fault, fault};
use crate::publisher::Road;
use crate::record::{Command, Record, Try};

/// The way there and back, and queues in between.
const SLACK: Duration = Duration::from_millis(500);

pub(super) fn check(record: &Record) -> Vec<Fault> {
    let late = record
        .commands
        .iter()
        .filter(|command| !command.slow && is_late(command));
    let late_calls = record.tries.iter().filter(|tried| is_late_call(tried));
    let faults = late.map(describe).chain(late_calls.map(describe_call));
    faults.collect()
}

/// A publish by the server API that wasn't answered in time, and whose edge lived.
fn is_late_call(tried: &Try) -> bool {
    let by_api = matches!(tried.road, Road::Api { .. });
    let in_time = |(at, _): &(Instant, _)| at.since(tried.sent) <= COMMAND_DEADLINE + SLACK;
    by_api && !tried.ended.as_ref().is_some_and(in_time)
}

fn describe_call(tried: &Try) -> Fault {
    let what = format!("{tried:?} was answered late or never");
    fault(tried.sent + COMMAND_DEADLINE, what)
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
