//! The rows of the memory store and the rules by which they change. Everything here is durable.

use std::collections::BTreeMap;

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use trunkline_shared::{
    Channel, Epoch, Offset, PublishId, RingView, Slot, UnixMillis, ViewVersion,
};

use crate::StoreError;
use crate::check::{check_append, check_claim};
use crate::message::{Head, StoredMessage};
use crate::request::{
    AppendOutcome, ChannelKey, ClaimError, ClaimRequest, Claimed, FloorError, FloorRequest, Found,
    FoundKey, Generation, RangeRequest, Refused, SlotPart, ViewChange, ViewRow,
};

#[derive(Clone, Copy, Debug)]
struct SlotRow {
    generation: Generation,
    epoch: Epoch,
    view: ViewVersion,
}

#[derive(Clone, Copy, Debug)]
struct HeadRow {
    head: Head,
    /// By the store's clock.
    touched: UnixMillis,
}

#[derive(Clone, Debug)]
pub(super) struct Tables {
    /// What the store's clock shows.
    pub(super) now: UnixMillis,
    slots: BTreeMap<Slot, SlotRow>,
    heads: BTreeMap<(Slot, Channel), HeadRow>,
    /// The highest offset of heads that have gone.
    marks: BTreeMap<Slot, Offset>,
    messages: BTreeMap<(Slot, Channel, Offset), StoredMessage>,
    ids: BTreeMap<(Slot, PublishId), (Channel, Offset)>,
    keys: BTreeMap<ChannelKey, (Offset, UnixMillis)>,
    view: Option<RingView>,
    rules: Option<Bytes>,
    rng: ChaCha8Rng,
}

