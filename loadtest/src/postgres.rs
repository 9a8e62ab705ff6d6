//! Connections to a PostgreSQL server, and what it has counted itself.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio_postgres::{Client, NoTls};

/// A session of PostgreSQL 15 or later tells what it has counted at the latest 10 s after it fell idle.
const COUNTS_COME_AFTER: Duration = Duration::from_secs(11);

/// Scans of the tables that hold messages, whole or by index.
const SCANS: &str = "SELECT coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0)::int8 FROM pg_stat_user_tables \
    WHERE schemaname = 'trunkline' AND relname LIKE 'message%'";

/// Connects; the connection is driven by a task of this thread until the client is dropped.
///
/// # Errors
/// When the server can't be reached or refuses.
pub(crate) async fn connect(dsn: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(dsn, NoTls)
        .await
        .context("PostgreSQL")?;
    // How it ends is told to whoever asks something of the client.
    tokio::task::spawn_local(async move { drop(connection.await) });
    Ok(client)
}

/// How often tables of messages have been scanned since they were made, by the server's own count, once its sessions
/// have told it: they must be idle meanwhile.
///
/// # Errors
/// When the server doesn't answer.
pub(crate) async fn message_scans(client: &Client) -> Result<i64> {
    tokio::time::sleep(COUNTS_COME_AFTER).await;
    let row = client.query_one(SCANS, &[]).await?;
    Ok(row.try_get(0)?)
}
