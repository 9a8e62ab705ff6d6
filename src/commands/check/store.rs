//! Where a node keeps messages.

use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use rustix::fs::{Access, access, statvfs};
use trunkline_backbone::StoreKind;
use trunkline_store::EmbeddedStore;
use trunkline_store::embedded::{OpenError, Options};
use trunkline_store::postgres::{self, Looked};

use super::finding::Finding;
use super::role::Subject;
use crate::commands::store::other_owner;

/// With less room on the disk a node is warned of, and refused.
const ROOM_WARN: ByteSize = ByteSize::gib(5);
const ROOM_MIN: ByteSize = ByteSize::mib(256);

const POSTGRES: &str = "store.postgres";

/// Looks at the store.
pub(super) fn check(subject: &Subject) -> Vec<Finding> {
    match subject {
        Subject::Edge(_) => Vec::new(),
        Subject::Backbone(config) => match config.store.kind {
            StoreKind::Embedded => {
                let path = &config.store.path;
                vec![directory(path), database(path), room(path)]
            }
            StoreKind::Postgres => servers(&config.store.postgres.options(&config.namespaces)),
        },
    }
}

/// Asks each database what a node would refuse. To open the store would make or migrate its tables, which is for a node to do.
fn servers(options: &postgres::Options) -> Vec<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let found = match runtime.map(|runtime| runtime.block_on(postgres::look(options))) {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return vec![Finding::fail(POSTGRES, error)],
        Err(error) => return vec![Finding::fail(POSTGRES, error)],
    };
    let alone = found.len() == 1;
    let name = |number| match alone {
        true => POSTGRES.to_owned(),
        false => format!("{POSTGRES}.shard {number}"),
    };
    let found = (1..).zip(found);
    found
        .map(|(number, found)| server(name(number), found))
        .collect()
}

fn server(what: String, found: Result<Looked, postgres::OpenError>) -> Finding {
    let found = match found {
        Ok(found) => found,
        Err(error) => return Finding::fail(what, error),
    };
    let tables = match found.format {
        None => "no tables yet, the node will make them".to_owned(),
        Some(Looked::FORMAT) => format!("tables have format {}", Looked::FORMAT),
        Some(format) => format!(
            "tables have format {format}, the node will bring them to {}",
            Looked::FORMAT
        ),
    };
    let detail = format!("PostgreSQL {}, {tables}", found.version);
    if found.lacks_standby {
        let alone = "synchronous_standby_names is empty: the loss of the server loses messages";
        return Finding::warn(what, format!("{detail}; {alone}"));
    }
    Finding::ok(what, detail)
}

fn directory(path: &Path) -> Finding {
    let what = "store.path";
    let shown = path.display();
    let there = existing(path);
    if !there.is_dir() {
        return Finding::fail(what, format!("{} is not a directory", there.display()));
    }
    let needed = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    match access(&there, needed) {
        Ok(()) if there == *path => Finding::ok(what, format!("{shown} can be written")),
        Ok(()) => Finding::ok(what, format!("{shown} will be made")),
        Err(error) => Finding::fail(what, format!("{}: {error}", there.display())),
    }
}

/// Opens the store as the node would: nothing less reads its format and finds a damaged journal.
///
/// Not as another user than its owner: files that it makes anew would be that user's, and the node couldn't write them.
fn database(path: &Path) -> Finding {
    let what = "store";
    if !path.join("data").exists() {
        return Finding::ok(what, "none yet, the node will make one");
    }
    if let Some(owner) = other_owner(path) {
        return Finding::warn(
            what,
            format!("not opened: it is of the user {owner}, who should run this"),
        );
    }
    match EmbeddedStore::open(path, Options::default()) {
        Ok(_) => Finding::ok(what, "opens, format and journal are good"),
        Err(error @ OpenError::InUse { .. }) => {
            Finding::warn(what, format!("{error}; fine where that is this node"))
        }
        Err(error) => Finding::fail(what, error),
    }
}

fn room(path: &Path) -> Finding {
    let what = "disk";
    let there = existing(path);
    let room = match statvfs(&there) {
        Ok(disk) => ByteSize::b(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => return Finding::fail(what, format!("{}: {error}", there.display())),
    };
    let detail = format!("{room} free at {}", there.display());
    if room < ROOM_MIN {
        Finding::fail(what, format!("{detail}, at least {ROOM_MIN} are needed"))
    } else if room < ROOM_WARN {
        Finding::warn(what, detail)
    } else {
        Finding::ok(what, detail)
    }
}

/// The path, or the nearest directory above it that is there.
fn existing(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = absolute.ancestors().find(|above| above.exists());
    match found {
        Some(found) if found == absolute => path.to_owned(),
        Some(found) => found.to_owned(),
        None => PathBuf::from("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_not_there_is_not_made() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a/store");
        assert!(directory(&path).to_string().contains("will be made"));
        assert!(database(&path).to_string().contains("none yet"));
        assert_eq!(existing(&path), dir.path());
        assert!(!path.exists());
    }

    #[test]
    fn a_file_is_no_store() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let found = directory(file.path()).to_string();
        assert!(
            found.starts_with("fail") && found.contains("is not a directory"),
            "{found}"
        );
    }
}
