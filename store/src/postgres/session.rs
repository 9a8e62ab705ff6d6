//! A connection with its settings and prepared statements.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};
use tokio_util::sync::CancellationToken;
use trunkline_shared::UnixMillis;

use super::error::Fault;
use super::numbers::from_ordered;
use super::reads::column;
use super::timeline;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Writes: the server never cancels a statement.
    Write,
    /// Reads: the server cancels one that takes too long.
    Read,
    /// Heartbeats: a crash of the server may take back the last ones, so none waits for its disk or a standby.
    Heartbeat,
}

/// The task that reads and writes a connection; dropping it closes the connection at once, whatever is in flight.
pub(super) struct Driver {
    task: AbortHandle,
    heard: Heard,
}

/// What a server says without being asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// The connection's end.
    pub(super) ended: CancellationToken,
    /// A warning.
    pub(super) warned: Arc<AtomicBool>,
    /// A notification that the connection listens to.
    pub(super) told: Arc<Notify>,
}

impl Driver {
    pub(super) const fn new(task: AbortHandle, heard: Heard) -> Self {
        Self { task, heard }
    }

    /// Refuses an answer after a warning, which makes it worth nothing: a cancelled wait for a standby reports success with one.
    pub(super) fn unwarned(&self) -> Result<(), Fault> {
        if self.heard.warned.load(Ordering::Acquire) {
            return Err(Fault::Lost("the server warned".to_owned()));
        }
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The statements of a store.
pub(super) struct Statements {
    pub(super) append: Statement,
    pub(super) append_keyed: Statement,
    pub(super) claim: Statement,
    pub(super) raise_floor: Statement,
    pub(super) heads: Statement,
    pub(super) range: Statement,
    pub(super) find: Statement,
    pub(super) have_heads: Statement,
    pub(super) view: Statement,
    pub(super) first_view: Statement,
    pub(super) next_view: Statement,
    pub(super) members: Statement,
    pub(super) first_join: Statement,
    pub(super) next_join: Statement,
    pub(super) heartbeat: Statement,
    pub(super) leave: Statement,
    pub(super) saw: Statement,
    pub(super) last_seen: Statement,
}

const APPEND: &str = "SELECT refused_slot, for_head \
    FROM append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

const APPEND_KEYED: &str = "SELECT refused_slot, for_head FROM append_keyed( \
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";

const CLAIM: &str = "SELECT number, generation, epoch_timeline, epoch, view_birth, view_timeline, view_number \
    FROM claim($1, $2, $3, $4, $5, $6)";

const RAISE_FLOOR: &str = "SELECT head_offset, floor FROM raise_floor($1, $2, $3, $4)";

/// One snapshot: a head that goes and the mark that it leaves are seen together. Nothing for a channel without either.
const HEADS: &str = "SELECT w.place, coalesce(h.head_offset, k.mark), coalesce(h.floor, k.mark) \
    FROM unnest($1::int4[], $2::bytea[]) WITH ORDINALITY AS w (slot, channel, place) \
    LEFT JOIN head h ON h.slot = w.slot AND h.channel = w.channel \
    LEFT JOIN slot_mark k ON k.slot = w.slot \
    WHERE h.slot IS NOT NULL OR k.slot IS NOT NULL";

const RANGE: &str = "SELECT message_offset, record FROM read_range($1, $2, $3, $4, $5, $6, $7, $8)";

/// A repeat comes within seconds of its first sending, and keys are forgotten after minutes; older partitions aren't looked
/// at. Places of keys come after those of ids.
const FIND: &str = "SELECT w.place, m.channel, m.message_offset \
    FROM unnest($1::int4[], $2::bytea[], $3::int8[]) WITH ORDINALITY AS w (slot, edge, counter, place) \
    JOIN message m ON m.slot = w.slot AND m.edge = w.edge AND m.counter = w.counter \
    WHERE m.stored >= now() - interval '10 minutes' \
    UNION ALL \
    SELECT cardinality($1) + w.place, w.channel, k.message_offset \
    FROM unnest($4::int4[], $5::bytea[], $6::bytea[]) WITH ORDINALITY AS w (slot, channel, key, place) \
    JOIN idempotency_key k ON k.slot = w.slot AND k.channel = w.channel AND k.key = w.key \
    WHERE k.stored >= now() - interval '10 minutes' AND k.sent >= $7 \
    ORDER BY 1";

/// In the order asked.
const HAVE_HEADS: &str = "SELECT w.place, has_head(w.name) \
    FROM unnest($1::bytea[]) WITH ORDINALITY AS w (name, place)";

pub(super) const VIEW: &str = "SELECT record, rules FROM view WHERE id = 1";

/// Names the notifications that tell of another view.
pub(super) const VIEW_CHANNEL: &str = "trunkline_view";

/// Who listens is told when it is committed.
const FIRST_VIEW: &str = "WITH changed AS (\
    INSERT INTO view (id, birth, timeline, number, record, rules) VALUES (1, $1, $2, $3, $4, $5) \
    ON CONFLICT DO NOTHING RETURNING id) \
    SELECT pg_notify('trunkline_view', '') FROM changed";

const NEXT_VIEW: &str = "WITH changed AS (\
    UPDATE view SET birth = $1, timeline = $2, number = $3, record = $4, \
    rules = coalesce($5, rules) WHERE id = 1 AND birth = $6 AND timeline = $7 AND number = $8 RETURNING id) \
    SELECT pg_notify('trunkline_view', '') FROM changed";

const MEMBERS: &str = "SELECT name, incarnation, address, counter FROM member ORDER BY name";

const FIRST_JOIN: &str = "INSERT INTO member (name, incarnation, address, counter) VALUES ($1, $2, $3, 0) \
    ON CONFLICT DO NOTHING";

const NEXT_JOIN: &str = "UPDATE member SET incarnation = $2, address = $3, counter = 0 \
    WHERE name = $1 AND incarnation = $4 AND counter = $5";

const HEARTBEAT: &str = "SELECT name, incarnation, address, counter FROM heartbeat($1, $2)";

const LEAVE: &str = "DELETE FROM member WHERE name = $1 AND incarnation = $2";

/// Rows are locked in the order of their names, so that two batches don't wait for each other.
const SAW: &str = "INSERT INTO last_seen AS l (user_name, seen) \
    SELECT w.user_name, max(w.seen) FROM unnest($1::bytea[], $2::int8[]) AS w (user_name, seen) \
    GROUP BY w.user_name ORDER BY w.user_name \
    ON CONFLICT (user_name) DO UPDATE SET seen = excluded.seen WHERE l.seen < excluded.seen";

const LAST_SEEN: &str = "SELECT w.place, l.seen \
    FROM unnest($1::bytea[]) WITH ORDINALITY AS w (user_name, place) \
    JOIN last_seen l ON l.user_name = w.user_name";

/// Plans go by index whatever statistics say, and are made once. An abandoned connection is noticed by its server while it
/// works or waits.
const SETTINGS: &str = "SET search_path = trunkline, pg_catalog; \
    SET default_transaction_isolation = 'read committed'; \
    SET client_connection_check_interval = '1s'; \
    SET enable_seqscan = off; \
    SET plan_cache_mode = force_generic_plan; \
    SET jit = off; \
    SET client_min_messages = warning; ";

impl Statements {
    /// Has the server read them all: one fails where a table or function isn't there.
    pub(super) async fn prepare(client: &Client) -> Result<Self, Error> {
        Ok(Self {
            append: client.prepare(APPEND).await?,
            append_keyed: client.prepare(APPEND_KEYED).await?,
            claim: client.prepare(CLAIM).await?,
            raise_floor: client.prepare(RAISE_FLOOR).await?,
            heads: client.prepare(HEADS).await?,
            range: client.prepare(RANGE).await?,
            find: client.prepare(FIND).await?,
            have_heads: client.prepare(HAVE_HEADS).await?,
            view: client.prepare(VIEW).await?,
            first_view: client.prepare(FIRST_VIEW).await?,
            next_view: client.prepare(NEXT_VIEW).await?,
            members: client.prepare(MEMBERS).await?,
            first_join: client.prepare(FIRST_JOIN).await?,
            next_join: client.prepare(NEXT_JOIN).await?,
            heartbeat: client.prepare(HEARTBEAT).await?,
            leave: client.prepare(LEAVE).await?,
            saw: client.prepare(SAW).await?,
            last_seen: client.prepare(LAST_SEEN).await?,
        })
    }
}

impl Purpose {
    const fn settings(self) -> &'static str {
        match self {
            Self::Write => "SET statement_timeout = 0; SET lock_timeout = 0",
            Self::Heartbeat => {
                "SET statement_timeout = 0; SET lock_timeout = 0; SET synchronous_commit = off"
            }
            Self::Read => "SET statement_timeout = '5s'; SET default_transaction_read_only = on",
        }
    }
}

/// A connection that is ready for our statements.
pub(super) struct Session {
    client: Client,
    driver: Driver,
    pub(super) statements: Statements,
}

impl Session {
    /// Gives a connection its settings and statements. Before one of [`Purpose::Write`] is used its server's slots have
    /// its timeline.
    pub(super) async fn prepare(
        client: Client,
        driver: Driver,
        purpose: Purpose,
        timeline: u32,
    ) -> Result<Self, Error> {
        client
            .batch_execute(&format!("{SETTINGS}{}", purpose.settings()))
            .await?;
        match purpose {
            Purpose::Write => timeline::begin(&client, timeline).await?,
            Purpose::Read | Purpose::Heartbeat => {}
        }
        let statements = Statements::prepare(&client).await?;
        Ok(Self {
            client,
            driver,
            statements,
        })
    }

