//! What a server must be set to before it is trusted; read on each connection, as after a fail-over it is another one.

use tokio_postgres::{Client, Error};

use super::error::ConnectError;

/// The first version with `client_connection_check_interval` and `DETACH PARTITION … CONCURRENTLY`.
const OLDEST: i32 = 140_000;

const QUERY: &str = "SELECT current_setting('server_version_num')::int4, current_setting('fsync'), \
    current_setting('synchronous_commit')";

/// What matters of a server's settings, as they are for this user and database.
pub(super) struct Settings {
    version: i32,
    fsync: String,
    synchronous_commit: String,
}

/// Reads the settings of a connection.
pub(super) async fn read(client: &Client) -> Result<Settings, Error> {
    let row = client.query_one(QUERY, &[]).await?;
    Ok(Settings {
        version: row.try_get(0)?,
        fsync: row.try_get(1)?,
        synchronous_commit: row.try_get(2)?,
    })
}

impl Settings {
    /// Refuses a server that is too old, or that acknowledges what it may lose.
    pub(super) fn check(self) -> Result<(), ConnectError> {
        if self.version < OLDEST {
            return Err(ConnectError::OldServer {
                found: self.version / 10_000,
                needed: OLDEST / 10_000,
            });
        }
        let settings = [
            ("fsync", self.fsync),
            ("synchronous_commit", self.synchronous_commit),
        ];
        match settings.into_iter().find(|(_, value)| value == "off") {
            Some((setting, value)) => Err(ConnectError::Unsafe { setting, value }),
            None => Ok(()),
        }
    }
}

/// Whether a commit waits for a second server.
pub(super) async fn has_standby(client: &Client) -> Result<bool, Error> {
    let row = client
        .query_one("SELECT current_setting('synchronous_standby_names')", &[])
        .await?;
    Ok(!row.try_get::<_, String>(0)?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(version: i32, synchronous_commit: &str) -> Settings {
        Settings {
            version,
            fsync: "on".to_owned(),
            synchronous_commit: synchronous_commit.to_owned(),
        }
    }

    #[test]
    fn an_old_server_is_refused_and_every_way_of_syncing_will_do() {
        let old = settings(130_020, "on").check();
        assert!(matches!(
            old,
            Err(ConnectError::OldServer { found: 13, .. })
        ));
        for value in ["on", "local", "remote_write", "remote_apply"] {
            assert!(settings(150_018, value).check().is_ok(), "{value}");
        }
        assert!(settings(150_018, "off").check().is_err());
    }
}
