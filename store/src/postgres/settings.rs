//! What a server must be set to before it is trusted; checked on each connection, as after a fail-over it is another one.

use tokio_postgres::Client;

use super::error::{ConnectError, describe};

/// The first version with `client_connection_check_interval` and `DETACH PARTITION … CONCURRENTLY`.
const OLDEST: i32 = 140_000;

const QUERY: &str = "SELECT current_setting('server_version_num')::int4, current_setting('fsync'), \
    current_setting('synchronous_commit')";

/// Refuses a server that is too old, or that acknowledges what it may lose.
pub(super) async fn check(client: &Client) -> Result<(), ConnectError> {
    let refused = |error| ConnectError::Refused(describe(&error));
    let row = client.query_one(QUERY, &[]).await.map_err(refused)?;
    let found: i32 = row.try_get(0).map_err(refused)?;
    if found < OLDEST {
        return Err(ConnectError::OldServer {
            found: found / 10_000,
            needed: OLDEST / 10_000,
        });
    }
    for (column, setting) in [(1, "fsync"), (2, "synchronous_commit")] {
        let value: String = row.try_get(column).map_err(refused)?;
        if value == "off" {
            return Err(ConnectError::Unsafe { setting, value });
        }
    }
    Ok(())
}

/// Whether a commit waits for a second server.
pub(super) async fn has_standby(client: &Client) -> Result<bool, tokio_postgres::Error> {
    let row = client
        .query_one("SELECT current_setting('synchronous_standby_names')", &[])
        .await?;
    Ok(!row.try_get::<_, String>(0)?.is_empty())
}
