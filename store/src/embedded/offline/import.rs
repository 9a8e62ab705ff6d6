//! Reading an export into a store of its own.
//!
//! The database is made beside its place, filled, checked as a whole and only then put there: whatever goes wrong, or
//! ends the process, leaves no store.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use fjall::{OwnedWriteBatch, PersistMode};
use trunkline_shared::UnixMillis;

use super::check::{Counts, check};
use super::expected::{Expected, Kind, in_its_slot};
use super::line::{End, Line, Nonsense, VERSION, not_ahead};
use super::{birth_after, with_new_epoch};
use crate::embedded::directory::{self, Directory};
use crate::embedded::disk::{Disk, DiskError};
use crate::embedded::error::OpenError;
use crate::embedded::key;
use crate::embedded::options::Options;
use crate::record::{self, KeyRow};

/// Bytes of rows in one commit.
const BATCH_BYTES: usize = 4 << 20;

/// Bytes of a line at most: a message of the largest frame, in base64, with room for the rest.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Why an export wasn't read into a store; there is no store then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A store is there already.
    #[error("{} holds a message store already: import into a directory that has none", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// The directory can't be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// The export can't be read.
    #[error("the export can't be read: {0}")]
    Input(#[from] io::Error),
    /// A line isn't one of an export, or doesn't stand where it should.
    #[error("line {line}: {why}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The last line counts other rows than were read.
    #[error(
        "the export has {} slots, {} heads, {} messages, {} idempotency keys, its last line says {}, {}, {}, {}",
        read.0, read.1, read.2, read.3, said.0, said.1, said.2, said.3
    )]
    Counts {
        /// Slots, heads, messages and idempotency keys read.
        read: (u64, u64, u64, u64),
        /// Those that the last line names.
        said: (u64, u64, u64, u64),
    },
    /// The export ends before its last line.
    #[error("the export is cut short after line {lines}")]
    CutShort {
        /// How many lines there are.
        lines: u64,
    },
    /// What it says doesn't agree with itself.
    #[error("the export doesn't agree with itself: {first} ({count} such findings)")]
    Findings {
        /// The first finding.
        first: String,
        /// How many there are.
        count: usize,
    },
}

/// Makes a store in a directory without one from an export: the same messages under new epochs, the next generations and
/// a new birth.
///
/// # Errors
/// As the variants say.
pub fn import(path: &Path, mut input: impl BufRead) -> Result<Counts, ImportError> {
    let directory = Directory::lock(path, PersistMode::SyncAll)?;
    if directory.has_database() {
        return Err(ImportError::Occupied {
            path: path.to_owned(),
        });
    }
    let mut lines = Lines {
        input: &mut input,
        count: 0,
        now: directory::now(),
        birth: UnixMillis::default(),
        expected: Expected::default(),
    };
    let birth = lines.header()?;
    let new = directory.begin_database(birth_after(birth), &Options::default())?;
    let counts = fill(&new, &mut lines)?;
    directory.finish_database()?;
    Ok(counts)
}

/// Fills the database and closes it.
fn fill(path: &Path, lines: &mut Lines<'_>) -> Result<Counts, ImportError> {
    let disk = Disk::open(path, &Options::default(), PersistMode::SyncAll)?;
    let (mut batch, mut bytes) = (disk.batch(), 0);
    let mut read = End::default();
    let said = loop {
        match lines.next()? {
            Line::End(end) => break end,
            line @ (Line::TrunklineStore(_)
            | Line::Slot(_)
            | Line::Head(_)
            | Line::Message(_)
            | Line::IdempotencyKey(_)) => bytes += lines.put(&disk, &mut batch, &mut read, line)?,
        }
        if bytes >= BATCH_BYTES {
            disk.wait_for_tables()?;
            std::mem::replace(&mut batch, disk.batch())
                .commit()
                .map_err(DiskError::from)?;
            bytes = 0;
        }
    };
    lines.nothing_more()?;
    batch.commit().map_err(DiskError::from)?;
    if read != said {
        let numbers = |end: End| (end.slots, end.heads, end.messages, end.keys);
        return Err(ImportError::Counts {
            read: numbers(read),
            said: numbers(said),
        });
    }
    agree(&disk)
}

fn agree(disk: &Disk) -> Result<Counts, ImportError> {
    let (mut first, mut count) = (None, 0);
    let counts = check(disk, &mut |finding| {
        first.get_or_insert_with(|| finding.to_string());
        count += 1;
    });
    match first {
        None => Ok(counts),
        Some(first) => Err(ImportError::Findings { first, count }),
    }
}

