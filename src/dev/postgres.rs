//! `dev --postgres temp`: a PostgreSQL server of the mesh's own, as a child, that keeps its messages instead of a directory.
//!
//! It listens on a socket in its directory only, so that it needs no port and nobody else reaches it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use trunkline_loadtest::postgres_server::{Programs, ServerUser};

/// What its log and its pid file are called, and its directory.
pub(crate) const NAME: &str = "postgres";

/// The user that connections name; it is the server's superuser.
const ROLE: &str = "trunkline";

/// How often it is looked whether the server takes connections; it begins to once, so this bounds only the wait at start.
const POLL: Duration = Duration::from_millis(20);

/// The lines of `postmaster.pid` that say whose it is and how far the server is, counted from 0.
const PID_LINE: usize = 0;
const STATUS_LINE: usize = 7;

/// A cluster, made where there is none yet.
pub(crate) struct Database {
    programs: Programs,
    /// Absolute.
    dir: PathBuf,
    user: Option<ServerUser>,
}

impl Database {
    /// Makes the cluster in `dir`, which is absolute, unless it is there from an earlier time.
    ///
    /// # Errors
    /// When it can't be made, as where the server's user doesn't reach the directory.
    pub(crate) async fn prepare(programs: Programs, dir: &Path) -> Result<Self> {
        let dir = dir.join(NAME);
        fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        let user = ServerUser::needed()?;
        if let Some(user) = &user {
            user.take_over(&dir)?;
        }
        let database = Self {
            programs,
            dir,
            user,
        };
        if !fs::exists(database.data().join("PG_VERSION"))? {
            database.make_cluster().await?;
        }
        Ok(database)
    }

    async fn make_cluster(&self) -> Result<()> {
        let user = format!("--username={ROLE}");
        // Whoever reaches the socket may connect: only the server's user and root do.
        let flags = ["--auth=trust", "--no-instructions", "--encoding=UTF8", "-D"];
        let made = self
            .command("initdb")
            .arg(user)
            .args(flags)
            .arg(self.data())
            .stdin(Stdio::null())
            .output()
            .await
            .context("setpriv or initdb can't be started")?;
        let as_whom = self.user.as_ref().map_or("", |user| user.name.as_str());
        ensure!(
            made.status.success(),
            "initdb failed{}{as_whom}: {}",
            if as_whom.is_empty() { "" } else { " as user " },
            String::from_utf8_lossy(&made.stderr).trim()
        );
        Ok(())
    }

    /// What runs the server; it stops in order, as by SIGINT, also when this process ends without a word.
    pub(crate) fn server(&self) -> Command {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data());
        let socket = format!("unix_socket_directories={}", self.dir.display());
        for setting in ["listen_addresses=", &socket] {
            command.args(["-c", setting]);
        }
        command
    }

    /// Waits until the server with this pid takes connections.
    pub(crate) async fn ready(&self, pid: u32) {
        let file = self.data().join("postmaster.pid");
        loop {
            let status = fs::read_to_string(&file).unwrap_or_default();
            if is_ready(&status, pid) {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// How others connect to it.
    pub(crate) fn dsn(&self) -> String {
        let dir = self.dir.display().to_string();
        let dir = dir.replace('\\', r"\\").replace('\'', r"\'");
        format!("host='{dir}' user={ROLE} dbname=postgres")
    }

    /// A program of the server's, as the server's user.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]);
        if let Some(user) = &self.user {
            command.args(user.flags());
        }
        command
            .arg(self.programs.path(program))
            .current_dir(&self.dir);
        command
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }
}

/// Whether what a server has written about itself is this one's, and says that it takes connections.
fn is_ready(status: &str, pid: u32) -> bool {
    let line = |number| status.lines().nth(number).unwrap_or_default().trim();
    line(PID_LINE) == pid.to_string() && line(STATUS_LINE) == "ready"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_when_it_says_so_itself() {
        let status = |pid, word| format!("{pid}\n/data\n1\n5432\n/socket\n\n  1 2\n{word}   \n");
        assert!(is_ready(&status(42, "ready"), 42));
        assert!(!is_ready(&status(42, "starting"), 42));
        assert!(
            !is_ready(&status(41, "ready"), 42),
            "another one's, which has ended"
        );
        assert!(!is_ready("", 42));
    }
}
