//! When a store began, which leads the version of every view: raised with each beginning of new epochs.
//!
//! Somebody else raises it while the store is open. Connections that write are told of that, and read it when they are made:
//! between the two nothing is missed. What tells them is only a hint, since every user of the database may send it.

use tokio::sync::watch;
use tracing::{info, warn};
use trunkline_shared::UnixMillis;

use super::error::Fault;
use super::renewal::Renewals;
use super::session::Session;

/// Names the notifications that tell of another birth.
pub(super) const CHANNEL: &str = "trunkline_birth";

/// The latest birth that was read from one database.
#[derive(Debug)]
pub(super) struct Birth {
    latest: watch::Sender<Option<UnixMillis>>,
    /// Counts those of all databases of the store.
    renewals: watch::Sender<Renewals>,
}

impl Birth {
    pub(super) fn new(renewals: watch::Sender<Renewals>) -> Self {
        Self {
            latest: watch::Sender::new(None),
            renewals,
        }
    }

    /// The latest one.
    pub(super) fn latest(&self) -> UnixMillis {
        let latest = *self.latest.borrow();
        latest.expect("a connection that writes has read it")
    }

    /// Reads it, and will be told of the next ones on this connection.
    pub(super) async fn follow(&self, session: &Session) -> Result<(), Fault> {
        session.listen(CHANNEL).await?;
        self.read(session).await
    }

    /// Reads it.
    pub(super) async fn read(&self, session: &Session) -> Result<(), Fault> {
        self.meet(session.birth().await?);
        Ok(())
    }

    /// Remembers a birth; one that is later than those before it brings new epochs. An earlier one isn't taken, so that views
    /// never fall back.
    fn meet(&self, found: UnixMillis) {
        let mut before = None;
        self.latest.send_if_modified(|latest| {
            before = *latest;
            let is_news = *latest < Some(found);
            if is_news {
                *latest = Some(found);
            }
            is_news
        });
        match before {
            Some(seen) if seen < found => {
                info!(birth = found.0, "new epochs have begun in the database");
                self.renewals.send_modify(|renewals| renewals.births += 1);
            }
            Some(seen) if seen > found => warn!(
                birth = found.0,
                seen = seen.0,
                "a backup of the database was put back: `trunkline store new-epoch` tells clients what it lacks"
            ),
            Some(_) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_birth_is_a_renewal_and_an_earlier_one_is_not_taken() {
        let renewals = watch::Sender::default();
        let birth = Birth::new(renewals.clone());
        for (found, latest, births) in [(5, 5, 0), (5, 5, 0), (7, 7, 1), (6, 7, 1), (8, 8, 2)] {
            birth.meet(UnixMillis(found));
            assert_eq!(birth.latest(), UnixMillis(latest));
            assert_eq!(renewals.borrow().births, births, "{found}");
        }
    }
}
