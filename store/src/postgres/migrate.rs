//! Makes the tables, or brings them to the format of this program: one node at a time, all or nothing.

use tokio_postgres::{Client, Error, GenericClient, Transaction};
use tracing::info;

use super::error::OpenError;
use super::renewal::CLOCK;

/// What leads from each format to the next one; never changed once released.
const MIGRATIONS: [&str; 6] = [
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
    include_str!("migrations/5.sql"),
    include_str!("migrations/6.sql"),
];

/// The format to which they lead.
pub(super) const FORMAT: i32 = MIGRATIONS.len() as i32;

/// Names our advisory locks among those of the database; "trunklin" in ASCII.
pub(super) const LOCK: i64 = 0x7472_756e_6b6c_696e;

/// Brings the tables to the format of this program.
///
/// # Errors
/// When they have a later format, or the database refuses.
pub(super) async fn migrate(client: &mut Client) -> Result<(), OpenError> {
    let failed = || OpenError::database("migrating");
    let transaction = client.transaction().await.map_err(failed())?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await
        .map_err(failed())?;
    let found = prepare(&transaction).await.map_err(failed())?;
    if found > FORMAT {
        return Err(OpenError::UnknownFormat {
            found,
            known: FORMAT,
        });
    }
    for (number, migration) in (1..).zip(MIGRATIONS) {
        if number > found {
            apply(&transaction, number, migration)
                .await
                .map_err(failed())?;
            info!(format = number, "message store migrated");
        }
    }
    transaction.commit().await.map_err(failed())
}

/// The format that the tables have; 0, with the schema that they are made in, when there are none.
async fn prepare(transaction: &Transaction<'_>) -> Result<i32, Error> {
    if let Some(found) = format(transaction).await? {
        return Ok(found);
    }
    transaction
        .batch_execute("CREATE SCHEMA IF NOT EXISTS trunkline")
        .await?;
    Ok(0)
}

/// The format that the tables have, if they are there.
pub(super) async fn format(client: &impl GenericClient) -> Result<Option<i32>, Error> {
    let exists = "SELECT to_regclass('trunkline.store') IS NOT NULL";
    if !client.query_one(exists, &[]).await?.try_get(0)? {
        return Ok(None);
    }
    let format = "SELECT format FROM trunkline.store WHERE id = 1";
    client.query_one(format, &[]).await?.try_get(0).map(Some)
}

/// The store's birth is when its first tables are made, by the database's clock.
async fn apply(transaction: &Transaction<'_>, number: i32, migration: &str) -> Result<(), Error> {
    transaction
        .batch_execute("SET LOCAL search_path = trunkline, pg_catalog")
        .await?;
    transaction.batch_execute(migration).await?;
    let remember = format!(
        "INSERT INTO store (id, format, birth) VALUES (1, $1, {CLOCK}) \
         ON CONFLICT (id) DO UPDATE SET format = excluded.format"
    );
    transaction.execute(&remember, &[&number]).await.map(drop)
}