/// The lines of an export.
struct Lines<'a> {
    input: &'a mut dyn BufRead,
    count: u64,
    now: UnixMillis,
    /// Of the store that was exported.
    birth: UnixMillis,
    expected: Expected,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Line, ImportError> {
        let mut line = Vec::new();
        let mut limited = io::Read::take(&mut *self.input, LINE_BYTES_MAX);
        limited.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Err(ImportError::CutShort { lines: self.count });
        }
        self.count += 1;
        serde_json::from_slice(&line).map_err(|error| self.wrong(error.to_string()))
    }

    fn wrong(&self, why: String) -> ImportError {
        ImportError::Line {
            line: self.count,
            why,
        }
    }

    /// Reads the first line; returns the birth of the store that was exported.
    fn header(&mut self) -> Result<UnixMillis, ImportError> {
        match self.next()? {
            Line::TrunklineStore(header) if (1..=VERSION).contains(&header.version) => {
                let birth = not_ahead(header.birth, self.now, "birth");
                self.birth = birth.map_err(|error| self.wrong(error.to_string()))?;
                Ok(self.birth)
            }
            Line::TrunklineStore(header) => Err(self.wrong(format!(
                "the export has version {}, this program knows versions 1 to {VERSION}",
                header.version
            ))),
            Line::Slot(_)
            | Line::Head(_)
            | Line::Message(_)
            | Line::IdempotencyKey(_)
            | Line::End(_) => Err(self.wrong("an export begins with a header".to_owned())),
        }
    }

    /// An export ends with its end.
    fn nothing_more(&mut self) -> Result<(), ImportError> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(());
        }
        self.count += 1;
        Err(self.wrong("it stands behind the end of the export".to_owned()))
    }

    /// Puts a row into a commit; returns its bytes.
    fn put(
        &mut self,
        disk: &Disk,
        batch: &mut OwnedWriteBatch,
        read: &mut End,
        line: Line,
    ) -> Result<usize, ImportError> {
        self.try_put(disk, batch, read, line)
            .map_err(|error| self.wrong(error.to_string()))
    }

    fn try_put(
        &mut self,
        disk: &Disk,
        batch: &mut OwnedWriteBatch,
        read: &mut End,
        line: Line,
    ) -> Result<usize, Nonsense> {
        let Self {
            now,
            birth,
            expected,
            ..
        } = self;
        let mut bytes = 0;
        let mut insert = |rows: &fjall::Keyspace, key: Vec<u8>, value: Vec<u8>| {
            bytes += key.len() + value.len();
            batch.insert(rows, key, value);
        };
        match line {
            Line::Slot(line) => {
                let (slot, row) = line.read(*birth)?;
                expected.in_order(Kind::Slot, &key::slot(slot))?;
                let row = record::encode_slot(&with_new_epoch(row));
                insert(&disk.slots.keyspace, key::slot(slot).to_vec(), row);
                read.slots += 1;
            }
            Line::Head(line) => {
                let (slot, channel, row) = line.read(*now)?;
                let key = key::channel(slot, &channel);
                expected.in_order(Kind::Head, &key)?;
                in_its_slot(slot, &channel)?;
                let touched = row.touched.unwrap_or(*now);
                let value = record::encode_head(row.head, touched);
                insert(&disk.heads.keyspace, key, value);
                read.heads += 1;
            }
            Line::Message(line) => {
                let (slot, channel, message) = line.read(*now)?;
                let offset = message.publication.offset;
                let key = key::message(slot, &channel, offset);
                expected.in_order(Kind::Message, &key)?;
                in_its_slot(slot, &channel)?;
                let place = record::encode_place(&channel, offset);
                let id = key::publish_id(slot, message.id);
                insert(&disk.publish_ids.keyspace, id, place);
                insert(
                    &disk.messages.keyspace,
                    key,
                    record::encode_message(&message),
                );
                read.messages += 1;
            }
            Line::IdempotencyKey(line) => {
                let (named, offset, time) = line.read(*now)?;
                let key = key::idempotency(named.slot, &named.channel, &named.key);
                expected.in_order(Kind::Key, &key)?;
                in_its_slot(named.slot, &named.channel)?;
                let row = KeyRow {
                    offset,
                    time,
                    stored: directory::now(),
                };
                insert(
                    &disk.idempotency_keys.keyspace,
                    key,
                    record::encode_key(row),
                );
                read.keys += 1;
            }
            Line::TrunklineStore(_) | Line::End(_) => return Err(Nonsense::Order),
        }
        Ok(bytes)
    }
}
