//! Reads. Each is one statement, so it sees whole commits only: a head is never ahead of its messages.

use smol_str::SmolStr;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use trunkline_shared::{Channel, Offset, PublishId, RingView, Slot};
use trunkline_store_core::{
    AllFound, ChannelKey, FindRequest, Found, FoundKey, Head, RangeRequest, StoredMessage, ViewRow,
};

use super::batch::number;
use super::error::Fault;
use super::numbers::{count, from_ordered, name, ordered};
use super::session::Session;
use crate::record;

/// A column's value.
pub(super) fn column<'a, T: FromSql<'a>>(row: &'a Row, index: usize) -> Result<T, Fault> {
    row.try_get(index)
        .map_err(|error| Fault::Data(error.to_string()))
}

fn damaged(error: crate::codec::DecodeError) -> Fault {
    Fault::Data(error.to_string())
}

/// Adds to a fault which row of a channel it is about.
pub(super) fn in_row(table: &str, slot: Slot, channel: &Channel) -> impl FnOnce(Fault) -> Fault {
    let (slot, channel) = (slot.number(), channel.as_str());
    move |fault| {
        fault.of(format_args!(
            "trunkline.{table}, channel {channel}, slot {slot}"
        ))
    }
}

/// The head in two columns of a row.
pub(super) fn head(row: &Row, first: usize) -> Result<Head, Fault> {
    Ok(Head {
        offset: Offset(from_ordered(column(row, first)?)?),
        floor: Offset(from_ordered(column(row, first + 1)?)?),
    })
}

/// Which of the things asked for a row answers; SQL counts from 1.
pub(super) fn place(row: &Row, asked: usize) -> Result<usize, Fault> {
    let place: i64 = column(row, 0)?;
    let index = usize::try_from(place - 1).ok();
    index
        .filter(|index| *index < asked)
        .ok_or_else(|| Fault::Data(format!("an answer to question {place}")))
}

pub(super) async fn heads(
    session: &Session,
    channels: &[(Slot, Channel)],
) -> Result<Vec<Head>, Fault> {
    let slots: Vec<_> = channels.iter().map(|(slot, _)| number(*slot)).collect();
    let names = channels
        .iter()
        .map(|(_, channel)| channel.as_str().as_bytes());
    let names: Vec<_> = names.collect();
    let rows = session
        .query(&session.statements.heads, &[&slots, &names])
        .await?;
    let mut heads = vec![Head::default(); channels.len()];
    for row in &rows {
        let place = place(row, channels.len())?;
        let (slot, channel) = &channels[place];
        heads[place] = head(row, 1).map_err(in_row("head", *slot, channel))?;
    }
    Ok(heads)
}

pub(super) async fn range(
    session: &Session,
    request: &RangeRequest,
) -> Result<Vec<StoredMessage>, Fault> {
    let rows = session
        .query(
            &session.statements.range,
            &[
                &number(request.slot),
                &request.channel.as_str().as_bytes(),
                &ordered(request.from.0),
                &ordered(request.to.0),
                &request.descending,
                &i64::from(request.limit),
                &count(request.bytes_max),
                &ordered(request.not_before.0),
            ],
        )
        .await?;
    let messages = rows.iter().map(message);
    messages
        .collect::<Result<_, _>>()
        .map_err(in_row("message", request.slot, &request.channel))
}

fn message(row: &Row) -> Result<StoredMessage, Fault> {
    let offset = Offset(from_ordered(column(row, 0)?)?);
    record::decode_message(offset, column(row, 1)?)
        .map_err(|error| damaged(error).of(format_args!("offset {}", offset.0)))
}

pub(super) async fn find(session: &Session, request: &FindRequest) -> Result<AllFound, Fault> {
    let FindRequest {
        ids,
        keys,
        keys_not_before,
    } = request;
    let slots: Vec<_> = ids.iter().map(|(slot, _)| number(*slot)).collect();
    let edges: Vec<_> = ids.iter().map(|(_, id)| id.edge.0.as_slice()).collect();
    let counters: Vec<_> = ids.iter().map(|(_, id)| name(id.counter)).collect();
    let key_slots: Vec<_> = keys.iter().map(|key| number(key.slot)).collect();
    let channels: Vec<_> = keys
        .iter()
        .map(|key| key.channel.as_str().as_bytes())
        .collect();
    let names: Vec<_> = keys.iter().map(|key| key.key.as_bytes()).collect();
    let rows = session
        .query(
            &session.statements.find,
            &[
                &slots,
                &edges,
                &counters,
                &key_slots,
                &channels,
                &names,
                &ordered(keys_not_before.0),
            ],
        )
        .await?;
    let mut found = AllFound::default();
    for row in &rows {
        let place = place(row, ids.len() + keys.len())?;
        match ids.get(place) {
            Some((slot, id)) => found.ids.push(found_id(row, *slot, *id)?),
            None => found.keys.push(found_key(row, &keys[place - ids.len()])?),
        }
    }
    Ok(found)
}

fn found_id(row: &Row, slot: Slot, id: PublishId) -> Result<Found, Fault> {
    let channel = channel(row, 1)
        .map_err(|fault| fault.of(format_args!("trunkline.message, slot {}", slot.number())))?;
    let offset = from_ordered(column(row, 2)?).map_err(in_row("message", slot, &channel))?;
    Ok(Found {
        id,
        channel,
        offset: Offset(offset),
    })
}

fn found_key(row: &Row, key: &ChannelKey) -> Result<FoundKey, Fault> {
    let offset = from_ordered(column(row, 2)?);
    let offset = offset.map_err(in_row("idempotency_key", key.slot, &key.channel))?;
    Ok(FoundKey {
        key: key.clone(),
        offset: Offset(offset),
    })
}

fn channel(row: &Row, index: usize) -> Result<Channel, Fault> {
    let bytes: &[u8] = column(row, index)?;
    let channel = std::str::from_utf8(bytes)
        .ok()
        .and_then(|name| Channel::parse(name).ok());
    channel.ok_or_else(|| Fault::Data("damaged channel name".to_owned()))
}

pub(super) async fn have_heads(
    session: &Session,
    namespaces: &[SmolStr],
) -> Result<Vec<bool>, Fault> {
    let names: Vec<_> = namespaces.iter().map(|name| name.as_bytes()).collect();
    let statement = &session.statements.have_heads;
    let mut found = vec![false; namespaces.len()];
    for row in &session.query(statement, &[&names]).await? {
        found[place(row, namespaces.len())?] = column(row, 1)?;
    }
    Ok(found)
}

pub(super) async fn view(session: &Session) -> Result<Option<ViewRow>, Fault> {
    view_in(&session.query(&session.statements.view, &[]).await?)
}

/// The view in the rows of its table, of which there is one or none.
pub(super) fn view_in(rows: &[Row]) -> Result<Option<ViewRow>, Fault> {
    let view = rows.first().map(view_row).transpose();
    view.map_err(|fault| fault.of("trunkline.view"))
}

fn view_row(row: &Row) -> Result<ViewRow, Fault> {
    let rules: Option<&[u8]> = column(row, 1)?;
    let rules = rules.map(record::decode_rules).transpose();
    Ok(ViewRow {
        view: view_of(row)?,
        rules: rules.map_err(|error| damaged(error).of("rules"))?,
    })
}

/// The view in the first column of a row.
pub(super) fn view_of(row: &Row) -> Result<RingView, Fault> {
    record::decode_view(column(row, 0)?).map_err(damaged)
}
