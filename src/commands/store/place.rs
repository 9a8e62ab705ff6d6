//! Which store is meant, and whose it is.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::process::geteuid;
use trunkline_backbone::{BackboneConfig, StoreKind};
use trunkline_process::{Failure, ProcessArgs};

/// A directory, or the node's configuration that names it.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Place {
    /// The store's directory.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The node's configuration file, whose store.path is meant.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Place {
    /// The store's directory.
    pub(super) fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        let process = ProcessArgs {
            config: self.config.clone(),
            ..ProcessArgs::default()
        };
        let config = BackboneConfig::load(process.source()?)?;
        match config.store.kind {
            StoreKind::Embedded => Ok(config.store.path),
            StoreKind::Postgres => Err(Failure::Configuration(
                "store.kind is \"postgres\", which has tools of its own: pg_dump, pg_restore"
                    .to_owned(),
            )),
        }
    }
}

/// The user whose store it is, where that is another one than runs this.
///
/// Files that opening makes anew would be this user's, and the node couldn't write them.
pub(in crate::commands) fn other_owner(store: &Path) -> Option<u32> {
    let owner = std::fs::metadata(store.join("data")).ok()?.uid();
    (owner != geteuid().as_raw()).then_some(owner)
}
