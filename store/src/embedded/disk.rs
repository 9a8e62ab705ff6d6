//! The database: its keyspaces, its format, the rows that a commit is checked against.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Slice, Snapshot};
use tracing::info;
use trunkline_shared::{Offset, RingView, Slot, UnixMillis};
use trunkline_store_core::{Head, StoreError, ViewRow};

use super::error::OpenError;
use super::key;
use super::options::Options;
use crate::codec::DecodeError;
use crate::record::{self, SlotRow};

/// The format of the directory: keyspaces, keys and values together.
pub(super) const FORMAT: u64 = 3;

/// The oldest format that is brought to the present one when it is opened.
const OLDEST_FORMAT: u64 = 1;

const FORMAT_KEY: &[u8] = b"format";
const BIRTH_KEY: &[u8] = b"birth";
const VIEW_KEY: &[u8] = b"view";
/// Beside the view, whatever the format: in a store without it nobody wrote rules, and an older program passes over them.
const RULES_KEY: &[u8] = b"rules";

/// Tables that wait to be written, of one keyspace, before commits wait too.
///
/// Below the four at which fjall waits inside a commit: there it would wait forever if the disk is full.
const UNWRITTEN_TABLES_MAX: usize = 2;

/// Why the database didn't do something.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The database failed.
    #[error("{}", in_words(.0))]
    Database(#[from] fjall::Error),
    /// A value can't be read.
    #[error("damaged value in {keyspace}, {row}: {source}")]
    Damaged {
        /// The keyspace's name.
        keyspace: &'static str,
        /// What its key names.
        row: String,
        /// What is wrong with it.
        source: DecodeError,
    },
}

/// What the database's error means for who runs the store: its own text is meant for its makers.
fn in_words(error: &fjall::Error) -> String {
    const DAMAGED: &str = "its tables, or the list of them, are damaged: put a backup back";
    let sources = std::iter::successors(error.source(), |&error| error.source());
    let io = sources
        .into_iter()
        .find_map(|source| source.downcast_ref::<io::Error>());
    match (error, io) {
        // A file of it that isn't there or isn't whole.
        (_, Some(io))
            if matches!(
                io.kind(),
                ErrorKind::NotFound | ErrorKind::UnexpectedEof | ErrorKind::InvalidData
            ) =>
        {
            format!("{DAMAGED} ({io})")
        }
        (_, Some(io)) => io.to_string(),
        (fjall::Error::Poisoned, None) => "a commit has failed, it takes no other".to_owned(),
        (fjall::Error::Locked, None) => "another process has it open".to_owned(),
        (_, None) => DAMAGED.to_owned(),
    }
}

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::Database(_) => Self::Away(error.to_string()),
            DiskError::Damaged { .. } => Self::Data(error.to_string()),
        }
    }
}

/// A keyspace and its name.
pub(super) struct Rows {
    name: &'static str,
    pub(super) keyspace: Keyspace,
}

impl AsRef<Keyspace> for Rows {
    fn as_ref(&self) -> &Keyspace {
        &self.keyspace
    }
}

impl Rows {
    pub(super) fn damaged(&self, key: &[u8]) -> impl FnOnce(DecodeError) -> DiskError {
        let (keyspace, row) = (self.name, key::describe(self.name, key));
        move |source| DiskError::Damaged {
            keyspace,
            row,
            source,
        }
    }

