//! Why a store can't be opened, and what an error of the database means for who asked.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::error::{Severity, SqlState};
use trunkline_store_core::StoreError;

/// Why a connection to the database can't be made or used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No server that takes writes answers, or it refuses.
    #[error("{hosts}: {reason}")]
    Refused {
        /// Where it was looked for.
        hosts: String,
        /// What the last of them said.
        reason: String,
    },
    /// Nothing answers in time.
    #[error("{hosts}: no answer in {limit:?}")]
    Silent {
        /// Where it was looked for.
        hosts: String,
        /// The time that it had.
        limit: Duration,
    },
    /// The server is older than what this program needs.
    #[error("PostgreSQL {found} is too old, {needed} or later is needed")]
    OldServer {
        /// The server's version.
        found: i32,
        /// The oldest one that will do.
        needed: i32,
    },
    /// The server, or this user's or database's settings, acknowledge what a crash would lose.
    #[error("{setting} = {value} in PostgreSQL: what it acknowledges would not survive a crash")]
    Unsafe {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// The server is one that another has taken over from; what it acknowledges is nobody's.
    #[error(
        "the server has timeline {found} where {seen} was met: another has taken over from it, and it must not take writes"
    )]
    EarlierTimeline {
        /// The server's timeline.
        found: u32,
        /// The latest one met.
        seen: u32,
    },
}

/// Why a database can't be opened as a message store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The connection string makes no sense.
    #[error("connection string: {0}")]
    Dsn(String),
    /// Shards don't have each slot once.
    #[error("shards: {0}")]
    Shards(String),
    /// The database has the messages of other slots.
    #[error(
        "the database has slots {} to {}, not {} to {}: slots can't move",
        found[0], found[1], wanted[0], wanted[1]
    )]
    OtherSlots {
        /// The first and last slot that it has.
        found: [i32; 2],
        /// The first and last slot that it was opened for.
        wanted: [i32; 2],
    },
    /// The roots can't be read.
    #[error("{}: {reason}", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No connection.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// It was written by a later version of this program.
    #[error("message store has format {found}, this program knows format {known}")]
    UnknownFormat {
        /// The format that it has.
        found: i32,
        /// The format that this program knows.
        known: i32,
    },
    /// Tables can't be made or read.
    #[error("{what}: {reason}")]
    Database {
        /// What was done.
        what: &'static str,
        /// Why it failed.
        reason: String,
    },
    /// The system has no randomness.
    #[error("randomness: {0}")]
    Random(#[from] getrandom::Error),
}

impl OpenError {
    pub(super) fn database<E: Into<Fault>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |fault| Self::Database {
            what,
            reason: fault.into().to_string(),
        }
    }
}

/// Why a call got no answer from the database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// It was about data: nothing was done, and trying again won't help.
    #[error("{0}")]
    Data(String),
    /// Nothing was done; another time, or on another connection, it may succeed.
    #[error("{0}")]
    Busy(String),
    /// The connection is lost or useless; what was asked on it may or may not have been done.
    #[error("{0}")]
    Lost(String),
}

impl Fault {
    /// Says which row it is about, where it is about one.
    pub(super) fn of(self, row: impl Display) -> Self {
        match self {
            Self::Data(why) => Self::Data(format!("{row}: {why}")),
            Self::Busy(_) | Self::Lost(_) => self,
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Data(why) => Self::Data(why),
            Fault::Busy(why) | Fault::Lost(why) => Self::Away(why),
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(answer) = error.as_db_error() else {
            return Self::Lost(describe(&error));
        };
        let why = describe(&error);
        match answer.parsed_severity() {
            // Only an ERROR says that nothing was done; after anything worse the server ends the connection.
            Some(Severity::Error) if is_about_data(answer.code()) => Self::Data(why),
            Some(Severity::Error) => Self::Busy(why),
            _ => Self::Lost(why),
        }
    }
}

/// What the database said, without the values that it may quote in details.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(answer) => format!("{} ({})", answer.message(), answer.code().code()),
        None => {
            let source = std::error::Error::source(error);
            source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
        }
    }
}

/// Classes of `SQLSTATE` that name a mistake in what was sent or in what is stored; all others may pass.
fn is_about_data(code: &SqlState) -> bool {
    const CLASSES: [&str; 7] = ["0A", "21", "22", "23", "42", "54", "XX"];
    // A row without a partition: the clock has jumped past those that were made, new ones are on their way.
    let may_pass = *code == SqlState::CHECK_VIOLATION;
    CLASSES.contains(&code.code().get(..2).unwrap_or_default()) && !may_pass
}
