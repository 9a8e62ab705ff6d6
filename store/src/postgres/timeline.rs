//! Which life of the database a server belongs to.
//!
//! A standby that takes over begins a new timeline. Under asynchronous replication it may lack commits that were answered,
//! and nobody may be left to remember them: so the timeline leads every epoch and every view's version. The slots of a
//! server that is met under another timeline than theirs get it, with new epochs and generations, before a connection of
//! ours writes anything there; owners are refused by their generation and claim again.

use tokio::sync::watch;
use tokio_postgres::{Client, Error};
use tracing::warn;

use super::error::ConnectError;
use super::options::Replication;
use super::renewal::{self, Renewals};

/// The timeline of the log that is written now: the control file's lags behind a promotion until the next checkpoint.
const READ: &str =
    "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int8";

/// The latest timeline met on the servers of one database; 0 where replication is synchronous.
#[derive(Debug)]
pub(super) struct Timelines {
    replication: Replication,
    latest: watch::Sender<Option<u32>>,
    /// Counts fail-overs of all databases of the store.
    renewals: watch::Sender<Renewals>,
}

impl Timelines {
    pub(super) fn new(replication: Replication, renewals: watch::Sender<Renewals>) -> Self {
        Self {
            replication,
            latest: watch::Sender::new(None),
            renewals,
        }
    }

    /// The latest one; 0 before the first was met.
    pub(super) fn latest(&self) -> u32 {
        self.latest.borrow().unwrap_or(0)
    }

    /// Reads the timeline of a connection's server.
    pub(super) async fn read(&self, client: &Client) -> Result<u32, Error> {
        match self.replication {
            Replication::Sync => Ok(0),
            Replication::Async => {
                let number: i64 = client.query_one(READ, &[]).await?.try_get(0)?;
                Ok(u32::try_from(number).expect("32 bits were read"))
            }
        }
    }

    /// Remembers a timeline; one that is later than those before it is a fail-over.
    ///
    /// # Errors
    /// When it is earlier: the server is one that others have taken over from.
    pub(super) fn meet(&self, found: u32) -> Result<(), ConnectError> {
        let mut earlier = None;
        let mut later = false;
        self.latest.send_if_modified(|latest| {
            earlier = latest.filter(|seen| found < *seen);
            later = latest.is_some_and(|seen| found > seen);
            let is_news = *latest < Some(found);
            if is_news {
                *latest = Some(found);
            }
            is_news
        });
        if let Some(seen) = earlier {
            return Err(ConnectError::EarlierTimeline { found, seen });
        }
        if later {
            warn!(
                timeline = found,
                "another PostgreSQL server has taken over: new epochs begin"
            );
            self.renewals
                .send_modify(|renewals| renewals.fail_overs += 1);
        }
        Ok(())
    }
}

/// Gives the slots of another timeline this one, with new epochs and generations.
pub(super) async fn begin(client: &Client, timeline: u32) -> Result<(), Error> {
    // Ascending locks, as appends and claims take them.
    let begin = format!(
        "UPDATE trunkline.slot s SET epoch_timeline = $1, {} \
         FROM (SELECT number FROM trunkline.slot WHERE number >= 0 AND epoch_timeline <> $1 \
             ORDER BY number FOR NO KEY UPDATE) AS other \
         WHERE s.number = other.number AND s.epoch_timeline <> $1",
        renewal::of_slot()
    );
    client
        .execute(&begin, &[&i64::from(timeline)])
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_timeline_is_a_fail_over_and_an_earlier_one_is_refused() {
        let renewals = watch::Sender::default();
        let timelines = Timelines::new(Replication::Async, renewals.clone());
        let fail_overs = || renewals.borrow().fail_overs;
        assert_eq!(timelines.latest(), 0);
        for (found, latest, count) in [(3, 3, 0), (3, 3, 0), (4, 4, 1), (7, 7, 2)] {
            assert!(timelines.meet(found).is_ok(), "{found}");
            assert_eq!((timelines.latest(), fail_overs()), (latest, count));
        }
        let refused = timelines.meet(6);
        let is_earlier = matches!(
            refused,
            Err(ConnectError::EarlierTimeline { found: 6, seen: 7 })
        );
        assert!(is_earlier, "{refused:?}");
        assert_eq!((timelines.latest(), fail_overs()), (7, 2));
    }
}
