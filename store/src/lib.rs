//! Message stores that keep what they acknowledge.
//!
//! [`embedded`] needs no server: one directory, one process. [`postgres`] keeps messages in PostgreSQL.

mod codec;
mod damage;
pub mod embedded;
pub mod postgres;
mod queue;
mod record;
mod stats;

pub use embedded::EmbeddedStore;
pub use postgres::PostgresStore;
pub use stats::StoreStats;
