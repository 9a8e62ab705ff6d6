//! The store's directory: its lock, its creation in one step, what is made sure of before it is opened.
//!
//! `lock` is held as long as the store lives; `data` is the database. A new database is made in `data.new` and renamed
//! when it is whole, so that a crash never leaves a half of one.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use fjall::PersistMode;
use trunkline_shared::UnixMillis;

use super::disk::Disk;
use super::error::OpenError;
use super::journal::{check_journals, journals};
use super::offline::begin_epochs;
use super::options::Options;

/// A directory that no other process uses.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    durability: PersistMode,
    _lock: File,
}

impl Directory {
    /// Makes the directory, if need be, and locks it; `durability` is what a commit of its database waits for.
    pub(super) fn lock(path: &Path, durability: PersistMode) -> Result<Self, OpenError> {
        create_durably(path).map_err(OpenError::io(path))?;
        let lock_path = path.join("lock");
        let lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path);
        let mut lock = lock.map_err(OpenError::io(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => sign(&mut lock).map_err(OpenError::io(&lock_path))?,
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&lock_path)
                    .unwrap_or_default()
                    .trim()
                    .to_owned();
                return Err(OpenError::InUse {
                    path: path.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(OpenError::io(&lock_path)(source)),
        }
        Ok(Self {
            path: path.to_owned(),
            durability,
            _lock: lock,
        })
    }

    /// Locks a directory that holds a database.
    pub(super) fn lock_existing(path: &Path, durability: PersistMode) -> Result<Self, OpenError> {
        if !path.join("data").is_dir() {
            return Err(OpenError::Absent {
                path: path.to_owned(),
            });
        }
        Self::lock(path, durability)
    }

    /// Opens the database, or makes one where there is none; begins new epochs first where they are due.
    pub(super) fn open_database(&self, options: &Options) -> Result<Disk, OpenError> {
        let data = self.data();
        if data.exists() {
            check_journals(&data)?;
            rewrite_newest_journal(&data).map_err(OpenError::io(&data))?;
        } else {
            self.create_database(options)?;
        }
        self.begin_due_epochs(options)?;
        Disk::open(&data, options, self.durability)
    }

    /// Makes whoever opens the database next begin new epochs.
    pub(super) fn mark_epochs_due(&self) -> io::Result<()> {
        File::create(self.epochs_due())?.sync_all()?;
        sync_directory(&self.path)
    }

    /// An open database keeps the birth that it was opened with, so it is closed again.
    fn begin_due_epochs(&self, options: &Options) -> Result<(), OpenError> {
        let mark = self.epochs_due();
        if !mark.exists() {
            return Ok(());
        }
        let disk = Disk::open(&self.data(), options, self.durability)?;
        begin_epochs(&disk).map_err(OpenError::database(&self.path))?;
        drop(disk);
        fs::remove_file(&mark)
            .and_then(|()| sync_directory(&self.path))
            .map_err(OpenError::io(&mark))
    }

    fn epochs_due(&self) -> PathBuf {
        self.path.join("new-epochs-due")
    }

    fn create_database(&self, options: &Options) -> Result<(), OpenError> {
        self.begin_database(now(), options)?;
        self.finish_database()
    }

    /// Makes a database that isn't this directory's until [`finish_database`](Self::finish_database); returns its path.
    pub(super) fn begin_database(
        &self,
        birth: UnixMillis,
        options: &Options,
    ) -> Result<PathBuf, OpenError> {
        let new = self.new_data();
        if new.exists() {
            fs::remove_dir_all(&new).map_err(OpenError::io(&new))?;
        }
        Disk::create(&new, birth, options)?;
        Ok(new)
    }

    /// Makes the database that was begun this directory's; it must be closed.
    pub(super) fn finish_database(&self) -> Result<(), OpenError> {
        let data = self.data();
        fs::rename(self.new_data(), &data)
            .and_then(|()| sync_directory(&self.path))
            .map_err(OpenError::io(&data))
    }

    /// Whether a database is there already.
    pub(super) fn has_database(&self) -> bool {
        self.data().exists()
    }

    fn new_data(&self) -> PathBuf {
        self.path.join("data.new")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }
}

/// Leaves the process id, for the message to whoever finds the directory locked.
fn sign(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    write!(lock, "{}", std::process::id())
}

fn create_durably(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    create_durably(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }?;
    sync_directory(parent)
}

pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// What the system's clock shows.
pub(super) fn now() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Writes the journal anew from what can be read, before anything of it is believed.
///
/// A sync that failed, in this life or the one before, leaves pages that the system shows but may never write: an owner
/// that finds its messages there would acknowledge what a power cut takes away. Older journals were synced before the
/// newest one was begun.
fn rewrite_newest_journal(data: &Path) -> io::Result<()> {
    let Some(journal) = journals(data)?.pop() else {
        return Ok(());
    };
    let copy = journal.with_extension("copy");
    copy_through_memory(&journal, &copy)?;
    fs::rename(&copy, &journal)?;
    sync_directory(data)
}

/// Unlike [`fs::copy`], which may let the file system share what it has on disk already. Zeros become holes again: the
/// end of a journal is room made ahead.
fn copy_through_memory(from: &Path, to: &Path) -> io::Result<()> {
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let zeros = vec![0; 256 << 10];
    let mut buffer = zeros.clone();
    loop {
        let count = from.read(&mut buffer)?;
        let read = &buffer[..count];
        if read.is_empty() {
            break;
        } else if *read == zeros[..count] {
            to.seek_relative(i64::try_from(count).expect("a buffer's length"))?;
        } else {
            to.write_all(read)?;
        }
    }
    let length = to.stream_position()?;
    to.set_len(length)?;
    to.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_every_byte_and_the_length() {
        let directory = tempfile::TempDir::new().expect("a temporary directory");
        let (from, to) = (
            directory.path().join("1.jnl"),
            directory.path().join("1.copy"),
        );
        let parts = [
            vec![7; 300_000],
            vec![0; 900_000],
            vec![9; 5],
            vec![0; 700_001],
        ];
        fs::write(&from, parts.concat()).expect("a file");
        copy_through_memory(&from, &to).expect("a copy");
        assert!(fs::read(&to).expect("the copy") == parts.concat());
    }
}
