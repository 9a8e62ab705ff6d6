//! Answers about presence, in pieces, and about where channels stand.

use std::collections::BTreeSet;

use trunkline_shared::frame::{ChannelHead, PresencePiece, Refusal, ToEdge};
use trunkline_shared::limits::{ANSWER_BYTES_MAX, PIECE_BYTES_MAX};
use trunkline_shared::{Channel, ClientInfo, RequestId, Slot};

use super::Shard;
use super::edges::Caller;

/// Bytes that a connection counts for besides its texts.
pub(super) const ENTRY_BYTES: usize = 128;

impl Shard {
    pub(super) fn on_presence(
        &mut self,
        caller: Caller,
        id: RequestId,
        slot: Slot,
        channel: &Channel,
    ) {
        if let Err(refusal) = self.check_presence(slot, channel) {
            return self.refuse_lookup(caller, id, slot, refusal);
        }
        let present = self
            .slots
            .get(&slot)
            .and_then(|state| state.presence.get(channel));
        let (pieces, cut) = pieces(
            present
                .into_iter()
                .flatten()
                .map(|(_, present)| &present.info),
        );
        self.counters.presence_cut += u64::from(cut);
        let count = pieces.len();
        for (clients, number) in pieces.into_iter().zip(1..) {
            let piece = PresencePiece {
                request: id,
                slot,
                clients,
                last: number == count,
            };
            self.answer(caller, ToEdge::Presence(piece));
        }
    }

    pub(super) fn on_presence_stats(
        &mut self,
        caller: Caller,
        request: RequestId,
        slot: Slot,
        channel: &Channel,
    ) {
        if let Err(refusal) = self.check_presence(slot, channel) {
            return self.refuse_lookup(caller, request, slot, refusal);
        }
        let present = self
            .slots
            .get(&slot)
            .and_then(|state| state.presence.get(channel));
        let users: BTreeSet<_> = present
            .into_iter()
            .flatten()
            .map(|(_, present)| &present.info.user)
            .collect();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (clients, users) = (
            count(present.map_or(0, |clients| clients.len())),
            count(users.len()),
        );
        self.answer(
            caller,
            ToEdge::PresenceStats {
                request,
                slot,
                clients,
                users,
            },
        );
    }

    fn check_presence(&self, slot: Slot, channel: &Channel) -> Result<(), Refusal> {
        let rules = self.rules_of(channel)?;
        if !rules.presence {
            return Err(Refusal::NotAvailable);
        }
        self.admit(slot, rules)
    }

    fn refuse_lookup(&mut self, caller: Caller, request: RequestId, slot: Slot, refusal: Refusal) {
        self.count_refusal(refusal);
        self.answer(
            caller,
            ToEdge::Refused {
                request,
                slot,
                refusal,
            },
        );
    }

    /// Says where channels stand; nothing for those that aren't pushed to the edge.
    pub(super) fn on_check_positions(
        &mut self,
        caller: Caller,
        request: RequestId,
        channels: Vec<(Slot, Channel)>,
    ) {
        let Some(first) = channels.first().map(|(slot, _)| *slot) else {
            return;
        };
        let head = |(slot, channel): (Slot, Channel)| {
            let state = self
                .slots
                .get(&slot)
                .and_then(|state| state.channels.get(&channel));
            let pushed = state.filter(|state| state.subscribers.contains_key(&caller.edge));
            ChannelHead {
                head: pushed.and_then(|state| state.head()),
                channel,
            }
        };
        let heads = channels.into_iter().map(head).collect();
        self.answer(
            caller,
            ToEdge::Positions {
                request,
                slot: first,
                heads,
            },
        );
    }
}

/// Cuts connections into pieces, at least one; what is beyond the longest answer is left out.
fn pieces<'a>(clients: impl Iterator<Item = &'a ClientInfo>) -> (Vec<Vec<ClientInfo>>, bool) {
    let mut pieces = vec![Vec::new()];
    let (mut bytes, mut total) = (0, 0);
    for client in clients {
        let weight = ENTRY_BYTES + client.weight();
        total += weight;
        if total > ANSWER_BYTES_MAX {
            return (pieces, true);
        }
        if bytes + weight > PIECE_BYTES_MAX && bytes > 0 {
            bytes = 0;
            pieces.push(Vec::new());
        }
        bytes += weight;
        pieces
            .last_mut()
            .expect("there is always one")
            .push(client.clone());
    }
    (pieces, false)
}
