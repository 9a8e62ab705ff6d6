//! Certificates: one authority per mesh, one certificate per process for its links, and in dev mode one per edge for its
//! clients.
//!
//! A process's identity is the URI in its certificate: `trunkline://edge/<region>/<edge-id>` or
//! `trunkline://backbone/<node-id>`; nodes also carry the DNS name that edges ask for.

mod existing;
mod holder;
mod name;
#[cfg(test)]
mod tests;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub(crate) use holder::Holder;
pub(crate) use name::names_of;

/// Makes what isn't there yet, has expired, or names another address; returns the files written.
///
/// A new authority makes all certificates anew: the old ones were signed by another. Nothing is written before all that is
/// refused has been.
pub(crate) fn ensure(dir: &Path, holders: &[Holder]) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))?;
    holders
        .iter()
        .try_for_each(|holder| existing::refuse_another(dir, holder))?;
    let mut made = Vec::new();
    let fresh_authority = !existing::is_good_authority(dir);
    if fresh_authority {
        write::authority(dir, &mut made)?;
    }
    let authority = write::read_authority(dir)?;
    for holder in holders {
        if fresh_authority || !existing::is_good(dir, holder) {
            write::leaf(dir, holder, &authority, &mut made)?;
        }
    }
    Ok(made)
}
