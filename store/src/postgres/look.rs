//! A look at the databases of a store without opening it: nothing is made, migrated or claimed.

use tokio::sync::watch;
use tokio_postgres::Client;
use trunkline_shared::RingView;
use trunkline_shared::limits::SLOTS;

use super::connector::Connector;
use super::error::{ConnectError, Fault, OpenError};
use super::options::{Options, Replication, ShardOptions};
use super::reads::{column, view_in, view_of};
use super::session::{Statements, VIEW};
use super::{migrate, settings};

/// A server that a store could use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Its version, as it says it.
    pub version: String,
    /// The format of the store's tables, if they are there.
    pub format: Option<i32>,
    /// Whether the store counts on commits to wait for a second server, and they don't: it warns of that.
    pub lacks_standby: bool,
}

impl Looked {
    /// The format to which a node that opens the store brings its tables.
    pub const FORMAT: i32 = migrate::FORMAT;
}

/// Looks at each database of a store, in the order of their slots; each takes the time for a connection and for an answer
/// at most.
///
/// # Errors
/// For all together when the settings make no sense; for each when a node couldn't open it.
pub async fn look(options: &Options) -> Result<Vec<Result<Looked, OpenError>>, OpenError> {
    let mut found = Vec::new();
    for shard in options.all_shards()? {
        found.push(look_at(&shard, options).await);
    }
    Ok(found)
}

/// Reads the ring view that the nodes of a store have written last; none where no node has begun to use it.
///
/// # Errors
/// When the settings make no sense, or the first database can't be reached or read.
pub async fn look_at_view(options: &Options) -> Result<Option<RingView>, OpenError> {
    let shards = options.all_shards()?;
    ask(&shards[0], options, stored_view).await
}

async fn look_at(shard: &ShardOptions, options: &Options) -> Result<Looked, OpenError> {
    let look = async |client: &Client| read(client, shard, options.replication).await;
    ask(shard, options, look).await
}

/// Asks a database on a connection of its own; takes the time for a connection and for an answer at most.
async fn ask<T>(
    shard: &ShardOptions,
    options: &Options,
    question: impl AsyncFnOnce(&Client) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    let connector = Connector::new(&shard.dsn, options, &watch::Sender::default())?;
    let (client, _driver) = connector.bare().await?;
    let limit = options.answer_timeout;
    let silent = |_| ConnectError::Silent {
        hosts: connector.hosts(),
        limit,
    };
    let found = tokio::time::timeout(limit, question(&client)).await;
    found.map_err(silent)?
}

async fn stored_view(client: &Client) -> Result<Option<RingView>, OpenError> {
    // All formats have it.
    let query = "SELECT record FROM trunkline.view WHERE id = 1";
    match format(client).await? {
        None => Ok(None),
        Some(_) => {
            let row = client.query_opt(query, &[]).await.map_err(Fault::from);
            let view = row.and_then(|row| row.as_ref().map(view_of).transpose());
            view.map_err(OpenError::database("reading the view"))
        }
    }
}

/// The format of its tables, which isn't later than ours.
async fn format(client: &Client) -> Result<Option<i32>, OpenError> {
    let format = migrate::format(client).await;
    match format.map_err(OpenError::database("reading its format"))? {
        Some(found) if found > Looked::FORMAT => Err(OpenError::UnknownFormat {
            found,
            known: Looked::FORMAT,
        }),
        format => Ok(format),
    }
}

async fn read(
    client: &Client,
    shard: &ShardOptions,
    replication: Replication,
) -> Result<Looked, OpenError> {
    let about_it = about(client).await;
    let (version, has_standby) = about_it.map_err(OpenError::database("reading settings"))?;
    let format = format(client).await?;
    match format {
        None => {
            let right = right(client).await;
            right.map_err(OpenError::database("making the schema trunkline"))?;
        }
        Some(Looked::FORMAT) => {
            check_slots(client, shard).await?;
            check_tables(client).await?;
        }
        // Which slots it has is known once a node has brought it to our format.
        Some(_) => {}
    }
    Ok(Looked {
        version,
        format,
        lacks_standby: replication == Replication::Sync && !has_standby,
    })
}

async fn about(client: &Client) -> Result<(String, bool), Fault> {
    let version = "SELECT current_setting('server_version')";
    let row = client.query_one(version, &[]).await?;
    Ok((column(&row, 0)?, settings::has_standby(client).await?))
}

/// Tables are made in a schema of their own.
async fn right(client: &Client) -> Result<(), Fault> {
    let query = "SELECT has_database_privilege(current_database(), 'CREATE') \
        OR to_regnamespace('trunkline') IS NOT NULL";
    let row = client.query_one(query, &[]).await?;
    if column(&row, 0)? {
        Ok(())
    } else {
        Err(Fault::Data("this user has no right to".to_owned()))
    }
}

/// As when a store is opened, where a database without claims takes the slots that it is given.
pub(super) async fn check_slots(client: &Client, shard: &ShardOptions) -> Result<(), OpenError> {
    let wanted = [shard.slots.start(), shard.slots.end()].map(|slot| i32::from(*slot));
    let found = claimed_slots(client).await;
    let found = found.map_err(OpenError::database("reading its slots"))?;
    match found.filter(|found| *found != wanted) {
        Some(found) => Err(OpenError::OtherSlots { found, wanted }),
        None => Ok(()),
    }
}

/// What a node finds when it prepares its statements and reads the view, and what its claims count on.
async fn check_tables(client: &Client) -> Result<(), OpenError> {
    let prepared = async {
        client
            .batch_execute("SET search_path = trunkline, pg_catalog")
            .await?;
        Statements::prepare(client).await.map(drop)
    };
    let prepared = prepared.await;
    prepared.map_err(OpenError::database("preparing its statements"))?;
    let slots = slot_rows(client).await;
    let slots = slots.map_err(OpenError::database("reading its slots"))?;
    if slots != i64::from(SLOTS) {
        let why = format!("trunkline.slot has {slots} of {SLOTS} rows");
        return Err(OpenError::database("reading its slots")(Fault::Data(why)));
    }
    let view = client.query(VIEW, &[]).await.map_err(Fault::from);
    let view = view.and_then(|rows| view_in(&rows));
    view.map(drop)
        .map_err(OpenError::database("reading the view"))
}

async fn slot_rows(client: &Client) -> Result<i64, Fault> {
    let query = "SELECT count(*) FROM slot WHERE number BETWEEN 0 AND $1";
    let row = client.query_one(query, &[&i32::from(SLOTS - 1)]).await?;
    column(&row, 0)
}

async fn claimed_slots(client: &Client) -> Result<Option<[i32; 2]>, Fault> {
    let query = "SELECT first_slot, last_slot FROM trunkline.store \
        WHERE id = 1 AND EXISTS (SELECT FROM trunkline.slot WHERE generation > 0)";
    match client.query_opt(query, &[]).await? {
        Some(row) => Ok(Some([column(&row, 0)?, column(&row, 1)?])),
        None => Ok(None),
    }
}
