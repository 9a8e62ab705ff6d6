//! The next append of a slot: what it takes along and how it is numbered.

use std::collections::VecDeque;

use indexmap::IndexMap;
use trunkline_shared::rules::Class;
use trunkline_shared::{Channel, IdempotencyKey, Now, Offset, Slot};
use trunkline_store_core::{ChannelAppend, SlotPart};

use super::Shard;
use super::channel::Load;
use super::pending::{Flight, Held};
use super::slot::SlotState;
use super::tickets::Purpose;
use crate::io::StoreRequest;

impl Shard {
    /// Goes on with what waits in a slot: look-ups, buffered publishes, the next append.
    pub(super) fn advance(&mut self, now: Now, slot: Slot) {
        self.want_look_ups(slot);
        self.publish_waiting_buffered(now, slot);
        let Some(state) = self.slots.get(&slot) else {
            return;
        };
        if self.is_leased
            && state.is_ready()
            && state.flight.is_none()
            && state.waiting.front().is_some_and(|held| !held.is_sought())
        {
            self.drop_late(now, slot);
            self.begin_append(now, slot);
        }
    }

    fn publish_waiting_buffered(&mut self, now: Now, slot: Slot) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        if state
            .waiting
            .iter()
            .all(|held| held.class != Class::Buffered)
        {
            return;
        }
        let ready = state.is_ready();
        let open = state
            .waiting
            .iter()
            .take_while(|held| !(ready && held.is_sought()))
            .count();
        let rest = state.waiting.split_off(open);
        let is_buffered = |held: &Held| held.class == Class::Buffered;
        let (buffered, durable): (VecDeque<_>, VecDeque<_>) =
            state.waiting.drain(..).partition(is_buffered);
        state.waiting = durable;
        state.waiting.extend(rest);
        for held in buffered {
            self.release(slot, &held);
            self.publish_buffered(now, slot, held);
        }
    }

    fn drop_late(&mut self, now: Now, slot: Slot) {
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        if state.waiting.iter().all(|held| held.deadline > now.instant) {
            return;
        }
        let is_late = |held: &Held| held.deadline <= now.instant;
        let (late, in_time): (VecDeque<_>, VecDeque<_>) =
            state.waiting.drain(..).partition(is_late);
        state.waiting = in_time;
        for held in late {
            self.release(slot, &held);
            self.refuse_late(slot, held.id);
        }
    }

    fn begin_append(&mut self, now: Now, slot: Slot) {
        let bytes_max = self.config.append_bytes_max;
        let Some(state) = self.slots.get_mut(&slot) else {
            return;
        };
        let channels = take_part(state, now, bytes_max);
        if channels.is_empty() {
            return;
        }
        let part = SlotPart {
            slot,
            generation: state.generation,
            channels: channels.iter().map(append).collect(),
        };
        let ticket = self.tickets.draw();
        state.flight = Some(Flight { ticket, channels });
        self.counters.appends += 1;
        self.ask_store(ticket, Purpose::Append(slot), StoreRequest::Append(part));
    }
}

/// Numbers and takes out what goes into the next part: in order, up to the first look-up that isn't answered, without
/// channels whose head isn't known, up to `bytes_max`.
fn take_part(state: &mut SlotState, now: Now, bytes_max: usize) -> IndexMap<Channel, Vec<Held>> {
    let mut part: IndexMap<Channel, Vec<Held>> = IndexMap::new();
    let mut left = VecDeque::new();
    let mut bytes = 0;
    while let Some(mut held) = state.waiting.pop_front() {
        if held.is_sought() || (bytes > 0 && bytes + held.weight() > bytes_max) {
            left.push_back(held);
            break;
        }
        let channel = state
            .channels
            .get(&held.channel)
            .expect("a channel with held publishes stays in memory");
        let log = channel
            .log
            .as_ref()
            .filter(|_| channel.load == Load::Loaded);
        let Some(log) = log else {
            left.push_back(held);
            continue;
        };
        bytes += held.weight();
        let before = part.get(&held.channel).and_then(|batch| batch.last());
        let (head, time) = before.map_or((log.head, log.time(now)), |last| {
            (last.publication.offset, last.publication.time)
        });
        held.publication.offset = head.next();
        held.publication.time = time;
        part.entry(held.channel.clone()).or_default().push(held);
    }
    left.append(&mut state.waiting);
    state.waiting = left;
    part
}

fn append((channel, batch): (&Channel, &Vec<Held>)) -> ChannelAppend {
    let first = batch
        .first()
        .expect("a channel of a part has messages")
        .publication
        .offset;
    ChannelAppend {
        channel: channel.clone(),
        follows: Offset(first.0 - 1),
        messages: batch.iter().map(Held::stored).collect(),
        keys: batch.iter().filter_map(keyed).collect(),
    }
}

fn keyed(held: &Held) -> Option<(Offset, IdempotencyKey)> {
    Some((held.publication.offset, held.key.clone()?))
}
