//! How a seed is run.

use crate::plant::Plant;

/// How a seed is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The bug that is planted; by default none.
    pub plant: Option<Plant>,
    /// Keeps what happened in lines, and a number that stands for all of them; by default not, it is slow.
    pub trace: bool,
}
