//! Partitions of messages and of idempotency keys by time: made ahead, dropped when all of their rows have expired, by the
//! database's clock.
//!
//! Few of them: each is a sixteenth of the longest TTL wide. Making and dropping takes no lock that an append waits for.

mod plan;

use std::ops::Range;
use std::time::Duration;

use tokio::sync::watch;
use tokio_postgres::{Client, Error};
use tracing::{info, warn};
use trunkline_shared::limits::IDEMPOTENCY_KEY_TTL;

use self::plan::Plan;
use super::error::describe;
use super::heads::HeadWalk;
use super::keeping::Keeping;
use super::migrate::LOCK;
use super::worker::Tools;
use crate::stats::Counters;

/// Time between two looks at the clock; shorter than any partition is wide.
const INTERVAL: Duration = Duration::from_secs(60);

/// Held by the node that looks after the partitions, as long as its connection lives.
const MAINTENANCE_LOCK: i64 = LOCK + 1;

/// A table that is partitioned by time.
#[derive(Clone, Copy)]
struct Parent {
    table: &'static str,
    /// How long its rows are kept; `None` for ever.
    retention: Option<Duration>,
    /// Whether those that have expired go.
    drops: bool,
}

fn parents(keeping: Keeping) -> [Parent; 2] {
    [
        Parent {
            table: "message",
            retention: keeping.retention(),
            drops: keeping.drops(),
        },
        Parent {
            table: "idempotency_key",
            retention: Some(IDEMPOTENCY_KEY_TTL),
            drops: true,
        },
    ]
}

/// Partitions, and leftovers of a crash.
const LIST: &str = "SELECT c.relname, coalesce(i.inhdetachpending, false), i.inhrelid IS NOT NULL \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid \
    WHERE n.nspname = 'trunkline' AND c.relkind = 'r' AND starts_with(c.relname::text, $1) ORDER BY c.relname";

/// Looks after the partitions and the heads until the store ends, on a connection of its own each time.
pub(super) async fn run(tools: Tools, mut keeping: watch::Receiver<Keeping>) {
    let mut heads = HeadWalk::new();
    loop {
        let kept = *keeping.borrow_and_update();
        if matches!(kept, Keeping::Said { messages: None, .. }) {
            warn!("no namespace is durable: messages that the database keeps are dropped no more");
        }
        look_after(&tools, kept, &mut heads, &mut keeping).await;
        if tools.ended.is_cancelled() {
            return;
        }
    }
}

