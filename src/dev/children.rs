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
use tokio::process::{Child, ChildStdin, Command};
use trunkline_loadtest::postgres_server::Programs;
use trunkline_process::{Ready, tell};

use super::plan::{EdgePlan, Plan, Uplink};
use super::postgres::{self, Database};
use super::spec::Spec;
use super::state::{self, Addresses};
use super::storage;

/// Time a child has to get ready; a store that must be repaired after a crash takes a while.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Time all children have to stop; what is left is killed (`names.md`: done within 2 s).
const STOP_TIMEOUT: Duration = Duration::from_millis(1800);

/// Why a process isn't started again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// There is no such process.
    #[error("there is no {0:?}, but {1}")]
    Unknown(String, String),
    /// It hasn't ended.
    #[error("{0} runs")]
    Runs(String),
    /// It doesn't start.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

/// The children, by name.
pub(crate) struct Children {
    dir: PathBuf,
    running: Vec<(String, Child)>,
    /// Kept apart: waiting for a child would close the input that keeps it running.
    inputs: BTreeMap<String, ChildStdin>,
    /// What nodes and edges are started with.
    specs: BTreeMap<String, Spec>,
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
            inputs: BTreeMap::new(),
            specs: BTreeMap::new(),
            ready: BTreeMap::new(),
            dsn: None,
        })
    }

    /// Starts a database and waits until it takes connections.
    pub(crate) async fn start_database(&mut self, programs: Programs) -> Result<()> {
        let database = Database::prepare(programs, &self.dir).await?;
        let pid = self.spawn(database.server(), postgres::NAME)?;
        let ready = async {
            database.ready(pid).await;
            Ok(())
        };
        self.wait_for(postgres::NAME, ready).await?;
        self.dsn = Some(database.dsn());
        Ok(())
    }

    /// Starts the nodes, side by side, with their messages in the database or else in a directory, and waits until all are
    /// ready; returns where their links are.
    pub(crate) async fn start_nodes(&mut self, plan: &Plan) -> Result<Vec<SocketAddr>> {
        let store = storage::section(&self.dir, self.dsn.as_deref());
        for node in plan.nodes() {
            self.start(Spec {
                command: "backbone",
                config: node.config(&self.dir, &store),
                name: node.name,
                flags: Vec::new(),
            })?;
        }
        let mut links = Vec::new();
        for node in plan.nodes() {
            self.wait_until_ready(&node.name).await?;
            let link = self.ready[&node.name].link;
            links.push(link.ok_or_else(|| anyhow!("{} told no link address", node.name))?);
        }
        Ok(links)
    }

    /// Starts the edges and waits until all are ready; `control` is where this process listens.
    pub(crate) async fn start_edges(
        &mut self,
        plan: &Plan,
        control: SocketAddr,
        uplink: impl Fn(&EdgePlan) -> Uplink,
    ) -> Result<()> {
        for edge in plan.edges() {
            let control = control.to_string();
            let flags = ["--dev-control", &control, "--dev-region", edge.region];
            self.start(Spec {
                command: "edge",
                config: edge.config(&self.dir, &uplink(&edge)),
                flags: flags.map(str::to_owned).to_vec(),
                name: edge.name,
            })?;
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

    /// Starts a node or an edge that has ended, where it was before, and waits until it is ready.
    ///
    /// # Errors
    /// When there is no such process, it runs, or it doesn't start.
    pub(crate) async fn start_again(&mut self, name: &str) -> Result<(), StartError> {
        let spec = self.specs.get(name).cloned();
        let spec = spec.ok_or_else(|| {
            let known = self.specs.keys().cloned().collect::<Vec<_>>().join(", ");
            StartError::Unknown(name.to_owned(), known)
        })?;
        if self.running.iter().any(|(running, _)| running == name) {
            return Err(StartError::Runs(name.to_owned()));
        }
        self.start(spec)?;
        self.wait_until_ready(name).await?;
        Ok(())
    }

    /// Whether all are ready.
    pub(crate) fn is_complete(&self, plan: &Plan) -> bool {
        self.ready.len() == plan.nodes().count() + plan.edges().count()
    }

    fn start(&mut self, spec: Spec) -> Result<()> {
        let Spec {
            command: part,
            name,
            config,
            flags,
        } = &spec;
        let config_file = self.dir.join("config").join(format!("{name}.toml"));
        fs::write(
            &config_file,
            toml::to_string_pretty(config).context("configuration")?,
        )?;
        let _ = fs::remove_file(self.ready_file(name));
        let mut command = Command::new(std::env::current_exe().context("own executable")?);
        command
            .arg(part)
            .arg("--config")
            .arg(&config_file)
            .arg("--ready-file")
            .arg(self.ready_file(name))
            .arg("--exit-with-parent")
            .args(flags);
        self.spawn(command, name)?;
        self.specs.insert(spec.name.clone(), spec);
        Ok(())
    }

    /// Starts a child, with its log and pid in files of its name; returns its pid.
    fn spawn(&mut self, mut command: Command, name: &str) -> Result<u32> {
        // A process that is started again goes on in its log.
        let log = fs::File::options()
            .create(true)
            .append(self.specs.contains_key(name))
            .write(true)
            .truncate(!self.specs.contains_key(name))
            .open(self.log_file(name))
            .context("log file")?;
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
        if let Some(input) = child.stdin.take() {
            self.inputs.insert(name.to_owned(), input);
        }
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
        if let Some(spec) = self.specs.get_mut(name) {
            spec.settle(&ready);
        }
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

    /// Waits until a child ends, and says so: it stays dead until it is started again. Cut short, it misses nothing.
    ///
    /// # Errors
    /// When that was the last one.
    pub(crate) async fn next_end(&mut self) -> Result<()> {
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
        if self.running.is_empty() {
            bail!("everything has ended");
        }
        Ok(())
    }

    /// Asks the edges to stop, then the nodes all at once, then the database, and kills what doesn't.
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
