//! What the store was asked for and hasn't answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;
use trunkline_shared::{Instant, RingView};

use super::io::MembershipTicket;
use super::kept_rules::KeptRules;

/// Questions without an answer; one of each kind at most.
#[derive(Debug, Default)]
pub(super) struct Asked {
    last: u64,
    open: BTreeMap<MembershipTicket, Question>,
}

#[derive(Debug)]
pub(super) struct Question {
    pub(super) kind: Kind,
    pub(super) sent: Instant,
}

/// What for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Members,
    Join,
    Heartbeat,
    View,
    /// With the namespaces asked about.
    HaveHeads(Vec<SmolStr>),
    /// With what would be the view then, and the rules where they change.
    Change(Box<RingView>, Option<Arc<KeptRules>>),
    Resign,
}

impl Asked {
    pub(super) fn open(&mut self, now: Instant, kind: Kind) -> MembershipTicket {
        self.last += 1;
        let ticket = MembershipTicket(self.last);
        self.open.insert(ticket, Question { kind, sent: now });
        ticket
    }

    pub(super) fn close(&mut self, ticket: MembershipTicket) -> Option<Question> {
        self.open.remove(&ticket)
    }

    pub(super) fn has(&self, is_it: impl Fn(&Kind) -> bool) -> bool {
        self.open.values().any(|question| is_it(&question.kind))
    }

    /// Whether the view is being changed: nobody knows yet what it will be.
    pub(super) fn is_changing(&self) -> bool {
        self.has(|kind| matches!(kind, Kind::Change(..)))
    }
}
