//! Where a mesh keeps its messages, by `--postgres`.

use std::convert::Infallible;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use trunkline_loadtest::postgres_server::Programs;

/// What `--postgres` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// `temp`: a server of the mesh's own.
    Own,
    /// A connection string: a database that is there.
    At(String),
}

impl FromStr for Choice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "temp" => Self::Own,
            dsn => Self::At(dsn.to_owned()),
        })
    }
}

/// Where messages are kept.
#[derive(Clone, Debug)]
pub(crate) enum Storage {
    /// Files of the only node.
    Embedded,
    /// A PostgreSQL server of the mesh's own, by these programs.
    Own(Programs),
    /// A database that is there, by its connection string.
    At(String),
}

impl Storage {
    /// What a choice means for so many nodes.
    ///
    /// # Errors
    /// When several nodes are to share files, or PostgreSQL's programs are missing.
    pub(crate) fn new(choice: Option<&Choice>, nodes: u8) -> Result<Self> {
        match choice {
            None if nodes > 1 => bail!(
                "--backbones {nodes}: the embedded store is for one node; add --postgres, or --postgres DSN"
            ),
            None => Ok(Self::Embedded),
            Some(Choice::Own) => Ok(Self::Own(Programs::find()?)),
            Some(Choice::At(dsn)) => Ok(Self::At(dsn.clone())),
        }
    }
}

/// A node's section `[store]`: the database by its connection string, or else files in the mesh's directory.
pub(crate) fn section(dir: &Path, dsn: Option<&str>) -> Value {
    match dsn {
        Some(dsn) => json!({ "kind": "postgres", "postgres": { "dsn": dsn } }),
        None => json!({ "path": dir.join("store") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_nodes_need_a_database() {
        let error = Storage::new(None, 3).expect_err("files are for one");
        assert!(error.to_string().contains("--postgres"), "{error}");
        assert!(Storage::new(None, 1).is_ok());
        let there = Choice::At("host=db".into());
        assert!(Storage::new(Some(&there), 3).is_ok());
    }

    #[test]
    fn what_is_not_temp_is_a_connection_string() {
        assert_eq!("temp".parse(), Ok(Choice::Own));
        assert_eq!("host=db".parse(), Ok(Choice::At("host=db".into())));
    }
}
