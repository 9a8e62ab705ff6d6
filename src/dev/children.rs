//! The processes of dev mode.
//!
//! A child ends when its standard input closes, so that none outlives this process however it ends.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use futures_util::future::select_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::process::{Child, ChildStdin, Command};
use trunkline_loadtest::postgres_server::Programs;
use trunkline_process::{Ready, tell};

use super::plan::{EdgePlan, Plan, Uplink};
use super::postgres::{self, Database};
use super::state::{self, Addresses};

/// Time a child has to get ready; a store that must be repaired after a crash takes a while.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Time all children have to stop; what is left is killed (`names.md`: done within 2 s).
const STOP_TIMEOUT: Duration = Duration::from_millis(1800);

/// The children, by name.
pub(crate) struct Children {
    dir: PathBuf,
    running: Vec<(String, Child)>,
    /// Kept apart: waiting for a child would close the input that keeps it running.
    inputs: Vec<ChildStdin>,
    /// What each said when it was ready.
    pub(crate) ready: BTreeMap<String, Ready>,
    /// How others connect to the database, where there is one.
    pub(crate) dsn: Option<String>,
}

impl Children {
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))?;
        let dir = dir
            .canonicalize()
            .with_context(|| format!("{}", dir.display()))?;
        for inner in ["pids", "logs", "config", "ready"] {
            fs::create_dir_all(dir.join(inner))
                .with_context(|| format!("{}", dir.join(inner).display()))?;
        }
        Ok(Self {
            dir,
            running: Vec::new(),
            inputs: Vec::new(),
            ready: BTreeMap::new(),
            dsn: None,
        })
    }

    /// Starts a database and waits until it takes connections.
    pub(crate) async fn start_database(&mut self, programs: Programs) -> Result<Database> {
        let database = Database::prepare(programs, &self.dir).await?;
        let pid = self.spawn(database.server(), postgres::NAME)?;
        let ready = async {
            database.ready(pid).await;
            Ok(())
        };
        self.wait_for(postgres::NAME, ready).await?;
        self.dsn = Some(database.dsn());
        Ok(database)
    }

    /// Starts the node, with its messages in the database or else in a directory, and waits until it is ready; returns
    /// where its links are.
    pub(crate) async fn start_node(
        &mut self,
        plan: &Plan,
        database: Option<&Database>,
    ) -> Result<SocketAddr> {
        let node = plan.node();
        let store = database.map_or_else(
            || json!({ "path": self.dir.join("store") }),
            Database::store_section,
        );
        let config = plan.node_config(&self.dir, &store);
        self.start("backbone", node, &config, &[])?;
        self.wait_until_ready(node).await?;
        self.ready[node]
            .link
            .ok_or_else(|| anyhow!("{node} told no link address"))
    }

    /// Starts the edges and waits until all are ready; `control` is where this process listens.
    pub(crate) async fn start_edges(
        &mut self,
        plan: &Plan,
        control: SocketAddr,
        uplink: impl Fn(&EdgePlan) -> Uplink,
    ) -> Result<()> {
        for edge in plan.edges() {
            let config = edge.config(&self.dir, uplink(&edge));
            let control = control.to_string();
            let flags = ["--dev-control", &control, "--dev-region", edge.region];
            self.start("edge", &edge.name, &config, &flags)?;
        }
        for edge in plan.edges() {
            self.wait_until_ready(&edge.name).await?;
        }
        let addresses = Addresses {
            ready: &self.ready,
            control,
            dsn: self.dsn.as_deref(),
        };
        state::write(&self.dir, plan, &addresses)
    }

    /// Whether all are ready.
    pub(crate) fn is_complete(&self, plan: &Plan) -> bool {
        self.ready.len() == 1 + plan.edges().count()
    }

    fn start(
        &mut self,
        command_name: &str,
        name: &str,
        config: &Value,
        flags: &[&str],
    ) -> Result<()> {
        let config_file = self.dir.join("config").join(format!("{name}.toml"));
        fs::write(
            &config_file,
            toml::to_string_pretty(config).context("configuration")?,
        )?;
        let _ = fs::remove_file(self.ready_file(name));
        let mut command = Command::new(std::env::current_exe().context("own executable")?);
        command
            .arg(command_name)
            .arg("--config")
            .arg(&config_file)
            .arg("--ready-file")
            .arg(self.ready_file(name))
            .arg("--exit-with-parent")
            .args(flags);
        self.spawn(command, name).map(drop)
    }

    /// Starts a child, with its log and pid in files of its name; returns its pid.
    fn spawn(&mut self, mut command: Command, name: &str) -> Result<u32> {
        let log = fs::File::create(self.log_file(name)).context("log file")?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            // Ctrl-C is for this process, which then stops its children in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} can't be started"))?;
        let pid = child.id().unwrap_or_default();
        fs::write(self.dir.join("pids").join(name), format!("{pid}\n"))?;
        self.inputs.extend(child.stdin.take());
        self.running.push((name.to_owned(), child));
        Ok(pid)
    }

    fn ready_file(&self, name: &str) -> PathBuf {
        self.dir.join("ready").join(format!("{name}.json"))
    }

    fn log_file(&self, name: &str) -> PathBuf {
        self.dir.join("logs").join(format!("{name}.log"))
    }

    async fn wait_until_ready(&mut self, name: &str) -> Result<()> {
        let path = self.ready_file(name);
        let ready = self.wait_for(name, state::wait_for(&path)).await?;
        self.ready.insert(name.to_owned(), ready);
        Ok(())
    }

    /// Waits for what a child becomes, unless it ends before.
    async fn wait_for<T>(
        &mut self,
        name: &str,
        ready: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let ready = tokio::time::timeout(START_TIMEOUT, ready);
        let (_, child) = self
            .running
            .iter_mut()
            .find(|(running, _)| running == name)
            .context("not started")?;
        let ended = tokio::select! {
            ready = ready => {
                return ready.map_err(|_| anyhow!("{name} isn't ready after {START_TIMEOUT:?}"))?;
            }
            ended = child.wait() => ended?,
        };
        bail!(
            "{name} ended at its start, {ended}: {}",
            self.last_line(name)
        )
    }

    fn last_line(&self, name: &str) -> String {
        let log = fs::read_to_string(self.log_file(name)).unwrap_or_default();
        log.lines().last().unwrap_or("its log is empty").to_owned()
    }

    /// Says which children end; they stay dead. Returns when there is none left.
    pub(crate) async fn watch(&mut self) -> anyhow::Error {
        while !self.running.is_empty() {
            let waits = self
                .running
                .iter_mut()
                .map(|(_, child)| Box::pin(child.wait()));
            let (ended, place, _) = select_all(waits).await;
            let (name, _) = self.running.remove(place);
            let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            tell(format_args!(
                "{name} ended, {how}; its log is {}",
                self.log_file(&name).display()
            ));
        }
        anyhow!("everything has ended")
    }

    /// Asks the edges to stop, then the node, then the database, and kills what doesn't.
    pub(crate) async fn stop(&mut self) {
        let orderly = async {
            self.stop_those(|name| name.starts_with("edge")).await;
            self.stop_those(|name| name != postgres::NAME).await;
            self.stop_those(|_| true).await;
        };
        if tokio::time::timeout(STOP_TIMEOUT, orderly).await.is_err() {
            self.kill().await;
        }
    }

    async fn stop_those(&mut self, which: impl Fn(&str) -> bool) {
        let mut chosen: Vec<_> = self
            .running
            .iter_mut()
            .filter(|(name, _)| which(name))
            .collect();
        for (name, child) in &chosen {
            // A database that is told to terminate waits until everybody else has gone.
            let signal = if name == postgres::NAME {
                Signal::INT
            } else {
                Signal::TERM
            };
            if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
                let _ = kill_process(pid, signal);
            }
        }
        for (_, child) in &mut chosen {
            let _ = child.wait().await;
        }
    }

    /// Kills all at once.
    pub(crate) async fn kill(&mut self) {
        for (_, child) in &mut self.running {
            let _ = child.kill().await;
        }
    }
}
