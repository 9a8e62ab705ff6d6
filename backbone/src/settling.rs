//! How far the shards are with the ring view: each says when its slots are as a view says.

use trunkline_shared::ViewVersion;

/// Listens to all shards of a node.
#[derive(Debug)]
pub(crate) struct Settling {
    /// By shard, the last version that it has settled.
    shards: Vec<ViewVersion>,
}

impl Settling {
    pub(crate) fn new(shards: usize) -> Self {
        Self {
            shards: vec![ViewVersion::default(); shards],
        }
    }

    /// A shard has settled a view; says the version that all have by now.
    pub(crate) fn note(&mut self, shard: usize, version: ViewVersion) -> ViewVersion {
        self.shards[shard] = version;
        let all = self.shards.iter().min();
        *all.expect("a node has shards")
    }
}
