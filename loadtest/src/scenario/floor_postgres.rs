//! A bare PostgreSQL: what waits goes into one statement, which moves the heads and inserts the messages. It checks no
//! generation and no head, and its tables have no partitions; columns and indexes are those of a store.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use tokio::sync::mpsc;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::floor_store::{BATCH_MAX, Submitted, submit_until};
use super::publish::Answers;
use crate::args::PublishArgs;
use crate::postgres;

/// Connections that append, as many as a node has; a channel always uses the same one.
const WRITERS: usize = 4;

/// Tables as in `store/src/postgres/migrations`, but for partitions.
const TABLES: &str = "DROP SCHEMA IF EXISTS trunkline_floor CASCADE; CREATE SCHEMA trunkline_floor; \
    CREATE TABLE trunkline_floor.head (slot int4 NOT NULL, channel bytea NOT NULL, head_offset int8 NOT NULL, \
        floor int8 NOT NULL DEFAULT 0, PRIMARY KEY (slot, channel)) WITH (fillfactor = 50); \
    CREATE TABLE trunkline_floor.message (stored timestamptz NOT NULL DEFAULT now(), slot int4 NOT NULL, \
        message_offset int8 NOT NULL, counter int8 NOT NULL, sent int8 NOT NULL, weight int4 NOT NULL, \
        channel bytea NOT NULL, edge bytea NOT NULL, record bytea NOT NULL); \
    ALTER TABLE trunkline_floor.message ALTER COLUMN record SET STORAGE EXTERNAL; \
    CREATE INDEX ON trunkline_floor.message (slot, channel, message_offset); \
    CREATE INDEX ON trunkline_floor.message (slot, edge, counter)";

const NO_TABLES: &str = "DROP SCHEMA trunkline_floor CASCADE";

const APPEND: &str = "WITH moved AS ( \
        INSERT INTO trunkline_floor.head (slot, channel, head_offset) \
        SELECT * FROM unnest($1::int4[], $2::bytea[], $3::int8[]) \
        ON CONFLICT (slot, channel) DO UPDATE SET head_offset = excluded.head_offset) \
    INSERT INTO trunkline_floor.message (slot, channel, message_offset, edge, counter, sent, weight, record) \
    SELECT * FROM unnest($4::int4[], $5::bytea[], $6::int8[], $7::bytea[], $8::int8[], $9::int8[], $10::int4[], $11::bytea[])";

/// A message's channel, by number.
type Placed = (i32, Submitted);

/// One run.
///
/// # Errors
/// When the server can't be reached, refuses, or promises nothing.
pub(super) async fn measure(args: &PublishArgs, dsn: &str) -> Result<Answers> {
    let setup = postgres::connect(dsn).await?;
    check(&setup).await?;
    setup.batch_execute(TABLES).await?;
    let (queues, queued): (Vec<_>, Vec<_>) =
        (0..WRITERS).map(|_| mpsc::unbounded_channel()).unzip();
    let mut clients = Vec::new();
    for _ in 0..WRITERS {
        clients.push(postgres::connect(dsn).await?);
    }
    let writers = clients.into_iter().zip(queued);
    let writers = try_join_all(writers.map(|(client, queued)| write(client, queued)));
    let answers = RefCell::new(Answers::new());
    tokio::try_join!(submit(args, queues, &answers), writers)?;
    setup.batch_execute(NO_TABLES).await?;
    Ok(answers.into_inner().done())
}

/// A floor that may lose what it has committed would be too low.
async fn check(client: &Client) -> Result<()> {
    for setting in ["fsync", "synchronous_commit"] {
        let row = client
            .query_one("SELECT current_setting($1)", &[&setting])
            .await?;
        let value: String = row.try_get(0)?;
        ensure!(value != "off", "{setting} is off: it is no floor");
    }
    Ok(())
}

/// As many submitters as there are publishes in flight, shared among the channels as publishers are.
async fn submit(
    args: &PublishArgs,
    queues: Vec<mpsc::UnboundedSender<Placed>>,
    answers: &RefCell<Answers>,
) -> Result<()> {
    let end = Instant::now() + Duration::from_secs_f64(args.seconds);
    let submitters = (0..args.publishers * args.in_flight).map(|number| {
        let channel = (number / args.in_flight).checked_rem(args.channels);
        let channel = channel.unwrap_or_default();
        let queue = queues[channel % WRITERS].clone();
        let submit = move |submitted| Ok(queue.send((i32::try_from(channel)?, submitted))?);
        submit_until(end, args.bytes, submit, answers)
    });
    let submitters = submitters.collect::<Vec<_>>();
    // Whoever commits ends when nobody can submit any more.
    drop(queues);
    try_join_all(submitters).await?;
    Ok(())
}

/// Commits what waits until nobody can submit any more.
async fn write(client: Client, mut queued: mpsc::UnboundedReceiver<Placed>) -> Result<()> {
    let append = client.prepare(APPEND).await?;
    let (mut waiting, mut heads) = (Vec::new(), BTreeMap::new());
    while queued.recv_many(&mut waiting, BATCH_MAX).await > 0 {
        let (mut batch, mut waits) = (Batch::default(), Vec::new());
        for (channel, (record, done)) in waiting.drain(..) {
            let head: &mut i64 = heads.entry(channel).or_default();
            *head += 1;
            batch.add(channel, *head, record);
            waits.push(done);
        }
        let rows = batch.append(&client, &append).await.context("append")?;
        ensure!(rows == waits.len() as u64, "{rows} rows were inserted");
        for done in waits {
            // Whoever has stopped waiting needs no answer.
            let _ = done.send(());
        }
    }
    Ok(())
}

/// Rows, column by column.
#[derive(Default)]
struct Batch {
    heads: BTreeMap<i32, i64>,
    slots: Vec<i32>,
    channels: Vec<Vec<u8>>,
    offsets: Vec<i64>,
    edges: Vec<[u8; 16]>,
    weights: Vec<i32>,
    records: Vec<Vec<u8>>,
}

impl Batch {
    fn add(&mut self, channel: i32, offset: i64, record: Vec<u8>) {
        self.heads.insert(channel, offset);
        self.slots.push(channel);
        self.channels.push(name(channel));
        self.offsets.push(offset);
        self.edges.push([7; 16]);
        self.weights
            .push(i32::try_from(record.len()).unwrap_or(i32::MAX));
        self.records.push(record);
    }

    async fn append(
        &self,
        client: &Client,
        append: &tokio_postgres::Statement,
    ) -> Result<u64, tokio_postgres::Error> {
        let slots: Vec<i32> = self.heads.keys().copied().collect();
        let heads: Vec<i64> = self.heads.values().copied().collect();
        let channels: Vec<_> = self.heads.keys().map(|channel| name(*channel)).collect();
        let edges: Vec<&[u8]> = self.edges.iter().map(|edge| &edge[..]).collect();
        // Counter and time are numbers like the offset.
        let columns: [&(dyn ToSql + Sync); 11] = [
            &slots,
            &channels,
            &heads,
            &self.slots,
            &self.channels,
            &self.offsets,
            &edges,
            &self.offsets,
            &self.offsets,
            &self.weights,
            &self.records,
        ];
        client.execute(append, &columns).await
    }
}

/// As long as the name of the channel that is published into.
fn name(channel: i32) -> Vec<u8> {
    format!("chat:loadtest-{channel}").into_bytes()
}
