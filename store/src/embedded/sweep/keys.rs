//! Removes idempotency keys that nobody looks for any more, a few with each commit.
//!
//! A cursor goes round the keys in their order. It looks at more rows than a commit adds, so what is out of date stays a
//! fraction of what isn't; and it rests while there are no keys.

use std::collections::BTreeMap;
use std::time::Duration;

use fjall::{OwnedWriteBatch, Readable};
use trunkline_shared::UnixMillis;
use trunkline_shared::limits::IDEMPOTENCY_KEY_TTL;

use crate::embedded::disk::{Disk, DiskError};
use crate::record;

/// Rows looked at with each commit, besides twice as many as it adds.
const ROWS_MIN: usize = 16;

/// How long a row stays: a look-up goes by the message's time, which a clock that is set back puts into the future.
const KEPT: Duration = IDEMPOTENCY_KEY_TTL.saturating_mul(2);

/// Where the removal of old keys stands.
#[derive(Debug)]
pub(in crate::embedded) struct KeySweep {
    /// The key to go on from; `None` while there is nothing to look for.
    from: Option<Vec<u8>>,
    /// Whether this round has met a row that stays.
    met_living: bool,
}

impl KeySweep {
    /// Begins at the first key; a store that was closed may have some.
    pub(super) const fn new() -> Self {
        Self {
            from: Some(Vec::new()),
            met_living: false,
        }
    }

    /// Puts the removal of old rows into a commit that adds or replaces `added`.
    pub(in crate::embedded) fn step(
        &mut self,
        disk: &Disk,
        batch: &mut OwnedWriteBatch,
        added: &BTreeMap<Vec<u8>, Vec<u8>>,
        now: UnixMillis,
    ) -> Result<(), DiskError> {
        if !added.is_empty() {
            self.from.get_or_insert_default();
            self.met_living = true;
        }
        let Some(from) = self.from.take() else {
            return Ok(());
        };
        let rows = &disk.idempotency_keys;
        let rows_max = ROWS_MIN + 2 * added.len();
        let mut last = None;
        for row in disk.snapshot().range(rows, from..).take(rows_max) {
            let (key, value) = row.into_inner()?;
            // What can't be read is left to the check of a stopped store.
            let is_old = record::decode_key(&value).is_ok_and(|row| row.stored.plus(KEPT) <= now);
            if is_old && !added.contains_key(&*key) {
                batch.remove(&rows.keyspace, &*key);
            } else {
                self.met_living = true;
            }
            last = Some((last.map_or(0, |(count, _)| count) + 1, key));
        }
        self.from = match last {
            Some((count, key)) if count == rows_max => Some([&*key, &[0]].concat()),
            Some(_) | None => std::mem::take(&mut self.met_living).then(Vec::new),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use fjall::PersistMode;
    use tempfile::TempDir;
    use trunkline_shared::Offset;
    use trunkline_store_core::suite::make;

    use super::*;
    use crate::embedded::key;
    use crate::embedded::options::Options;
    use crate::record::KeyRow;

    fn disk(directory: &Path) -> Disk {
        let path = directory.join("data");
        Disk::create(&path, UnixMillis(1), &Options::default()).expect("an empty directory");
        Disk::open(&path, &Options::default(), PersistMode::Buffer).expect("just made")
    }

    /// Commits keys of these numbers, as a stage does.
    fn commit(disk: &Disk, sweep: &mut KeySweep, numbers: std::ops::Range<u32>, now: u64) {
        let now = UnixMillis(now);
        let row = KeyRow {
            offset: Offset(1),
            time: now,
            stored: now,
        };
        let key = |number: u32| {
            let name = make::key(&number.to_be_bytes());
            key::idempotency(make::slot(1), &make::channel("chat:1"), &name)
        };
        let added = numbers.map(|number| (key(number), record::encode_key(row)));
        let added: BTreeMap<_, _> = added.collect();
        let mut batch = disk.batch();
        sweep
            .step(disk, &mut batch, &added, now)
            .expect("the disk is there");
        for (key, value) in added {
            batch.insert(&disk.idempotency_keys.keyspace, key, value);
        }
        batch.commit().expect("the disk is there");
    }

    fn rows(disk: &Disk) -> usize {
        disk.snapshot().iter(&disk.idempotency_keys).count()
    }

    const KEPT_MILLIS: u64 = 600_000;

    #[test]
    fn old_keys_go_with_the_commits_that_follow_and_then_it_rests() {
        let directory = TempDir::new().expect("a temporary directory");
        let (disk, mut sweep) = (disk(directory.path()), KeySweep::new());
        commit(&disk, &mut sweep, 0..100, 1000);
        for _ in 0..20 {
            commit(&disk, &mut sweep, 0..0, 999 + KEPT_MILLIS);
        }
        assert_eq!(rows(&disk), 100, "their time isn't over");
        for _ in 0..20 {
            commit(&disk, &mut sweep, 0..0, 1000 + KEPT_MILLIS);
        }
        assert_eq!(rows(&disk), 0);
        assert_eq!(sweep.from, None, "there is nothing to look for");
    }

    #[test]
    fn a_key_that_is_taken_again_stays() {
        let directory = TempDir::new().expect("a temporary directory");
        let (disk, mut sweep) = (disk(directory.path()), KeySweep::new());
        commit(&disk, &mut sweep, 0..3, 1000);
        commit(&disk, &mut sweep, 1..2, 1000 + KEPT_MILLIS);
        assert_eq!(rows(&disk), 1);
    }

    #[test]
    fn what_is_out_of_date_stays_a_fraction_of_what_is_not() {
        let directory = TempDir::new().expect("a temporary directory");
        let (disk, mut sweep) = (disk(directory.path()), KeySweep::new());
        let (each, living) = (50, 20);
        for turn in 0..200 {
            let now = 1000 + u64::from(turn) * KEPT_MILLIS / u64::from(living);
            commit(&disk, &mut sweep, turn * each..(turn + 1) * each, now);
            let bound = each * living * 2;
            assert!(
                rows(&disk) <= bound as usize,
                "{} in turn {turn}",
                rows(&disk)
            );
        }
    }
}
