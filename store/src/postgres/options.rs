//! Settings of the PostgreSQL store.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use trunkline_shared::limits::{SLOTS, STORE_READS_MAX, STORE_WRITES_BYTES_MAX};

use super::connector::Connector;
use super::error::OpenError;

/// Whether a standby that takes over has everything that was acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Replication {
    /// It has: commits wait for it. Epochs outlive a fail-over.
    #[default]
    Sync,
    /// It may not have: a fail-over begins new epochs in all slots, so that whoever saw more is told.
    Async,
}

/// One of several databases.
#[derive(Clone, PartialEq, Eq)]
pub struct ShardOptions {
    /// As [`Options::dsn`].
    pub dsn: String,
    /// The slots whose messages it has; they can't be changed once one was claimed.
    pub slots: RangeInclusive<u16>,
}

/// Shows no password.
impl std::fmt::Debug for ShardOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShardOptions")
            .field("slots", &self.slots)
            .finish_non_exhaustive()
    }
}

/// Where the database is, how many connections are made to it, how long it keeps what.
#[derive(Clone, PartialEq, Eq)]
pub struct Options {
    /// Connection string, `host=db1,db2 user=… dbname=…` or `postgresql://…`; only a server that takes writes is used.
    /// Empty where there are shards.
    pub dsn: String,
    /// Several databases, ascending by their slots, which are all slots together; members and view are in the first. None
    /// by default: one database has them all.
    pub shards: Vec<ShardOptions>,
    /// PEM file with the roots that the server's certificate is checked against; without it connections aren't encrypted.
    pub ca_file: Option<PathBuf>,
    /// Whether its standbys have everything that was acknowledged; default that they have.
    pub replication: Replication,
    /// Connections to each database that append, each for its share of the slots; at least 1. Default 4.
    pub writers: usize,
    /// Connections to each database that read; at least 1. Default 4.
    pub readers: usize,
    /// Reads that may wait for a connection; beyond it they are answered "away". Default 4096.
    pub reads_max: usize,
    /// Bytes of appends that may wait for a database, an equal share for each connection; beyond it they are answered "away".
    /// Default 64 MiB.
    pub writes_bytes_max: usize,
    /// Time in which a connection must be made. Default 5 s.
    pub connect_timeout: Duration,
    /// Time after which a connection that doesn't answer is closed; what was asked on it is unknown then. Default 10 s.
    pub answer_timeout: Duration,
    /// How long messages are kept, until [`keep`](super::PostgresStore::keep) says otherwise: the longest TTL of any namespace;
    /// `None`: for ever, since nothing says how long. Default one day.
    pub retention: Option<Duration>,
    /// How long a head that nothing touches outlives its messages, until `keep` says otherwise. At least the longest TTL of any
    /// namespace; `None`, the default: for ever.
    pub heads_kept: Option<Duration>,
    /// No message and no head goes before `keep` has said for how long they stay; `retention` decides until then how wide
    /// partitions are. Default false.
    pub keeps_all_at_first: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dsn: String::new(),
            shards: Vec::new(),
            ca_file: None,
            replication: Replication::default(),
            writers: 4,
            readers: 4,
            reads_max: STORE_READS_MAX,
            writes_bytes_max: STORE_WRITES_BYTES_MAX,
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(10),
            retention: Some(Duration::from_secs(24 * 60 * 60)),
            heads_kept: None,
            keeps_all_at_first: false,
        }
    }
}

impl Options {
    /// Checks what can be checked without a database: connection strings, shards and roots.
    ///
    /// # Errors
    /// With the first mistake.
    pub fn check(&self) -> Result<(), OpenError> {
        let shards = self.all_shards()?;
        let mut shards = shards.iter();
        let renewals = watch::Sender::default();
        shards.try_for_each(|shard| Connector::new(&shard.dsn, self, &renewals).map(drop))
    }

    /// The databases, which have each slot once.
    pub(super) fn all_shards(&self) -> Result<Vec<ShardOptions>, OpenError> {
        if self.shards.is_empty() {
            return Ok(vec![ShardOptions {
                dsn: self.dsn.clone(),
                slots: 0..=SLOTS - 1,
            }]);
        }
        if !self.dsn.is_empty() {
            let both = "each has a dsn of its own, beside them there is none";
            return Err(OpenError::Shards(both.to_owned()));
        }
        let mut next = 0;
        for ShardOptions { slots, .. } in &self.shards {
            if *slots.start() != next || slots.is_empty() || *slots.end() >= SLOTS {
                let (start, end) = (slots.start(), slots.end());
                return Err(OpenError::Shards(format!(
                    "one has slots {start} to {end} where slots from {next} on, at most to {}, are missing",
                    SLOTS - 1
                )));
            }
            next = slots.end() + 1;
        }
        if next < SLOTS {
            return Err(OpenError::Shards(format!("none has slot {next}")));
        }
        Ok(self.shards.clone())
    }
}

/// Shows no password.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("shards", &self.shards)
            .field("ca_file", &self.ca_file)
            .field("replication", &self.replication)
            .field("writers", &self.writers)
            .field("readers", &self.readers)
            .field("retention", &self.retention)
            .field("heads_kept", &self.heads_kept)
            .field("keeps_all_at_first", &self.keeps_all_at_first)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(ranges: &[RangeInclusive<u16>]) -> Option<String> {
        let shard = |slots: &RangeInclusive<u16>| ShardOptions {
            dsn: "host=db".to_owned(),
            slots: slots.clone(),
        };
        let options = Options {
            shards: ranges.iter().map(shard).collect(),
            ..Options::default()
        };
        options.check().err().map(|error| error.to_string())
    }

    #[test]
    fn shards_have_each_slot_once() {
        assert_eq!(problem(&[0..=9, 10..=4095]), None);
        let cases: [(&[_], _); 5] = [
            (&[0..=9, 11..=4095], "slots 11 to 4095"),
            (&[0..=9, 9..=4095], "slots 9 to 4095"),
            (&[10..=4095, 0..=9], "slots 10 to 4095"),
            (&[0..=4096], "slots 0 to 4096"),
            (&[0..=9], "none has slot 10"),
        ];
        for (ranges, said) in cases {
            let problem = problem(ranges).expect("a mistake");
            assert!(problem.contains(said), "{problem}");
        }
    }

    #[test]
    fn a_store_has_one_database_or_shards() {
        let options = Options {
            dsn: "host=db".to_owned(),
            shards: vec![ShardOptions {
                dsn: "host=db".to_owned(),
                slots: 0..=4095,
            }],
            ..Options::default()
        };
        assert!(matches!(options.check(), Err(OpenError::Shards(_))));
    }
}
