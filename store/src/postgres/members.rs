//! Members' rows, in the first database.

use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio_postgres::Row;
use trunkline_shared::{Incarnation, Member, NodeId};
use trunkline_store_core::StoreError;
use trunkline_store_core::members::{HeartbeatError, JoinRequest, MemberRow};

use super::call::Call;
use super::error::Fault;
use super::inbox::Inbox;
use super::numbers::{from_ordered, ordered};
use super::open::start;
use super::reads::column;
use super::session::{Purpose, Session};
use super::worker::Tools;
use crate::queue::Cost;

/// The connection of heartbeats, which nothing else delays; made by the first one.
pub(super) struct Heartbeats {
    tools: Tools,
    inbox: OnceCell<Arc<Inbox<Call>>>,
}

impl std::fmt::Debug for Heartbeats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Heartbeats")
    }
}

/// Heartbeats that may wait: a node makes one at a time, and one that waits for another is late already.
const WAITING_MAX: Cost = Cost {
    bytes: usize::MAX,
    units: 8,
};

impl Heartbeats {
    pub(super) fn new(tools: Tools) -> Self {
        Self {
            tools,
            inbox: OnceCell::new(),
        }
    }

    /// Where heartbeats queue.
    pub(super) async fn inbox(&self) -> Result<&Inbox<Call>, StoreError> {
        let connect = || start(&self.tools, WAITING_MAX, Purpose::Heartbeat, 1);
        match self.inbox.get_or_try_init(connect).await {
            Ok(inbox) => Ok(inbox),
            Err(error) => Err(StoreError::Away(error.to_string())),
        }
    }
}

pub(super) async fn members(session: &Session) -> Result<Vec<MemberRow>, Fault> {
    let rows = session.query(&session.statements.members, &[]).await?;
    rows.iter().map(member_row).collect()
}

fn member_row(row: &Row) -> Result<MemberRow, Fault> {
    let name: &str = column(row, 0)?;
    let incarnation: &[u8] = column(row, 1)?;
    let address: &str = column(row, 2)?;
    let damaged = |what: &str| Fault::Data(format!("damaged {what} of a member"));
    let member = Member {
        name: NodeId::parse(name).map_err(|_| damaged("name"))?,
        incarnation: Incarnation(incarnation.try_into().map_err(|_| damaged("incarnation"))?),
        address: address.into(),
    };
    let counter = from_ordered(column(row, 3)?)?;
    Ok(MemberRow { member, counter })
}

pub(super) async fn join(
    session: &Session,
    request: &JoinRequest,
) -> Result<Result<bool, StoreError>, Fault> {
    let JoinRequest { member, expected } = request;
    let (name, address) = (member.name.as_str(), member.address.as_str());
    let life = member.incarnation.0.as_slice();
    let changed = match expected {
        None => {
            let statement = &session.statements.first_join;
            session
                .execute(statement, &[&name, &life, &address])
                .await?
        }
        Some(before) => {
            let statement = &session.statements.next_join;
            let (old, counter) = (before.incarnation.0.as_slice(), ordered(before.counter));
            session
                .execute(statement, &[&name, &life, &address, &old, &counter])
                .await?
        }
    };
    Ok(Ok(changed == 1))
}

pub(super) async fn heartbeat(
    session: &Session,
    name: &NodeId,
    incarnation: Incarnation,
) -> Result<Result<Vec<MemberRow>, HeartbeatError>, Fault> {
    let (statement, life) = (&session.statements.heartbeat, incarnation.0.as_slice());
    let rows = session.query(statement, &[&name.as_str(), &life]).await?;
    if rows.is_empty() {
        return Ok(Err(HeartbeatError::Replaced));
    }
    rows.iter()
        .map(member_row)
        .collect::<Result<_, _>>()
        .map(Ok)
}

pub(super) async fn leave(
    session: &Session,
    name: &NodeId,
    incarnation: Incarnation,
) -> Result<Result<bool, StoreError>, Fault> {
    let (statement, life) = (&session.statements.leave, incarnation.0.as_slice());
    let removed = session.execute(statement, &[&name.as_str(), &life]).await?;
    Ok(Ok(removed == 1))
}
