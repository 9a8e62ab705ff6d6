//! Message stores on disk.
//!
//! [`embedded`] needs no server: one directory, one process.

pub mod embedded;

pub use embedded::EmbeddedStore;