    pub(super) fn decode<T>(
        &self,
        key: &[u8],
        value: Option<Slice>,
        decode: impl FnOnce(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DiskError> {
        value
            .map(|value| decode(&value).map_err(self.damaged(key)))
            .transpose()
    }
}

/// An open database.
pub(super) struct Disk {
    database: Database,
    pub(super) messages: Rows,
    pub(super) heads: Rows,
    pub(super) publish_ids: Rows,
    pub(super) idempotency_keys: Rows,
    pub(super) slots: Rows,
    pub(super) view: Rows,
    pub(super) last_seen: Rows,
    format: Rows,
    birth: UnixMillis,
    durability: PersistMode,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk")
            .field("birth", &self.birth)
            .finish_non_exhaustive()
    }
}

const KEYSPACES: [&str; 7] = [
    "format",
    "messages",
    "heads",
    "publish_ids",
    "slots",
    "view",
    IDEMPOTENCY_KEYS,
];

/// Added by format 2.
const IDEMPOTENCY_KEYS: &str = "idempotency_keys";

/// Made where it is missing, whatever the format: in a store without it nobody was seen, and an older program passes over it.
const LAST_SEEN: &str = "last_seen";

impl Disk {
    /// Makes an empty database in a directory that isn't there yet, and closes it.
    pub(super) fn create(
        path: &Path,
        birth: UnixMillis,
        options: &Options,
    ) -> Result<(), OpenError> {
        let failed = || OpenError::database(path);
        let database = database(path, options).map_err(failed())?;
        for name in KEYSPACES {
            database
                .keyspace(name, KeyspaceCreateOptions::default)
                .map_err(failed())?;
        }
        let format = database
            .keyspace(KEYSPACES[0], KeyspaceCreateOptions::default)
            .map_err(failed())?;
        let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
        batch.insert(&format, FORMAT_KEY, record::encode_number(FORMAT));
        batch.insert(&format, BIRTH_KEY, record::encode_number(birth.0));
        batch.commit().map_err(failed())
    }

    /// Opens a database that was made by [`create`](Self::create); what isn't one is told apart.
    pub(super) fn open(
        path: &Path,
        options: &Options,
        durability: PersistMode,
    ) -> Result<Self, OpenError> {
        let database = database(path, options).map_err(OpenError::database(path))?;
        let rows = |name| open_rows(&database, path, name);
        let format = rows(KEYSPACES[0])?;
        let (found, birth) = check_format(&format, path)?;
        if found < FORMAT {
            upgrade(&database, &format).map_err(OpenError::database(path))?;
            info!(
                found,
                format = FORMAT,
                "message store brought to a later format"
            );
        }
        Ok(Self {
            messages: rows(KEYSPACES[1])?,
            heads: rows(KEYSPACES[2])?,
            publish_ids: rows(KEYSPACES[3])?,
            slots: rows(KEYSPACES[4])?,
            view: rows(KEYSPACES[5])?,
            idempotency_keys: rows(IDEMPOTENCY_KEYS)?,
            last_seen: make_rows(&database, LAST_SEEN).map_err(OpenError::database(path))?,
            format,
            birth,
            durability,
            database,
        })
    }

    pub(super) const fn birth(&self) -> UnixMillis {
        self.birth
    }

    /// Puts another birth into a commit; what is open has the old one until it is opened again.
    pub(super) fn put_birth(&self, batch: &mut fjall::OwnedWriteBatch, birth: UnixMillis) {
        batch.insert(
            &self.format.keyspace,
            BIRTH_KEY,
            record::encode_number(birth.0),
        );
    }

    /// Begins a commit that is on disk, and not only on its way there, when it succeeds; unless the store was opened as
    /// the one that breaks this.
    pub(super) fn batch(&self) -> fjall::OwnedWriteBatch {
        self.database.batch().durability(Some(self.durability))
    }

