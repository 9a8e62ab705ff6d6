//! Tells in the log whom the edge turns away and why: the one who is turned away sees a number at most.
//!
//! One line a second for each reason, with the count of those left out; metrics count them all. No line has a payload, a
//! token, a user or a channel beyond its namespace.

mod calls;
mod clients;

use std::time::Instant;

use trunkline_telemetry::LineLimit;

pub(crate) use calls::RefusedCall;

/// What lines are limited by.
#[derive(Clone, Copy, Debug)]
enum Reason {
    Origin,
    Sockets,
    Http,
    Late,
    Handshake,
    NotTls,
    TooBig,
    NoToken,
    InvalidToken,
    ExpiredToken,
    NobodysToken,
    NamesChannels,
    SubscriptionToken,
    UnknownNamespace,
    NotAllowed,
    OtherUsersChannel,
    NoSubscriptionToken,
    InvalidSubscriptionToken,
    NotSubscribed,
    Command,
    Key,
    Body,
    Call,
}

/// The limits of all reasons.
#[derive(Debug, Default)]
pub(crate) struct Refusals([LineLimit; Reason::Call as usize + 1]);

impl Refusals {
    /// Writes a line where its reason's limit lets it through; `tell` is given how many weren't since the last one.
    fn tell(&self, reason: Reason, tell: impl FnOnce(Option<u64>)) {
        if let Some(left_out) = self.0[reason as usize].pass(Instant::now()) {
            tell((left_out > 0).then_some(left_out));
        }
    }
}