/// As long as it is said to keep what it keeps.
async fn look_after(
    tools: &Tools,
    kept: Keeping,
    heads: &mut HeadWalk,
    keeping: &mut watch::Receiver<Keeping>,
) {
    loop {
        // When there is no connection, who appends says so.
        if let Ok((client, _driver)) = tools.connector.bare().await
            && let Err(error) = maintain(&client, kept, heads, &tools.counters).await
        {
            let error = describe(&error);
            warn!(error, "what has expired can't be removed");
        }
        tokio::select! {
            () = tools.ended.cancelled() => return,
            // Its sender ends with the store.
            Ok(()) = keeping.changed() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// Makes sure of the partitions before anything is appended. Where some are missing it waits for another node that is at it;
/// where none is, not: that node's dropping may wait for a reader for long.
pub(super) async fn make_first(client: &Client, keeping: Keeping) -> Result<(), Error> {
    let mut is_missing = false;
    for parent in parents(keeping) {
        let (_, plan) = look(client, parent).await?;
        is_missing |= !plan.make.is_empty();
    }
    if !is_missing {
        return Ok(());
    }
    client
        .execute("SELECT pg_advisory_lock($1)", &[&MAINTENANCE_LOCK])
        .await?;
    for parent in parents(keeping) {
        make_missing(client, parent).await?;
    }
    Ok(())
}

/// Makes the partitions that are needed soon, drops those that have expired, then heads that nothing holds any more; one
/// node at a time.
async fn maintain(
    client: &Client,
    keeping: Keeping,
    heads: &mut HeadWalk,
    counters: &Counters,
) -> Result<(), Error> {
    let lock = client
        .query_one("SELECT pg_try_advisory_lock($1)", &[&MAINTENANCE_LOCK])
        .await?;
    if !lock.try_get::<_, bool>(0)? {
        return Ok(());
    }
    // Dropping waits for old transactions; those of others may never end, and making goes on.
    client
        .batch_execute("SET statement_timeout = '30s'")
        .await?;
    let mut expired = Vec::new();
    for parent in parents(keeping) {
        let (tables, plan) = make_missing(client, parent).await?;
        let is_expired = |table: &Table| {
            table.is_left_over() || (parent.drops && plan.drop.contains(&table.range))
        };
        expired.extend(tables.into_iter().filter(is_expired));
    }
    for table in expired {
        drop_table(client, &table).await?;
    }
    match keeping.heads() {
        Some(kept) => heads.go_on(client, kept, counters).await,
        None => Ok(()),
    }
}

async fn make_missing(client: &Client, parent: Parent) -> Result<(Vec<Table>, Plan), Error> {
    let (tables, plan) = look(client, parent).await?;
    for partition in &plan.make {
        make(client, parent, partition).await?;
    }
    Ok((tables, plan))
}

/// The tables that are there, and what is to be done.
async fn look(client: &Client, parent: Parent) -> Result<(Vec<Table>, Plan), Error> {
    client
        .batch_execute("SET search_path = trunkline, pg_catalog")
        .await?;
    let tables = list(client, parent).await?;
    let now = client
        .query_one("SELECT extract(epoch FROM now())::int8", &[])
        .await?;
    let present: Vec<_> = tables.iter().map(|table| table.range.clone()).collect();
    let plan = Plan::new(&present, now.try_get(0)?, parent.retention);
    Ok((tables, plan))
}

/// A table of rows, from when to when (Unix seconds).
struct Table {
    parent: Parent,
    name: String,
    range: Range<i64>,
    half_detached: bool,
    attached: bool,
}

impl Table {
    /// Half dropped by a node that didn't come to the end of it.
    const fn is_left_over(&self) -> bool {
        self.half_detached || !self.attached
    }
}

async fn list(client: &Client, parent: Parent) -> Result<Vec<Table>, Error> {
    let mut tables = Vec::new();
    for row in client.query(LIST, &[&format!("{}_", parent.table)]).await? {
        let name: String = row.try_get(0)?;
        if let Some(range) = range(parent, &name) {
            tables.push(Table {
                parent,
                name,
                range,
                half_detached: row.try_get(1)?,
                attached: row.try_get(2)?,
            });
        }
    }
    Ok(tables)
}

/// Takes a table out of use step by step; a crash between two leaves what the next pass goes on with.
async fn drop_table(client: &Client, table: &Table) -> Result<(), Error> {
    let (parent, name) = (table.parent.table, &table.name);
    if table.attached {
        let how = if table.half_detached {
            "FINALIZE"
        } else {
            "CONCURRENTLY"
        };
        client
            .batch_execute(&format!(
                "ALTER TABLE {parent} DETACH PARTITION {name} {how}"
            ))
            .await?;
    }
    client.batch_execute(&format!("DROP TABLE {name}")).await?;
    info!(table = name, "partition of expired rows dropped");
    Ok(())
}

/// Made apart and then attached, which appends don't wait for.
async fn make(client: &Client, parent: Parent, partition: &Range<i64>) -> Result<(), Error> {
    let (table, parent) = (name(parent, partition), parent.table);
    let Range { start, end } = partition;
    client
        .batch_execute(&format!(
            "CREATE TABLE {table} (LIKE {parent} INCLUDING ALL); \
             ALTER TABLE {parent} ATTACH PARTITION {table} \
             FOR VALUES FROM (to_timestamp({start})) TO (to_timestamp({end}))"
        ))
        .await
}

/// A partition's table says from when to when.
fn name(parent: Parent, partition: &Range<i64>) -> String {
    format!("{}_{}_{}", parent.table, partition.start, partition.end)
}

fn range(parent: Parent, table: &str) -> Option<Range<i64>> {
    let (start, end) = table
        .strip_prefix(parent.table)?
        .strip_prefix('_')?
        .split_once('_')?;
    Some(start.parse().ok()?..end.parse().ok()?)
}
