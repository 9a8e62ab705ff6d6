//! How far the shards are with the ring view: each says when its slots are as a view says.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use trunkline_shared::ViewVersion;

/// What a shard says about views.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ViewNews {
    /// A shard's slots are as the view of this version says.
    Settled {
        /// Which shard.
        shard: usize,
        version: ViewVersion,
    },
    /// Somebody has a view of this version, later than the node's.
    Needed { version: ViewVersion },
}

/// Listens to all shards of a node.
#[derive(Debug)]
pub(crate) struct Settling {
    news: UnboundedReceiver<ViewNews>,
    /// By shard, the last version that it has settled.
    settled: Vec<ViewVersion>,
}

impl Settling {
    pub(crate) fn new(shards: usize) -> (UnboundedSender<ViewNews>, Self) {
        let (sender, news) = unbounded_channel();
        let settled = vec![ViewVersion::default(); shards];
        (sender, Self { news, settled })
    }

    /// Waits until every shard has settled a view of at least `version`; for ever when the shards are gone.
    pub(crate) async fn reach(&mut self, version: ViewVersion) {
        while self.settled.iter().any(|settled| *settled < version) {
            match self.news.recv().await {
                Some(ViewNews::Settled { shard, version }) => self.settled[shard] = version,
                Some(ViewNews::Needed { version }) => {
                    tracing::warn!(%version, "an edge or the store names a later view than the node's");
                }
                None => std::future::pending().await,
            }
        }
    }
}