    /// Runs a statement and returns its rows.
    pub(super) async fn query(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Fault> {
        let rows = self.client.query(statement, parameters).await?;
        self.driver.unwarned()?;
        Ok(rows)
    }

    /// Runs a statement and returns how many rows it changed.
    pub(super) async fn execute(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Fault> {
        let changed = self.client.execute(statement, parameters).await?;
        self.driver.unwarned()?;
        Ok(changed)
    }

    /// Asks to be told what others send to a channel of notifications.
    pub(super) async fn listen(&self, channel: &str) -> Result<(), Fault> {
        let listen = format!("LISTEN {channel}");
        Ok(self.client.batch_execute(&listen).await?)
    }

    /// When the store was created, or got new epochs last.
    pub(super) async fn birth(&self) -> Result<UnixMillis, Fault> {
        let query = "SELECT birth FROM store WHERE id = 1";
        let row = self.client.query_one(query, &[]).await?;
        Ok(UnixMillis(from_ordered(column(&row, 0)?)?))
    }

    /// Waits for a notification; those that have come since the last one was waited for are one.
    pub(super) async fn told(&self) {
        self.driver.heard.told.notified().await;
    }

    /// Waits for the end of the connection.
    pub(super) async fn ended(&self) {
        self.driver.heard.ended.cancelled().await;
    }
}

/// Gives work on a connection a time; after it the connection is as good as lost.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(Fault::Lost(format!("no answer in {limit:?}"))),
    }
}
