//! A PostgreSQL server of the command's own, which can be stopped as a crash does.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::time::{Instant, sleep};

use crate::postgres_server::{Programs, ServerUser};

/// Runs the server until its standard input ends, then shuts it down immediately: it finishes nothing, connections are cut,
/// and its next start recovers from its log.
const SCRIPT: &str =
    r#""$@" </dev/null & server=$!; read -r word; kill -QUIT $server; wait $server"#;

/// Time within which a server must take connections; after a crash it recovers first.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How often it is asked whether it does.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// A server on an address of its own; ends with this process.
#[derive(Debug)]
pub(crate) struct Postgres {
    programs: Programs,
    user: Option<ServerUser>,
    dir: PathBuf,
    ip: IpAddr,
    port: u16,
    /// The shell around the server.
    running: Option<Child>,
}

impl Postgres {
    /// Whether its programs are on this machine.
    pub(crate) fn is_installed() -> bool {
        Programs::find().is_ok()
    }

    /// Makes a cluster in a new directory and starts it.
    ///
    /// # Errors
    /// When PostgreSQL is missing, or refuses.
    pub(crate) async fn start(dir: PathBuf, ip: IpAddr) -> Result<Self> {
        let programs = Programs::find()?;
        fs::create_dir(&dir).with_context(|| dir.display().to_string())?;
        let user = ServerUser::needed()?;
        if let Some(user) = &user {
            user.take_over(&dir)?;
        }
        let port = TcpListener::bind((ip, 0))?.local_addr()?.port();
        let mut server = Self {
            programs,
            user,
            dir,
            ip,
            port,
            running: None,
        };
        let data = server.data();
        let flags = [
            "--username=trunkline",
            "--auth=trust",
            "--no-instructions",
            "-D",
        ];
        server.call("initdb", |command| command.args(flags).arg(data))?;
        server.run().await?;
        Ok(server)
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Starts it, or starts it again, on the same data and address, and waits until it takes connections.
    ///
    /// # Errors
    /// When it doesn't.
    pub(crate) async fn run(&mut self) -> Result<()> {
        let mut words = self.as_user();
        words.push(self.programs.path("postgres").into());
        let settings = [
            format!("listen_addresses={}", self.ip),
            format!("port={}", self.port),
            "unix_socket_directories=".to_owned(),
        ];
        let log_path = self.dir.join("log");
        let log = File::options().create(true).append(true).open(log_path)?;
        let child = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .args(words)
            .arg("-D")
            .arg(self.data())
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .current_dir(&self.dir)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.running = Some(child);
        let since = Instant::now();
        while self.call("pg_isready", |command| command).is_err() {
            ensure!(
                since.elapsed() < READY_WITHIN,
                "PostgreSQL isn't ready after {READY_WITHIN:?}: see {}/log",
                self.dir.display()
            );
            sleep(LOOK_INTERVAL).await;
        }
        Ok(())
    }

    /// Shuts it down immediately.
    pub(crate) fn crash(&mut self) {
        if let Some(mut shell) = self.running.take() {
            drop(shell.stdin.take());
            let _ = shell.wait();
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        (self.ip, self.port).into()
    }

    /// Makes a database; returns its connection string.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) fn database(&self, name: &str) -> Result<String> {
        self.call("createdb", |command| command.arg(name))?;
        Ok(Self::dsn(self.address(), name))
    }

    /// Puts an empty database in the place of one, whose connections are cut.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) fn replace(&self, name: &str) -> Result<()> {
        self.call("dropdb", |command| command.args(["--force", name]))?;
        self.call("createdb", |command| command.arg(name))
    }

    /// The connection string of a database, reached at an address.
    pub(crate) fn dsn(at: SocketAddr, database: &str) -> String {
        let (ip, port) = (at.ip(), at.port());
        format!("host={ip} port={port} user=trunkline dbname={database}")
    }

    fn call(&self, program: &str, with: impl FnOnce(&mut Command) -> &mut Command) -> Result<()> {
        let mut words = self.as_user();
        words.push(self.programs.path(program).into());
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .current_dir(&self.dir)
            .env("PGHOST", self.ip.to_string())
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", "trunkline");
        let output = with(&mut command).output().context(program.to_owned())?;
        if !output.status.success() {
            bail!("{program}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// What runs a program as the server's user; never empty.
    fn as_user(&self) -> Vec<OsString> {
        let Some(user) = &self.user else {
            return vec!["env".into()];
        };
        let flags = user.flags().into_iter().map(OsString::from);
        std::iter::once("setpriv".into()).chain(flags).collect()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.crash();
    }
}
