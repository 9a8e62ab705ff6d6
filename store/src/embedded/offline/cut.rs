//! Going on without what stands behind the first damage of a journal.
//!
//! Offsets of lost messages are given again then, so new epochs must follow. A mark is left before anything is cut, and
//! whoever opens the database next begins them first: neither a crash nor a person can leave them out.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use fjall::PersistMode;

use crate::embedded::directory::{self, Directory};
use crate::embedded::error::OpenError;
use crate::embedded::journal::{first_damage, journals};
use crate::embedded::options::Options;

/// What was cut off.
#[derive(Debug)]
pub struct Cut {
    /// The journal that was damaged.
    pub journal: PathBuf,
    /// Its bytes that are left.
    pub kept: usize,
    /// A directory with that journal and later ones as they were.
    pub aside: PathBuf,
}

/// Cuts the first damaged journal of a store where its damage begins, puts later ones aside, and begins new epochs;
/// `None`, and nothing is changed, where no journal is damaged.
///
/// # Errors
/// When there is no store, when a process uses it, when the disk fails. Once something was cut, whoever opens the store
/// next begins the new epochs.
pub fn cut(path: &Path) -> Result<Option<Cut>, OpenError> {
    let directory = Directory::lock_existing(path, PersistMode::SyncAll)?;
    let data = directory.data();
    let Some((journal, kept)) = first_damage(&data)? else {
        return Ok(None);
    };
    let aside = path.join(format!("cut-{}", directory::now().0));
    put_aside(&data, &journal, &aside)
        .and_then(|()| directory.mark_epochs_due())
        .and_then(|()| cut_off(&data, &journal, kept, &aside))
        .map_err(OpenError::io(&aside))?;
    drop(directory.open_database(&Options::default())?);
    Ok(Some(Cut {
        journal,
        kept,
        aside,
    }))
}

/// Copies the damaged journal; what it was can be looked at later.
fn put_aside(data: &Path, journal: &Path, aside: &Path) -> io::Result<()> {
    fs::create_dir(aside)?;
    let copy = File::create(aside.join(file_name(journal)))?;
    io::copy(&mut File::open(journal)?, &mut &copy)?;
    copy.sync_all()?;
    directory::sync_directory(aside)?;
    directory::sync_directory(data)
}

/// Moves the journals behind the damaged one away, last first, and cuts that one.
fn cut_off(data: &Path, journal: &Path, kept: usize, aside: &Path) -> io::Result<()> {
    let all = journals(data)?;
    let later = all.iter().rev().take_while(|other| *other != journal);
    for other in later {
        fs::rename(other, aside.join(file_name(other)))?;
    }
    directory::sync_directory(data)?;
    let file = File::options().write(true).open(journal)?;
    file.set_len(kept as u64)?;
    file.sync_all()
}

fn file_name(journal: &Path) -> &std::ffi::OsStr {
    journal.file_name().expect("it was found by its name")
}
