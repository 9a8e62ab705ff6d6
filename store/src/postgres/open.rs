//! Opens a store: checks the servers, makes or migrates the tables, makes the connections.

use std::ops::RangeInclusive;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use trunkline_shared::Slot;

use super::connector::Connector;
use super::error::{Fault, OpenError};
use super::inbox::Inbox;
use super::keeping::Keeping;
use super::members::Heartbeats;
use super::options::{Options, Replication, ShardOptions};
use super::renewal::Renewals;
use super::server::Server;
use super::session::Purpose;
use super::split::Ranges;
use super::worker::{Tools, Work, spawn};
use super::{PostgresStore, migrate, partitions, reads, settings};
use crate::queue::Cost;
use crate::stats::Counters;

pub(super) async fn open(options: &Options) -> Result<PostgresStore, OpenError> {
    let shards = options.all_shards()?;
    let counters = Arc::new(Counters::default());
    let renewals = watch::Sender::default();
    let keeping = watch::Sender::new(Keeping::at_first(options));
    let mut servers = Vec::new();
    for shard in &shards {
        let kept = keeping.subscribe();
        servers.push(open_server(shard, options, &counters, &renewals, kept).await?);
    }
    let last_slots = shards
        .iter()
        .filter_map(|shard| Slot::new(*shard.slots.end()));
    Ok(PostgresStore {
        servers,
        ranges: Ranges::new(last_slots.collect()),
        counters,
        renewals,
        keeping,
    })
}

async fn open_server(
    shard: &ShardOptions,
    options: &Options,
    counters: &Arc<Counters>,
    renewals: &watch::Sender<Renewals>,
    keeping: watch::Receiver<Keeping>,
) -> Result<Server, OpenError> {
    let tools = Tools {
        connector: Arc::new(Connector::new(&shard.dsn, options, renewals)?),
        counters: Arc::clone(counters),
        answer_timeout: options.answer_timeout,
        ended: CancellationToken::new(),
    };
    // Ends what was started when a later step fails.
    let end_on_failure = tools.ended.clone().drop_guard();
    prepare_tables(&tools, options, &shard.slots).await?;
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
    let server = Server {
        timelines: Arc::clone(&tools.connector.timelines),
        view_changes: tools.connector.view_changes.clone(),
        birth: Arc::clone(&tools.connector.birth),
        appends,
        writes: start(&tools, calls_limit, Purpose::Write, 1).await?,
        reads: start(&tools, calls_limit, Purpose::Read, options.readers.max(1)).await?,
        heartbeats: Heartbeats::new(tools.clone()),
        counters: Arc::clone(counters),
        ended: end_on_failure.disarm(),
    };
    drop(tokio::spawn(partitions::run(tools, keeping)));
    Ok(server)
}

/// Makes an inbox and the connections that work on it.
pub(super) async fn start<W: Work>(
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

/// Brings the tables to this program's format, with partitions for what will come.
async fn prepare_tables(
    tools: &Tools,
    options: &Options,
    slots: &RangeInclusive<u16>,
) -> Result<(), OpenError> {
    let (mut client, _driver) = tools.connector.bare().await?;
    let has_standby = settings::has_standby(&client).await;
    let has_standby = has_standby.map_err(OpenError::database("reading settings"))?;
    if options.replication == Replication::Sync && !has_standby {
        warn!(
            "synchronous_standby_names is empty: the loss of the PostgreSQL server loses messages"
        );
    }
    migrate::migrate(&mut client).await?;
    check_slots(&client, slots).await?;
    partitions::make_first(&client, Keeping::at_first(options))
        .await
        .map_err(OpenError::database("making partitions"))
}

/// A database keeps the slots that it had when the first was claimed: messages of others would be lost to sight.
async fn check_slots(client: &Client, slots: &RangeInclusive<u16>) -> Result<(), OpenError> {
    let wanted = [slots.start(), slots.end()].map(|slot| i32::from(*slot));
    let found = slots_of(client, wanted).await;
    let found = found.map_err(OpenError::database("reading its slots"))?;
    if found == wanted {
        Ok(())
    } else {
        Err(OpenError::OtherSlots { found, wanted })
    }
}

async fn slots_of(client: &Client, wanted: [i32; 2]) -> Result<[i32; 2], Fault> {
    let [first, last] = wanted;
    let take = "UPDATE trunkline.store SET first_slot = $1, last_slot = $2 \
        WHERE NOT EXISTS (SELECT FROM trunkline.slot WHERE generation > 0)";
    client.execute(take, &[&first, &last]).await?;
    let read = "SELECT first_slot, last_slot FROM trunkline.store WHERE id = 1";
    let row = client.query_one(read, &[]).await?;
    Ok([reads::column(&row, 0)?, reads::column(&row, 1)?])
}
