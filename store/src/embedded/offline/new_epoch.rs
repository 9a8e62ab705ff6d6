//! New epochs for a store that lost what was acknowledged, such as a backup that was put back.

use super::{OfflineStore, birth_after, rows, with_new_epoch};
use crate::embedded::disk::{Disk, DiskError};
use crate::embedded::key;
use crate::record;

/// Why no new epochs were begun; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum NewEpochError {
    /// A row can't be read or written.
    #[error("{0}")]
    Disk(#[from] DiskError),
}

impl OfflineStore {
    /// Gives each slot that was ever claimed a new epoch and the next generation, and the store a new birth, in one
    /// commit; returns how many slots. Positions of before are from then on told to be unrecoverable.
    ///
    /// # Errors
    /// When a slot's row is damaged or the disk fails.
    pub fn begin_epochs(&self) -> Result<usize, NewEpochError> {
        Ok(begin_epochs(&self.disk)?)
    }
}

/// [`OfflineStore::begin_epochs`] of any database.
pub(in crate::embedded) fn begin_epochs(disk: &Disk) -> Result<usize, DiskError> {
    let snapshot = disk.snapshot();
    let slots: Vec<_> = rows::each(&snapshot, &disk.slots, rows::slot).collect::<Result<_, _>>()?;
    let mut batch = disk.batch();
    for (slot, row) in &slots {
        let row = record::encode_slot(&with_new_epoch(*row));
        batch.insert(&disk.slots.keyspace, key::slot(*slot), row);
    }
    disk.put_birth(&mut batch, birth_after(disk.birth()));
    batch.commit()?;
    Ok(slots.len())
}
