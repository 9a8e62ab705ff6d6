//! What the store was asked for, by the number that its answer carries.

use std::collections::BTreeMap;

use trunkline_shared::{Channel, Slot};
use trunkline_store_core::ClaimRequest;

use super::reading::Reading;
use super::removing::Removing;
use crate::io::StoreTicket;

/// Questions without an answer.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    last: u64,
    open: BTreeMap<StoreTicket, Purpose>,
}

/// What an answer is for.
#[derive(Debug)]
pub(super) enum Purpose {
    Append(Slot),
    Claim(ClaimRequest),
    Heads(Vec<(Slot, Channel)>),
    Find(Vec<Slot>),
    Range(Reading),
    Floor(Removing),
}

impl Tickets {
    /// A ticket for a question that is about to be asked.
    pub(super) const fn draw(&mut self) -> StoreTicket {
        self.last += 1;
        StoreTicket(self.last)
    }

    pub(super) fn open(&mut self, ticket: StoreTicket, purpose: Purpose) {
        self.open.insert(ticket, purpose);
    }

    pub(super) fn close(&mut self, ticket: StoreTicket) -> Option<Purpose> {
        self.open.remove(&ticket)
    }
}
