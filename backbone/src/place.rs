//! What a node does when new epochs have begun in its database, after a fail-over that may have lost commits or by `store
//! new-epoch`: it takes its place there again, as at its start, so that every edge hears of them, also in idle channels.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};
use trunkline_process::Clock;
use trunkline_shared::rules::Namespace;
use trunkline_shared::{Member, RingView};
use trunkline_store::postgres::Renewals;
use trunkline_store_core::MessageStore;

use crate::membership::join;
use crate::settling::Settling;
use crate::sink::Machines;

const FIRST_DELAY: Duration = Duration::from_millis(50);
const LAST_DELAY: Duration = Duration::from_secs(2);

/// A node's place in the mesh, and everything that it takes to take it again.
pub(crate) struct Place<S> {
    pub(crate) store: Arc<S>,
    pub(crate) member: Member,
    pub(crate) namespaces: Vec<Namespace>,
    pub(crate) clock: Clock,
    pub(crate) machines: Machines,
    pub(crate) settling: Settling,
}

impl<S: MessageStore> Place<S> {
    /// Joins again after each renewal, until the store is gone.
    pub(crate) async fn follow(mut self, mut renewals: watch::Receiver<Renewals>) {
        while renewals.changed().await.is_ok() {
            let view = self.join_again().await;
            let me = self.member.incarnation;
            self.machines.instruct(&view, me, self.namespaces.clone());
            self.settling.reach(view.version).await;
            info!(version = %view.version, "joined again since new epochs have begun, all slots claimed");
        }
    }

    async fn join_again(&self) -> Arc<RingView> {
        let mut delay = FIRST_DELAY;
        loop {
            let now = self.clock.now().unix;
            match join(self.store.as_ref(), self.member.clone(), now).await {
                Ok(view) => return view,
                Err(error) => warn!(%error, "can't join again yet"),
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(LAST_DELAY);
        }
    }
}
