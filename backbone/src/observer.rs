//! Asks everything in a node that counts, for pages of the admin listener.

use std::sync::Weak;

use tokio::sync::oneshot;
use trunkline_backbone_core::{Counters, Gauges};
use trunkline_link::{ServerCounters, ServerObserver};
use trunkline_store::StoreStats;

use crate::control_task::{ControlMessage, ControlObserved};
use crate::membership::{MembershipMessage, MembershipObserved};
use crate::shard_task::ShardMessage;
use crate::sink::Machines;
use crate::store::Store;

/// The way to everything that counts.
#[derive(Clone)]
pub(crate) struct Observer {
    machines: Machines,
    store: Weak<Store>,
    endpoint: ServerObserver,
}

/// What a node counts and holds; without what has ended already, where the node is about to stop.
pub(crate) struct Observed {
    pub(crate) shards: Vec<(Counters, Gauges)>,
    /// Bytes that wait in the inboxes of all machines.
    pub(crate) inbox_bytes: usize,
    pub(crate) control: Option<ControlObserved>,
    pub(crate) membership: Option<MembershipObserved>,
    pub(crate) store: Option<StoreStats>,
    pub(crate) endpoint: ServerCounters,
}

impl Observer {
    pub(crate) const fn new(
        machines: Machines,
        store: Weak<Store>,
        endpoint: ServerObserver,
    ) -> Self {
        Self {
            machines,
            store,
            endpoint,
        }
    }

    /// Asks all of them.
    pub(crate) async fn observe(&self) -> Observed {
        let mut shards = Vec::new();
        for shard in &self.machines.shards {
            let (ask, answer) = oneshot::channel();
            shard.say(ShardMessage::Observe(ask));
            shards.extend(answer.await);
        }
        let inboxes = self.machines.shards.iter().map(|shard| shard.inbox.bytes());
        let (ask, control) = oneshot::channel();
        self.machines.control.say(ControlMessage::Observe(ask));
        Observed {
            shards,
            inbox_bytes: inboxes.sum::<usize>() + self.machines.control.inbox.bytes(),
            control: control.await.ok(),
            membership: self.membership().await,
            store: self.store.upgrade().map(|store| store.stats()),
            endpoint: self.endpoint.counters(),
        }
    }

    /// Asks the membership alone.
    pub(crate) async fn membership(&self) -> Option<MembershipObserved> {
        let (ask, answer) = oneshot::channel();
        let observe = MembershipMessage::Observe(ask);
        self.machines.membership.say(observe);
        answer.await.ok()
    }
}
