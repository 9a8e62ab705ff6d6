//! Nothing happened that can't: terminal errors, foreign payloads, undecodable frames.

use super::{Fault, fault};
use crate::record::Record;

pub(super) fn check(record: &Record) -> Vec<Fault> {
    record
        .oddities
        .iter()
        .map(|(at, what)| fault(*at, what.clone()))
        .collect()
}
