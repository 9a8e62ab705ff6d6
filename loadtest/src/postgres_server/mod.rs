//! What it takes to start a PostgreSQL server of one's own, as dev mode and `chaos` do: its programs, and a user that it may
//! run as.

mod programs;
mod user;

pub use programs::Programs;
pub use user::ServerUser;