impl Tables {
    pub(super) fn new(seed: u64, now: UnixMillis) -> Self {
        Self {
            now,
            slots: BTreeMap::new(),
            heads: BTreeMap::new(),
            marks: BTreeMap::new(),
            messages: BTreeMap::new(),
            ids: BTreeMap::new(),
            keys: BTreeMap::new(),
            view: None,
            rules: None,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    pub(super) fn append(&mut self, parts: Vec<SlotPart>) -> AppendOutcome {
        if let Err(error) = check_append(&parts) {
            return AppendOutcome::Failed(error);
        }
        let mut refused = Vec::new();
        for part in parts {
            match self.refusal(&part) {
                Some(reason) => refused.push((part.slot, reason)),
                None => self.take(part),
            }
        }
        AppendOutcome::Committed { refused }
    }

    fn refusal(&self, part: &SlotPart) -> Option<Refused> {
        if !self.has_generation(part.slot, part.generation) {
            return Some(Refused::Generation);
        }
        let fits = |channel: &Channel, follows| self.head(part.slot, channel).offset == follows;
        let all_fit = part
            .channels
            .iter()
            .all(|append| fits(&append.channel, append.follows));
        (!all_fit).then_some(Refused::Head)
    }

    fn has_generation(&self, slot: Slot, generation: Generation) -> bool {
        self.slots
            .get(&slot)
            .is_some_and(|row| row.generation == generation)
    }

    fn take(&mut self, part: SlotPart) {
        for append in part.channels {
            for (key, message) in append.keyed() {
                let publication = &message.expect("checked above").publication;
                let key = ChannelKey {
                    slot: part.slot,
                    channel: append.channel.clone(),
                    key: key.clone(),
                };
                self.keys
                    .insert(key, (publication.offset, publication.time));
            }
            let key = (part.slot, append.channel);
            let mut head = self.head(key.0, &key.1);
            for message in append.messages {
                let offset = message.publication.offset;
                head.offset = offset;
                self.ids
                    .insert((part.slot, message.id), (key.1.clone(), offset));
                self.messages
                    .insert((part.slot, key.1.clone(), offset), message);
            }
            self.put_head(key, head);
        }
    }

    pub(super) fn claim(&mut self, request: &ClaimRequest) -> Result<Vec<Claimed>, ClaimError> {
        check_claim(request)?;
        let views = request
            .slots
            .iter()
            .filter_map(|(slot, _)| self.slots.get(slot))
            .map(|row| row.view);
        match views.max() {
            Some(later) if later > request.view => Err(ClaimError::LaterView(later)),
            Some(_) | None => Ok(request
                .slots
                .iter()
                .map(|slot| self.claim_slot(request.view, *slot))
                .collect()),
        }
    }

    fn claim_slot(&mut self, view: ViewVersion, (slot, new_epoch): (Slot, bool)) -> Claimed {
        let before = self.slots.get(&slot).copied();
        let generation = Generation(before.map_or(0, |row| row.generation.0) + 1);
        let epoch = match before {
            Some(row) if !new_epoch => row.epoch,
            Some(_) | None => Epoch::new(self.rng.next_u64()),
        };
        self.slots.insert(
            slot,
            SlotRow {
                generation,
                epoch,
                view,
            },
        );
        Claimed {
            slot,
            generation,
            epoch,
        }
    }

    pub(super) fn head(&self, slot: Slot, channel: &Channel) -> Head {
        let row = self.heads.get(&(slot, channel.clone()));
        row.map_or_else(|| Head::at_mark(self.mark(slot)), |row| row.head)
    }

    fn mark(&self, slot: Slot) -> Offset {
        self.marks.get(&slot).copied().unwrap_or_default()
    }

    fn put_head(&mut self, key: (Slot, Channel), head: Head) {
        let touched = self.now;
        self.heads.insert(key, HeadRow { head, touched });
    }

    pub(super) fn range(&self, request: &RangeRequest) -> Vec<StoredMessage> {
        let Some((from, to)) = request.bounds(self.head(request.slot, &request.channel)) else {
            return Vec::new();
        };
        let key = |offset| (request.slot, request.channel.clone(), offset);
        let rows = self
            .messages
            .range(key(from)..=key(to))
            .map(|(_, message)| Ok(message.clone()));
        let selected: Result<_, StoreError> = if request.descending {
            request.select(rows.rev())
        } else {
            request.select(rows)
        };
        selected.expect("rows in memory are never damaged")
    }

    pub(super) fn find(&self, slot: Slot, id: PublishId) -> Option<Found> {
        let (channel, offset) = self.ids.get(&(slot, id))?;
        Some(Found {
            id,
            channel: channel.clone(),
            offset: *offset,
        })
    }

    pub(super) fn find_key(&self, key: &ChannelKey, not_before: UnixMillis) -> Option<FoundKey> {
        let (offset, time) = self.keys.get(key)?;
        (*time >= not_before).then(|| FoundKey {
            key: key.clone(),
            offset: *offset,
        })
    }

    pub(super) fn raise_floor(&mut self, request: FloorRequest) -> Result<Head, FloorError> {
        if !self.has_generation(request.slot, request.generation) {
            return Err(FloorError::Generation);
        }
        let head = self
            .head(request.slot, &request.channel)
            .with_floor(request.floor);
        let key = (request.slot, request.channel);
        if self.heads.contains_key(&key) {
            self.put_head(key, head);
        }
        Ok(head)
    }

    pub(super) fn forget_heads(&mut self, untouched_since: UnixMillis) -> usize {
        let untouched: Vec<_> = self
            .heads
            .iter()
            .filter(|(_, row)| row.touched < untouched_since)
            .map(|(key, row)| (key.clone(), row.head.offset))
            .collect();
        let mut gone = 0;
        for (key, offset) in untouched {
            if self.lose_messages(&key, untouched_since) {
                self.heads.remove(&key);
                let mark = self.marks.entry(key.0).or_default();
                *mark = offset.max(*mark);
                gone += 1;
            }
        }
        gone
    }

    /// Lets a channel's messages go, oldest first, until one is younger than `since`; whether none is left.
    fn lose_messages(&mut self, (slot, channel): &(Slot, Channel), since: UnixMillis) -> bool {
        let key = |offset| (*slot, channel.clone(), offset);
        let messages = self
            .messages
            .range(key(Offset::ZERO)..=key(Offset(u64::MAX)));
        let is_old = |message: &StoredMessage| message.publication.time < since;
        let old: Vec<_> = messages
            .clone()
            .take_while(|(_, message)| is_old(message))
            .map(|(key, message)| (key.clone(), message.id))
            .collect();
        let none_is_left = old.len() == messages.count();
        for (key, id) in old {
            let (_, channel, offset) = &key;
            let id = (*slot, id);
            if self.ids.get(&id) == Some(&(channel.clone(), *offset)) {
                self.ids.remove(&id);
            }
            self.messages.remove(&key);
        }
        none_is_left
    }

    pub(super) fn has_head(&self, namespace: &str) -> bool {
        let mut channels = self.heads.keys().map(|(_, channel)| channel);
        channels.any(|channel| channel.namespace().unwrap_or_default() == namespace)
    }

    pub(super) const fn view(&self) -> Option<&RingView> {
        self.view.as_ref()
    }

    pub(super) fn view_row(&self) -> Option<ViewRow> {
        let view = self.view.clone()?;
        let rules = self.rules.clone();
        Some(ViewRow { view, rules })
    }

    pub(super) fn change_view(&mut self, change: ViewChange) -> bool {
        let fits = self.view.as_ref().map(|view| view.version) == change.expected;
        if fits {
            self.view = Some(change.view);
            self.rules = change.rules.or(self.rules.take());
        }
        fits
    }
}
