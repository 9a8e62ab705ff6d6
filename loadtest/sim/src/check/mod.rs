//! Checks of what clients observed. None knows how the mesh works, each knows one promise of it.

mod acked_is_kept;
mod answered_in_time;
mod ephemeral_at_most_once;
mod epoch_honest;
mod healed;
mod in_order_sent;
mod no_double;
mod no_silent_gap;
mod nothing_odd;
mod numbering;
mod one_for_a_key;
mod one_order;
mod one_owner;
mod only_while_subscribed;
mod presence_is_right;
mod removed_is_gone;
mod within_history;

use trunkline_shared::Instant;

use crate::record::Record;
use crate::report::Failure;
use numbering::Numbering;

/// Failures of one check that are reported; the rest says nothing new.
const SHOWN: usize = 3;

/// Runs all checks.
pub(crate) fn all(record: &Record) -> Vec<Failure> {
    let numbering = Numbering::of(record);
    let found = [
        ("acked_is_kept", acked_is_kept::check(record, &numbering)),
        ("no_double", no_double::check(record, &numbering)),
        ("one_for_a_key", one_for_a_key::check(record, &numbering)),
        ("one_order", one_order::check(record, &numbering)),
        ("in_order_sent", in_order_sent::check(record, &numbering)),
        ("one_owner", one_owner::check(record)),
        ("no_silent_gap", no_silent_gap::check(record)),
        (
            "only_while_subscribed",
            only_while_subscribed::check(record),
        ),
        ("epoch_honest", epoch_honest::check(record, &numbering)),
        (
            "ephemeral_at_most_once",
            ephemeral_at_most_once::check(record),
        ),
        ("answered_in_time", answered_in_time::check(record)),
        ("healed", healed::check(record)),
        ("presence_is_right", presence_is_right::check(record)),
        ("within_history", within_history::check(record)),
        ("removed_is_gone", removed_is_gone::check(record)),
        ("nothing_odd", nothing_odd::check(record)),
    ];
    let failures = found.into_iter().flat_map(|(check, faults)| {
        faults
            .into_iter()
            .take(SHOWN)
            .map(move |Fault { at, what }| Failure { check, at, what })
    });
    failures.collect()
}

/// What a check found.
struct Fault {
    at: Instant,
    what: String,
}

fn fault(at: Instant, what: String) -> Fault {
    Fault { at, what }
}
