//! A look through a database's journals before it believes them.
//!
//! The database takes whatever it can't read in a journal for an end that a crash has cut short, and drops it together
//! with everything behind it, in silence. That is right for the last commit, which nobody was told of. A byte that has
//! changed earlier would take acknowledged messages away, so that is told apart here, by what a crash can't do: leave
//! something whole behind something broken.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::error::OpenError;

/// What ends a batch, behind its checksum.
const TRAILER: &[u8] = b"FJL\x03";

/// How far the sequence number may go on from one batch to the next: far more than lost batches and other keyspaces take.
const SEQUENCE_STEP_MAX: u64 = 1 << 32;

/// What disks write as a whole: of an end cut short by a power cut some of these may be missing, so zero.
const SECTOR: usize = 512;

/// Why there is no batch at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// The journal ends before the batch does.
    Short,
    /// It isn't one.
    Broken,
    /// All of it is there, and yet it doesn't end as batches do.
    Changed,
}

/// A whole batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Batch {
    end: usize,
    sequence: u64,
}

/// Looks through all journals of a database.
///
/// # Errors
/// [`OpenError::DamagedJournal`] for one with a flaw that no crash leaves; [`OpenError::Io`].
pub(super) fn check_journals(data: &Path) -> Result<(), OpenError> {
    match first_damage(data)? {
        None => Ok(()),
        Some((path, place)) => Err(OpenError::DamagedJournal { path, place }),
    }
}

/// The oldest journal with such a flaw, and the place in it where the first damaged commit begins.
///
/// # Errors
/// [`OpenError::Io`].
pub(super) fn first_damage(data: &Path) -> Result<Option<(PathBuf, usize)>, OpenError> {
    let journals = journals(data).map_err(OpenError::io(data))?;
    let newest = journals.len().saturating_sub(1);
    for (number, path) in journals.into_iter().enumerate() {
        let bytes = fs::read(&path).map_err(OpenError::io(&path))?;
        if let Err(place) = check(&bytes, number == newest) {
            return Ok(Some((path, place)));
        }
    }
    Ok(None)
}

/// The journals, oldest first.
pub(super) fn journals(data: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_suffix(".jnl")?.parse().ok());
        found.extend(number.map(|number| (number, path)));
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Checks one journal; only the newest one may have an end that was cut short.
///
/// # Errors
/// The place of the first batch that is damaged.
fn check(bytes: &[u8], is_newest: bool) -> Result<(), usize> {
    let bytes = without_room_ahead(bytes);
    let (mut place, mut sequence) = (0, None);
    while place < bytes.len() {
        let flaw = match batch(bytes, place) {
            Ok(next) if follows(sequence, next.sequence) => {
                (place, sequence) = (next.end, Some(next.sequence));
                continue;
            }
            Ok(_) => return Err(place),
            Err(flaw) => flaw,
        };
        let cut_short = is_newest && !is_damage(bytes, place, sequence, flaw);
        return if cut_short { Ok(()) } else { Err(place) };
    }
    Ok(())
}

/// Whether what begins at `place` was whole once.
fn is_damage(bytes: &[u8], place: usize, sequence: Option<u64>, flaw: Flaw) -> bool {
    let was_the_last = bytes.ends_with(TRAILER) && !misses_sector(bytes, place);
    let has_later = || {
        let batches = (place + 1..bytes.len()).filter_map(|later| batch(bytes, later).ok());
        batches
            .into_iter()
            .any(|later| follows(sequence, later.sequence))
    };
    flaw == Flaw::Changed || was_the_last || has_later()
}

/// Whether a batch may stand behind one with the sequence number `last`.
fn follows(last: Option<u64>, next: u64) -> bool {
    last.is_none_or(|last| (last..last.saturating_add(SEQUENCE_STEP_MAX)).contains(&next))
}

fn misses_sector(bytes: &[u8], place: usize) -> bool {
    let sectors = bytes.chunks(SECTOR).skip(place.div_ceil(SECTOR));
    sectors
        .into_iter()
        .any(|sector| sector == &[0; SECTOR][..sector.len()])
}

/// Cuts off the zeros at the end; a batch never ends with one.
fn without_room_ahead(bytes: &[u8]) -> &[u8] {
    let zeros = [0; 64 << 10];
    let used = bytes
        .chunks(zeros.len())
        .rposition(|chunk| *chunk != zeros[..chunk.len()])
        .map_or(0, |last| bytes.len().min((last + 1) * zeros.len()));
    let end = bytes[..used].iter().rposition(|byte| *byte != 0);
    &bytes[..end.map_or(0, |end| end + 1)]
}

/// Reads the batch that begins at `place`: a start, its items, an end with a checksum over the items.
fn batch(bytes: &[u8], place: usize) -> Result<Batch, Flaw> {
    let mut cursor = Cursor { bytes, place };
    if cursor.byte()? != 1 {
        return Err(Flaw::Broken);
    }
    let items = cursor.u32()?;
    let sequence = cursor.u64()?;
    let begin = cursor.place;
    for _ in 0..items {
        cursor.item()?;
    }
    let checksum = xxh3_64(&bytes[begin..cursor.place]);
    if cursor.byte()? != 3 || cursor.u64()? != checksum {
        return Err(Flaw::Broken);
    }
    if cursor.take(TRAILER.len())? != TRAILER {
        return Err(Flaw::Changed);
    }
    Ok(Batch {
        end: cursor.place,
        sequence,
    })
}

/// A place in a journal.
struct Cursor<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Flaw> {
        let taken = self.bytes[self.place..].get(..count).ok_or(Flaw::Short)?;
        self.place += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        self.take(N)
            .map(|bytes| bytes.try_into().expect("as long as asked"))
    }

    fn byte(&mut self) -> Result<u8, Flaw> {
        self.array().map(u8::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Flaw> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Flaw> {
        self.array().map(u64::from_le_bytes)
    }

    /// A row that is put or removed, or a keyspace that is cleared.
    fn item(&mut self) -> Result<(), Flaw> {
        match self.byte()? {
            2 => self.row(),
            4 => self.u64().map(|_keyspace| ()),
            _ => Err(Flaw::Broken),
        }
    }

    fn row(&mut self) -> Result<(), Flaw> {
        let [kind, compression] = self.array()?;
        let _keyspace = self.u64()?;
        let key = u16::from_le_bytes(self.array()?);
        let [value, on_disk] = [self.u32()?, self.u32()?];
        let is_known =
            matches!(kind, 0..=2) && (compression == 1 || compression == 0 && value == on_disk);
        if !is_known {
            return Err(Flaw::Broken);
        }
        self.take(usize::from(key))?;
        self.take(on_disk as usize)?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
