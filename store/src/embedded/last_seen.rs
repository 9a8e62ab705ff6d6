//! When users were last seen: a row for each.

use std::collections::BTreeMap;

use fjall::{OwnedWriteBatch, Readable};
use smol_str::SmolStr;
use trunkline_shared::UnixMillis;
use trunkline_store_core::last_seen::is_remembered;

use super::disk::{Disk, DiskError};
use super::key;
use crate::record;

/// The rows that a commit changes: only ever to later times.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<Vec<u8>, UnixMillis>);

impl Seen {
    /// Takes those that are later than what is stored, or taken.
    pub(super) fn take(
        &mut self,
        disk: &Disk,
        users: Vec<(SmolStr, UnixMillis)>,
    ) -> Result<(), DiskError> {
        for (user, at) in users.into_iter().filter(|(user, _)| is_remembered(user)) {
            let key = key::user(&user);
            let before = match self.0.get(&key) {
                Some(before) => Some(*before),
                None => disk.seen(&key)?,
            };
            if before.is_none_or(|before| before < at) {
                self.0.insert(key, at);
            }
        }
        Ok(())
    }

    pub(super) fn put(self, disk: &Disk, batch: &mut OwnedWriteBatch) {
        for (key, at) in self.0 {
            batch.insert(&disk.last_seen.keyspace, key, record::encode_number(at.0));
        }
    }
}

impl Disk {
    fn seen(&self, key: &[u8]) -> Result<Option<UnixMillis>, DiskError> {
        let value = self.snapshot().get(&self.last_seen, key)?;
        let number = self.last_seen.decode(key, value, record::decode_number)?;
        Ok(number.map(UnixMillis))
    }

    /// When users were last seen, in the order asked.
    pub(super) fn last_seen(
        &self,
        users: &[SmolStr],
    ) -> Result<Vec<Option<UnixMillis>>, DiskError> {
        let seen = |user: &SmolStr| match is_remembered(user) {
            true => self.seen(&key::user(user)),
            false => Ok(None),
        };
        users.iter().map(seen).collect()
    }
}