    /// Waits until the disk keeps up with the commits; an error when it doesn't work any more.
    pub(super) fn wait_for_tables(&self) -> Result<(), DiskError> {
        let rows = [
            &self.messages,
            &self.heads,
            &self.publish_ids,
            &self.slots,
            &self.view,
            &self.idempotency_keys,
            &self.last_seen,
        ];
        while rows
            .iter()
            .any(|rows| rows.keyspace.sealed_memtable_count() > UNWRITTEN_TABLES_MAX)
        {
            self.database.persist(PersistMode::Buffer)?;
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// The database as the last whole commit left it, for reads beside the writer.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.database.snapshot()
    }

    /// The head under a channel's key, as the last commit left it; `None` for a channel without one.
    pub(super) fn head(&self, key: &[u8]) -> Result<Option<Head>, DiskError> {
        let value = self.heads.keyspace.get(key)?;
        let row = self.heads.decode(key, value, record::decode_head)?;
        Ok(row.map(|row| row.head))
    }

    /// Where the channel of a key stands, as the last commit left it.
    pub(super) fn standing(&self, slot: Slot, key: &[u8]) -> Result<Head, DiskError> {
        if let Some(head) = self.head(key)? {
            return Ok(head);
        }
        let mark = self.slot(slot)?.map_or(Offset::ZERO, |row| row.mark);
        Ok(Head::at_mark(mark))
    }

    /// A slot's row.
    pub(super) fn slot(&self, slot: Slot) -> Result<Option<SlotRow>, DiskError> {
        let key = key::slot(slot);
        let value = self.slots.keyspace.get(key)?;
        self.slots.decode(&key, value, record::decode_slot)
    }

    /// The ring view.
    pub(super) fn view(&self) -> Result<Option<RingView>, DiskError> {
        let value = self.view.keyspace.get(VIEW_KEY)?;
        self.view.decode(VIEW_KEY, value, record::decode_view)
    }

    /// The ring view and the rules, as one commit left them.
    pub(super) fn view_row(&self) -> Result<Option<ViewRow>, DiskError> {
        let (snapshot, rows) = (self.snapshot(), &self.view);
        let view = rows.decode(VIEW_KEY, snapshot.get(rows, VIEW_KEY)?, record::decode_view)?;
        let rules = snapshot.get(rows, RULES_KEY)?;
        let rules = rows.decode(RULES_KEY, rules, record::decode_rules)?;
        Ok(view.map(|view| ViewRow { view, rules }))
    }

    /// Puts the ring view into a commit, and the rules where there are new ones.
    pub(super) fn put_view(&self, batch: &mut fjall::OwnedWriteBatch, row: &ViewRow) {
        let view = record::encode_view(&row.view);
        batch.insert(&self.view.keyspace, VIEW_KEY, view);
        if let Some(rules) = &row.rules {
            let rules = record::encode_rules(rules);
            batch.insert(&self.view.keyspace, RULES_KEY, rules);
        }
    }
}

fn database(path: &Path, options: &Options) -> fjall::Result<Database> {
    Database::builder(path)
        .cache_size(options.cache_bytes)
        .max_journaling_size(options.journal_bytes_max.max(64 << 20))
        .worker_threads(2)
        .open()
}

fn open_rows(database: &Database, path: &Path, name: &'static str) -> Result<Rows, OpenError> {
    if !database.keyspace_exists(name) {
        return Err(OpenError::MissingKeyspace {
            path: path.to_owned(),
            keyspace: name,
        });
    }
    make_rows(database, name).map_err(OpenError::database(path))
}

fn make_rows(database: &Database, name: &'static str) -> fjall::Result<Rows> {
    let keyspace = database.keyspace(name, KeyspaceCreateOptions::default)?;
    Ok(Rows { name, keyspace })
}

/// Adds what later formats have. The format's number is written last: a crash before leaves an older store, with more in it
/// than it asks for. Rows of earlier versions stay as they are until they change.
fn upgrade(database: &Database, format: &Rows) -> fjall::Result<()> {
    database.keyspace(IDEMPOTENCY_KEYS, KeyspaceCreateOptions::default)?;
    let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
    batch.insert(&format.keyspace, FORMAT_KEY, record::encode_number(FORMAT));
    batch.commit()
}

/// The format and the birth of a store that this program can read.
fn check_format(rows: &Rows, path: &Path) -> Result<(u64, UnixMillis), OpenError> {
    let missing = || OpenError::NoFormat {
        path: path.to_owned(),
    };
    let found = number(rows, FORMAT_KEY)
        .map_err(OpenError::database(path))?
        .ok_or_else(missing)?;
    if !(OLDEST_FORMAT..=FORMAT).contains(&found) {
        return Err(OpenError::UnknownFormat {
            path: path.to_owned(),
            found,
            known: FORMAT,
        });
    }
    let birth = number(rows, BIRTH_KEY)
        .map_err(OpenError::database(path))?
        .ok_or_else(missing)?;
    Ok((found, UnixMillis(birth)))
}

fn number(rows: &Rows, key: &[u8]) -> Result<Option<u64>, DiskError> {
    let value = rows.keyspace.get(key)?;
    rows.decode(key, value, record::decode_number)
}
