//! Everything that is written but appends: claims, floors, the view.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use trunkline_shared::{Epoch, Slot, UnixMillis, ViewVersion};
use trunkline_store_core::{
    ClaimError, ClaimRequest, Claimed, FloorError, FloorRequest, Generation, Head, StoreError,
    ViewChange,
};

use super::batch::number;
use super::error::Fault;
use super::numbers::{from_name, from_ordered, name, ordered};
use super::reads::{column, head, in_row};
use super::session::Session;
use crate::record;

/// A slot's last claim.
struct SlotRow {
    generation: Generation,
    epoch: Epoch,
    view: ViewVersion,
}

/// The columns of a view's version.
struct VersionColumns(i64, i64, i64);

impl From<ViewVersion> for VersionColumns {
    fn from(version: ViewVersion) -> Self {
        Self(
            ordered(version.birth.0),
            version.timeline.into(),
            ordered(version.number),
        )
    }
}

/// Claims slots; `epochs` are drawn for those that get a new one.
pub(super) async fn claim(
    session: &Session,
    request: &ClaimRequest,
    epochs: &[Epoch],
) -> Result<Result<Vec<Claimed>, ClaimError>, Fault> {
    let slots: Vec<_> = request
        .slots
        .iter()
        .map(|(slot, _)| number(*slot))
        .collect();
    let renewed: Vec<_> = request.slots.iter().map(|(_, renewed)| *renewed).collect();
    let epochs: Vec<_> = epochs.iter().map(|epoch| name(epoch.id)).collect();
    let version = VersionColumns::from(request.view);
    let rows = session
        .query(
            &session.statements.claim,
            &[
                &slots, &renewed, &epochs, &version.0, &version.1, &version.2,
            ],
        )
        .await?;
    let rows: BTreeMap<i32, SlotRow> = rows.iter().map(slot_row).collect::<Result<_, _>>()?;
    let latest = rows.values().map(|row| row.view).max();
    if let Some(later) = latest.filter(|view| *view > request.view) {
        return Ok(Err(ClaimError::LaterView(later)));
    }
    let claimed = request.slots.iter().map(|(slot, _)| claimed(*slot, &rows));
    claimed.collect::<Result<_, _>>().map(Ok)
}

fn slot_row(row: &Row) -> Result<(i32, SlotRow), Fault> {
    let timeline = |index| {
        let number: i64 = column(row, index)?;
        u32::try_from(number).map_err(|_| Fault::Data(format!("timeline {number}")))
    };
    let slot = SlotRow {
        generation: Generation(from_ordered(column(row, 1)?)?),
        epoch: Epoch {
            timeline: timeline(2)?,
            id: from_name(column(row, 3)?),
        },
        view: ViewVersion {
            birth: UnixMillis(from_ordered(column(row, 4)?)?),
            timeline: timeline(5)?,
            number: from_ordered(column(row, 6)?)?,
        },
    };
    Ok((column(row, 0)?, slot))
}

fn claimed(slot: Slot, rows: &BTreeMap<i32, SlotRow>) -> Result<Claimed, Fault> {
    let row = rows
        .get(&number(slot))
        .ok_or_else(|| Fault::Data(format!("slot {} has no row", slot.number())))?;
    Ok(Claimed {
        slot,
        generation: row.generation,
        epoch: row.epoch,
    })
}

pub(super) async fn raise_floor(
    session: &Session,
    request: &FloorRequest,
) -> Result<Result<Head, FloorError>, Fault> {
    // A generation that no slot reaches fits none.
    let generation = i64::try_from(request.generation.0).unwrap_or(-1);
    let rows = session
        .query(
            &session.statements.raise_floor,
            &[
                &number(request.slot),
                &generation,
                &request.channel.as_str().as_bytes(),
                &ordered(request.floor.0),
            ],
        )
        .await?;
    match rows.first() {
        Some(row) => head(row, 0)
            .map_err(in_row("head", request.slot, &request.channel))
            .map(Ok),
        None => Ok(Err(FloorError::Generation)),
    }
}

pub(super) async fn change_view(
    session: &Session,
    change: &ViewChange,
) -> Result<Result<bool, StoreError>, Fault> {
    let record = record::encode_view(&change.view);
    let rules = change.rules.as_deref().map(record::encode_rules);
    let new = VersionColumns::from(change.view.version);
    let changed = match change.expected.map(VersionColumns::from) {
        None => {
            let statement = &session.statements.first_view;
            session
                .execute(statement, &[&new.0, &new.1, &new.2, &record, &rules])
                .await?
        }
        Some(old) => {
            let statement = &session.statements.next_view;
            session
                .execute(
                    statement,
                    &[
                        &new.0, &new.1, &new.2, &record, &rules, &old.0, &old.1, &old.2,
                    ],
                )
                .await?
        }
    };
    Ok(Ok(changed == 1))
}
