//! Settings of the PostgreSQL store.

use std::path::PathBuf;
use std::time::Duration;

use super::connector::Connector;
use super::error::OpenError;
use trunkline_shared::limits::{STORE_READS_MAX, STORE_WRITES_BYTES_MAX};

/// Where the database is, how many connections are made to it, how long it keeps what.
#[derive(Clone, PartialEq, Eq)]
pub struct Options {
    /// Connection string, `host=db1,db2 user=… dbname=…` or `postgresql://…`; only a server that takes writes is used.
    pub dsn: String,
    /// PEM file with the roots that the server's certificate is checked against; without it connections aren't encrypted.
    pub ca_file: Option<PathBuf>,
    /// Connections that append, each for its share of the slots; at least 1. Default 4.
    pub writers: usize,
    /// Connections that read; at least 1. Default 4.
    pub readers: usize,
    /// Reads that may wait for a connection; beyond it they are answered "away". Default 4096.
    pub reads_max: usize,
    /// Bytes of appends that may wait, an equal share for each connection; beyond it they are answered "away".
    /// Default 64 MiB.
    pub writes_bytes_max: usize,
    /// Time in which a connection must be made. Default 5 s.
    pub connect_timeout: Duration,
    /// Time after which a connection that doesn't answer is closed; what was asked on it is unknown then. Default 10 s.
    pub answer_timeout: Duration,
    /// How long messages are kept: the longest TTL of any namespace. Default one day.
    pub retention: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dsn: String::new(),
            ca_file: None,
            writers: 4,
            readers: 4,
            reads_max: STORE_READS_MAX,
            writes_bytes_max: STORE_WRITES_BYTES_MAX,
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(10),
            retention: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl Options {
    /// Checks what can be checked without a database: connection string and roots.
    ///
    /// # Errors
    /// With the first mistake.
    pub fn check(&self) -> Result<(), OpenError> {
        Connector::new(self).map(drop)
    }
}

/// Shows no password.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("ca_file", &self.ca_file)
            .field("writers", &self.writers)
            .field("readers", &self.readers)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}
