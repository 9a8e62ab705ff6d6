//! Which life of which edge has a link here: a newer link of the same life takes the older one's place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use trunkline_shared::Incarnation;

use crate::end::LinkEnd;
use crate::ending::Ending;
use crate::identity::PeerIdentity;

type Key = (PeerIdentity, Incarnation);

/// The links of one node's endpoint, by the life that has them, oldest first. Bounded by `links_max`.
#[derive(Default)]
pub(crate) struct Lives {
    links: Mutex<BTreeMap<Key, Vec<Ending>>>,
    changed: Notify,
}

/// Held by a link, from its hello until its readers have ended and its sink has been told.
pub(crate) struct Life {
    lives: Arc<Lives>,
    key: Key,
    ending: Ending,
}

impl Lives {
    /// Notes that a life has a new link; closes its older ones and waits for the end of their readers.
    ///
    /// Says whether there were older ones. Several new ones at once wait for each other in their order; one that
    /// gives up waiting leaves the older ones to be waited for by the next.
    pub(crate) async fn take_over(self: &Arc<Self>, key: Key, ending: &Ending) -> (Life, bool) {
        let life = Life {
            lives: Arc::clone(self),
            key,
            ending: ending.clone(),
        };
        let older = self.add(&life);
        older
            .iter()
            .for_each(|older| older.set(LinkEnd::Superseded));
        loop {
            let changed = self.changed.notified();
            if self.is_oldest(&life) {
                return (life, !older.is_empty());
            }
            changed.await;
        }
    }

    fn add(&self, life: &Life) -> Vec<Ending> {
        let mut links = self.lock();
        let of_key = links.entry(life.key.clone()).or_default();
        let older = of_key.clone();
        of_key.push(life.ending.clone());
        older
    }

    fn is_oldest(&self, life: &Life) -> bool {
        let links = self.lock();
        links
            .get(&life.key)
            .and_then(|of_key| of_key.first())
            .is_some_and(|first| first.is(&life.ending))
    }

    fn remove(&self, life: &Life) {
        let mut links = self.lock();
        if let Some(of_key) = links.get_mut(&life.key) {
            of_key.retain(|ending| !ending.is(&life.ending));
            if of_key.is_empty() {
                links.remove(&life.key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Vec<Ending>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.lives.remove(self);
        self.lives.changed.notify_waiters();
    }
}
