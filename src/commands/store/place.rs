//! Which store is meant, and whose it is.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::process::geteuid;
use trunkline_backbone::{BackboneConfig, StoreKind};
use trunkline_process::{Failure, ProcessArgs};
use trunkline_store::postgres;

/// A store: its directory, or the node's configuration that names it.
#[derive(Debug)]
pub(in crate::commands) enum PlacedStore {
    /// The embedded one's directory.
    Embedded(PathBuf),
    /// Databases, and how they are reached.
    Postgres(postgres::Options),
}

/// A directory, or the node's configuration that names a store.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Place {
    /// The store's directory.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The node's configuration file, whose store is meant: a directory or databases.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Place {
    /// The store's directory.
    pub(super) fn path(&self) -> Result<PathBuf, Failure> {
        match self.store()? {
            PlacedStore::Embedded(path) => Ok(path),
            PlacedStore::Postgres(_) => Err(Failure::Configuration(
                "store.kind is \"postgres\": pg_dump and pg_restore do this there, pg_amcheck looks for damage"
                    .to_owned(),
            )),
        }
    }

    /// The store that is meant.
    pub(super) fn store(&self) -> Result<PlacedStore, Failure> {
        match &self.dir {
            Some(dir) => Ok(PlacedStore::Embedded(dir.clone())),
            None => PlacedStore::of_config(self.config.clone()),
        }
    }
}

impl PlacedStore {
    /// The store that a node's configuration names; of the environment alone where there is no file.
    pub(in crate::commands) fn of_config(config: Option<PathBuf>) -> Result<Self, Failure> {
        let process = ProcessArgs {
            config,
            ..ProcessArgs::default()
        };
        let source = process.source()?;
        // Else the store of the defaults would be meant, which is nobody's.
        let of_a_node = ["backbone", "store", "namespace"];
        if let Some(file) = &process.config
            && !of_a_node.iter().any(|section| source.has(section))
        {
            return Err(Failure::Configuration(format!(
                "{}: not a node's file, it has none of [backbone], [store] and [[namespace]]",
                file.display()
            )));
        }
        let config = BackboneConfig::load(source)?;
        match config.store.kind {
            StoreKind::Embedded => Ok(Self::Embedded(config.store.path)),
            StoreKind::Postgres => Ok(Self::Postgres(
                config.store.postgres.options(&config.namespaces),
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
