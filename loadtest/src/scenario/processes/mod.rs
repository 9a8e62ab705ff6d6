//! Processes of a mesh that a command starts, breaks and starts again, and the server of their database.

mod lab;
mod postgres;
mod process;

pub(crate) use lab::{Lab, Plan};
pub(crate) use postgres::Postgres;
pub(crate) use process::{Process, Start};
