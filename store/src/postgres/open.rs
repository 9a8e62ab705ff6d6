//! Opens a store: checks the server, makes or migrates the tables, makes the connections.

use std::sync::Arc;

use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use trunkline_shared::UnixMillis;

use super::connector::Connector;
use super::error::{Fault, OpenError};
use super::inbox::Inbox;
use super::numbers::from_ordered;
use super::options::Options;
use super::session::Purpose;
use super::worker::{Tools, Work, spawn};
use super::{PostgresStore, migrate, partitions, reads, settings};
use crate::queue::Cost;
use crate::stats::Counters;

pub(super) async fn open(options: &Options) -> Result<PostgresStore, OpenError> {
    let tools = Tools {
        connector: Arc::new(Connector::new(options)?),
        counters: Arc::new(Counters::default()),
        answer_timeout: options.answer_timeout,
        ended: CancellationToken::new(),
    };
    // Ends what was started when a later step fails.
    let end_on_failure = tools.ended.clone().drop_guard();
    let birth = prepare_tables(&tools, options).await?;
    let writers = options.writers.max(1);
    let appends_limit = Cost {
        bytes: options.writes_bytes_max / writers,
        units: usize::MAX,
    };
    let calls_limit = Cost {
        bytes: usize::MAX,
        units: options.reads_max,
    };
    let mut appends = Vec::new();
    for _ in 0..writers {
        appends.push(start(&tools, appends_limit, Purpose::Write, 1).await?);
    }
    let store = PostgresStore {
        birth,
        appends,
        writes: start(&tools, calls_limit, Purpose::Write, 1).await?,
        reads: start(&tools, calls_limit, Purpose::Read, options.readers.max(1)).await?,
        counters: Arc::clone(&tools.counters),
        ended: end_on_failure.disarm(),
    };
    drop(tokio::spawn(partitions::run(tools, options.retention)));
    Ok(store)
}

/// Makes an inbox and the connections that work on it.
async fn start<W: Work>(
    tools: &Tools,
    limit: Cost,
    purpose: Purpose,
    connections: usize,
) -> Result<Arc<Inbox<W>>, OpenError> {
    let inbox = Arc::new(Inbox::new(limit, tools.ended.clone()));
    for _ in 0..connections {
        let session = tools.connector.session(purpose).await?;
        spawn(&inbox, session, purpose, tools);
    }
    Ok(inbox)
}

/// Brings the tables to this program's format, with partitions for what will come; returns the store's birth.
async fn prepare_tables(tools: &Tools, options: &Options) -> Result<UnixMillis, OpenError> {
    let (mut client, _driver) = tools.connector.bare().await?;
    let has_standby = settings::has_standby(&client).await;
    if !has_standby.map_err(OpenError::database("reading settings"))? {
        warn!(
            "synchronous_standby_names is empty: the loss of the PostgreSQL server loses messages"
        );
    }
    migrate::migrate(&mut client).await?;
    partitions::make_first(&client, options.retention)
        .await
        .map_err(OpenError::database("making partitions"))?;
    birth(&client)
        .await
        .map_err(OpenError::database("reading its birth"))
}

async fn birth(client: &Client) -> Result<UnixMillis, Fault> {
    let row = client
        .query_one("SELECT birth FROM trunkline.store WHERE id = 1", &[])
        .await?;
    Ok(UnixMillis(from_ordered(reads::column(&row, 0)?)?))
}
