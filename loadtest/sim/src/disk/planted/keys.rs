//! Bugs planted in the store's look-up of idempotency keys.

use std::collections::BTreeSet;

use trunkline_shared::Offset;
use trunkline_store_core::{AllFound, ChannelKey, FindRequest, FoundKey, MemoryState, SlotPart};

use crate::disk::Disk;
use crate::plant::{Plant, undisguised};

/// Keys that a look-up misses: what is in one state of the store, and isn't in an earlier one, if there is one.
#[derive(Debug)]
pub(in crate::disk) struct Missed {
    before: Option<MemoryState>,
    after: MemoryState,
}

impl Disk {
    /// Looks up, or hardly.
    pub(in crate::disk) fn tampered_find(&self, request: &FindRequest) -> AllFound {
        let plant = self.plant;
        if plant == Some(Plant::FindBlind) {
            return AllFound::default();
        }
        if plant == Some(Plant::KeyPendingUnseen) {
            return self.find_undisguised(request);
        }
        let mut found = self.state.find_now(request);
        for missed in &self.missed {
            if plant == Some(Plant::SoughtBeforeClaim) {
                missed.take_ids_out(request, &mut found);
            } else {
                missed.take_out(request, &mut found);
            }
        }
        if plant == Some(Plant::KeyMisplaced) {
            for found in found.keys.iter_mut().filter(|found| found.offset.0 > 1) {
                found.offset = Offset(found.offset.0 - 1);
            }
        }
        found
    }

    /// The node's process has died: all keys that there are were written by an earlier one than the next.
    pub(in crate::disk) fn miss_earlier_lives(&mut self) {
        if self.plant == Some(Plant::KeyOnlyInMemory) {
            self.missed.push(Missed {
                before: None,
                after: self.state.clone(),
            });
        }
    }

    /// Appends are about to end that nobody knows about: keys are looked up now, before the claim.
    pub(in crate::disk) fn look_before_claim(&mut self) {
        let seeks = matches!(
            self.plant,
            Some(Plant::KeySoughtBeforeClaim | Plant::SoughtBeforeClaim)
        );
        if seeks && self.before_claim.is_none() {
            self.before_claim = Some(self.state.clone());
        }
    }

    /// Slots are claimed: what ended since is missed from now on.
    pub(in crate::disk) fn miss_since_look(&mut self) {
        if let Some(before) = self.before_claim.take() {
            self.missed.push(Missed {
                before: Some(before),
                after: self.state.clone(),
            });
        }
    }

    /// Takes the disguise off a part's keys; of those that turn out to be one key the first stays.
    pub(in crate::disk) fn undisguise(part: &mut SlotPart) {
        for append in &mut part.channels {
            let mut seen = BTreeSet::new();
            append.keys = std::mem::take(&mut append.keys)
                .into_iter()
                .map(|(offset, key)| (offset, undisguised(&key)))
                .filter(|(_, key)| seen.insert(key.clone()))
                .collect();
        }
    }

    fn find_undisguised(&self, request: &FindRequest) -> AllFound {
        let mut found = self.state.find_now(&FindRequest {
            keys: Vec::new(),
            ..request.clone()
        });
        for asked in &request.keys {
            let bare = ChannelKey {
                key: undisguised(&asked.key),
                ..asked.clone()
            };
            let by_key = self.state.find_now(&FindRequest {
                keys: vec![bare],
                keys_not_before: request.keys_not_before,
                ..FindRequest::default()
            });
            let renamed = by_key.keys.into_iter().map(|found| FoundKey {
                key: asked.clone(),
                ..found
            });
            found.keys.extend(renamed);
        }
        found
    }
}

impl Missed {
    fn take_out(&self, request: &FindRequest, found: &mut AllFound) {
        let after = self.after.find_now(request).keys;
        let before = self.before.as_ref();
        let before = before.map_or_else(Vec::new, |state| state.find_now(request).keys);
        found
            .keys
            .retain(|found| before.contains(found) || !after.contains(found));
    }

    fn take_ids_out(&self, request: &FindRequest, found: &mut AllFound) {
        let after = self.after.find_now(request).ids;
        let before = self.before.as_ref();
        let before = before.map_or_else(Vec::new, |state| state.find_now(request).ids);
        found
            .ids
            .retain(|found| before.contains(found) || !after.contains(found));
    }
}
