//! What faults are judged by: publishers that note what they were told, subscribers that note what they saw, and the verdict
//! over both and what the store holds.

mod accounts;
mod book;
mod crowd;
mod publisher;
mod verdict;
mod wait;
mod witness;

pub(crate) use accounts::Accounts;
pub(crate) use book::{Book, Fate, Sent};
pub(crate) use crowd::Crowd;
pub(crate) use publisher::Publisher;
pub(crate) use verdict::{Broken, Evidence, Kind, Verdict, judge};
pub(crate) use wait::wait;
pub(crate) use witness::Witness;
