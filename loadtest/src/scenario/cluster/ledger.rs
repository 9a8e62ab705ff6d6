//! What the database holds, read past the mesh: messages, and which slots were claimed how often.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use tokio_postgres::Client;

use crate::payload::Numbered;
use crate::postgres::connect;
use crate::scenario::follow::{Got, Log};

const MESSAGES: &str = "SELECT channel, message_offset, record FROM trunkline.message \
    WHERE channel = ANY ($1) ORDER BY channel, message_offset";
const SLOTS: &str = "SELECT channel, slot FROM trunkline.head WHERE channel = ANY ($1)";
const GENERATIONS: &str = "SELECT number, generation FROM trunkline.slot WHERE number = ANY ($1)";

/// Reads channels, each from its first message on, as if it were what somebody got.
///
/// # Errors
/// When the database doesn't answer, or a message isn't ours.
pub(super) async fn stored(dsn: &str, channels: &[String]) -> Result<Vec<Log>> {
    let client = connect(dsn).await?;
    let names: Vec<&[u8]> = channels.iter().map(String::as_bytes).collect();
    let places: BTreeMap<&[u8], usize> = names.iter().copied().zip(0..).collect();
    let mut logs = vec![Log::default(); channels.len()];
    for row in client.query(MESSAGES, &[&names]).await? {
        let (channel, offset, record): (&[u8], i64, &[u8]) = (row.get(0), row.get(1), row.get(2));
        let message = Numbered::within(record).context("a message that isn't ours")?;
        logs[places[channel]].on_message(Got {
            number: message.number,
            offset: offset.try_into().context("a negative offset")?,
            due: message.time,
            came: message.time,
        });
    }
    Ok(logs)
}

/// The slots of channels, as far as the store knows them.
///
/// # Errors
/// When the database doesn't answer.
pub(super) async fn slots(dsn: &str, channels: &[String]) -> Result<Vec<Option<i32>>> {
    let client = connect(dsn).await?;
    let names: Vec<&[u8]> = channels.iter().map(String::as_bytes).collect();
    let rows = client.query(SLOTS, &[&names]).await?;
    let known: BTreeMap<&[u8], i32> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(names.iter().map(|name| known.get(name).copied()).collect())
}

/// How often slots have been claimed.
///
/// # Errors
/// When the database doesn't answer.
pub(super) async fn generations(client: &Client, slots: &[i32]) -> Result<BTreeMap<i32, i64>> {
    let rows = client.query(GENERATIONS, &[&slots]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
