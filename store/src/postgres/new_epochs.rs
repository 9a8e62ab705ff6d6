//! New epochs for databases that lack what was acknowledged, such as a backup that was put back. Nodes may run meanwhile.

use std::ops::RangeInclusive;

use tokio::sync::watch;
use tokio_postgres::{Client, IsolationLevel};

use super::birth::CHANNEL;
use super::connector::Connector;
use super::error::{Fault, OpenError};
use super::look::check_slots;
use super::migrate;
use super::options::{Options, ShardOptions};
use super::renewal::{self, CLOCK};
use super::session::{Driver, within};

/// Why no new epochs were begun, or not in all databases.
#[derive(Debug, thiserror::Error)]
pub enum NewEpochsError {
    /// The settings make no sense, or a database isn't one that they are of; nothing has changed.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A database has no message store in it; nothing has changed.
    #[error("there is no message store for slots {} to {}", slots.start(), slots.end())]
    Absent {
        /// The slots that it should have.
        slots: RangeInclusive<u16>,
    },
    /// A database didn't do it, or didn't say that it has; those of later slots have.
    #[error(
        "slots {} to {} may not have new epochs: {reason}; do it again, which does no harm",
        slots.start(), slots.end()
    )]
    Unknown {
        /// The slots of that database.
        slots: RangeInclusive<u16>,
        /// Why.
        reason: String,
    },
}

/// Gives each slot that was ever claimed a new epoch and a later generation, and the store a later birth: in each database in
/// one transaction, which waits for appends in flight. Returns how many slots.
///
/// Positions of before are from then on told to be unrecoverable. Nodes that run are refused what they append, are told, and
/// claim again. The first database comes last: its birth says that all have new epochs.
///
/// # Errors
/// When a database can't be used, or doesn't answer within [`Options::answer_timeout`].
pub async fn begin_epochs(options: &Options) -> Result<u64, NewEpochsError> {
    let mut databases = Vec::new();
    for shard in options.all_shards()? {
        databases.push(Database::connect(shard, options).await?);
    }
    let mut count = 0;
    for database in databases.iter_mut().rev() {
        let begun = within(options.answer_timeout, database.begin()).await;
        count += begun.map_err(|fault| NewEpochsError::Unknown {
            slots: database.shard.slots.clone(),
            reason: fault.to_string(),
        })?;
    }
    Ok(count)
}

/// A database whose slots are those that it should have.
struct Database {
    shard: ShardOptions,
    client: Client,
    driver: Driver,
}

impl Database {
    async fn connect(shard: ShardOptions, options: &Options) -> Result<Self, NewEpochsError> {
        let connector = Connector::new(&shard.dsn, options, &watch::Sender::default())?;
        let (client, driver) = connector.bare().await.map_err(OpenError::from)?;
        let database = Self {
            shard,
            client,
            driver,
        };
        within(options.answer_timeout, async { Ok(database.check().await) })
            .await
            .map_err(OpenError::database("reading its format"))??;
        Ok(database)
    }

    /// A store of an earlier format gets new epochs too; a node brings it to the present one.
    async fn check(&self) -> Result<(), NewEpochsError> {
        let format = migrate::format(&self.client).await;
        let format = format.map_err(OpenError::database("reading its format"))?;
        match format {
            None => Err(NewEpochsError::Absent {
                slots: self.shard.slots.clone(),
            }),
            Some(found) if found > migrate::FORMAT => Err(OpenError::UnknownFormat {
                found,
                known: migrate::FORMAT,
            }
            .into()),
            Some(migrate::FORMAT) => Ok(check_slots(&self.client, &self.shard).await?),
            Some(_) => Ok(()),
        }
    }

    async fn begin(&mut self) -> Result<u64, Fault> {
        let transaction = self.client.build_transaction();
        // Each statement sees what was committed before it: a claim that the lock has waited for is fenced too.
        let transaction = transaction
            .isolation_level(IsolationLevel::ReadCommitted)
            .start()
            .await?;
        // One that was given up while it waits must not wait on.
        let settings = "SET LOCAL client_connection_check_interval = '1s'";
        transaction.batch_execute(settings).await?;
        // Ascending, as appends and claims lock them.
        let lock = "SELECT FROM trunkline.slot ORDER BY number FOR NO KEY UPDATE";
        transaction.execute(lock, &[]).await?;
        let slots = renewal::of_slot();
        let renew = format!("UPDATE trunkline.slot SET {slots} WHERE generation > 0");
        let count = transaction.execute(&renew, &[]).await?;
        let bear = format!("UPDATE trunkline.store SET birth = greatest(birth + 1, {CLOCK})");
        transaction.execute(&bear, &[]).await?;
        let tell = "SELECT pg_notify($1, '')";
        transaction.execute(tell, &[&CHANNEL]).await?;
        transaction.commit().await?;
        self.driver.unwarned()?;
        Ok(count)
    }
}
