//! When users were last seen, in the first database.

use smol_str::SmolStr;
use trunkline_shared::UnixMillis;
use trunkline_store_core::StoreError;
use trunkline_store_core::last_seen::is_remembered;

use super::error::Fault;
use super::numbers::{from_ordered, ordered};
use super::reads::{column, place};
use super::session::Session;

pub(super) async fn saw(
    session: &Session,
    users: &[(SmolStr, UnixMillis)],
) -> Result<Result<(), StoreError>, Fault> {
    let users = users.iter().filter(|(user, _)| is_remembered(user));
    let (names, times): (Vec<_>, Vec<_>) = users
        .map(|(user, at)| (user.as_bytes(), ordered(at.0)))
        .unzip();
    let statement = &session.statements.saw;
    session.execute(statement, &[&names, &times]).await?;
    Ok(Ok(()))
}

pub(super) async fn last_seen(
    session: &Session,
    users: &[SmolStr],
) -> Result<Vec<Option<UnixMillis>>, Fault> {
    let names: Vec<_> = users.iter().map(|user| user.as_bytes()).collect();
    let rows = session
        .query(&session.statements.last_seen, &[&names])
        .await?;
    let mut seen = vec![None; users.len()];
    for row in &rows {
        seen[place(row, users.len())?] = Some(UnixMillis(from_ordered(column(row, 1)?)?));
    }
    Ok(seen)
}
