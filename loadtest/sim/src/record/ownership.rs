//! Who owned what: as the store granted it and took from them, and as nodes numbered by it.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::{Incarnation, Slot, ViewVersion};
use trunkline_store_core::Generation;

use crate::disk::Committed;

/// A node that numbered a message of a buffered channel, and the view that it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Numbered {
    /// Which node.
    pub(crate) node: usize,
    /// Its view.
    pub(crate) version: ViewVersion,
}

/// Everything about ownership in a run.
#[derive(Debug, Default)]
pub(crate) struct Ownership {
    /// Who had appends committed, by slot and generation.
    pub(crate) committed: Committed,
    /// Claims in the order granted, by slot.
    pub(crate) claims: BTreeMap<Slot, Vec<(Generation, ViewVersion)>>,
    /// By channel, its owner by each view in the order written.
    pub(crate) owners: Vec<Vec<(ViewVersion, Option<Incarnation>)>>,
    /// Who numbered messages of buffered channels, by channel and epoch.
    pub(crate) numbered: BTreeMap<(usize, String), BTreeSet<Numbered>>,
}
