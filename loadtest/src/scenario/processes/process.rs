//! A process of the mesh under test: started with a configuration of its own, killed, started again where it was.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tokio::time::{Instant, sleep};

/// Time within which a process must be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How often it is looked whether it is.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// What a process says when it is ready.
#[derive(Clone, Debug, Deserialize)]
struct Ready {
    listen: Option<String>,
    link: Option<String>,
    admin: Option<String>,
}

/// A running node or edge. Dropping it kills it; it also ends when this process does.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    ready: Ready,
}

/// How a process is started.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    /// The executable, or what becomes it.
    pub(crate) program: Command,
    /// Its subcommand.
    pub(crate) command: &'a str,
    /// What its files in `dir` are called.
    pub(crate) name: &'a str,
    /// Gets its configuration, its ready file and its log.
    pub(crate) dir: &'a Path,
    pub(crate) config: &'a str,
}

impl Process {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it ends instead, or takes longer than half a minute.
    pub(crate) async fn start(start: Start<'_>) -> Result<Self> {
        let file = |ending: &str| start.dir.join(format!("{}.{ending}", start.name));
        let (config, ready) = (file("toml"), file("json"));
        fs::write(&config, start.config).with_context(|| config.display().to_string())?;
        let _ = fs::remove_file(&ready);
        let log = File::options()
            .create(true)
            .append(true)
            .open(file("log"))?;
        let mut program = start.program;
        program
            .env_remove("RUST_LOG")
            .args([start.command, "--exit-with-parent", "--config"])
            .arg(config)
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log);
        let child = program.spawn().with_context(|| format!("{program:?}"))?;
        let mut process = Self {
            child,
            ready: Ready {
                listen: None,
                link: None,
                admin: None,
            },
        };
        process.ready = process.wait_for(&ready, start.name).await?;
        Ok(process)
    }

    async fn wait_for(&mut self, path: &Path, name: &str) -> Result<Ready> {
        let since = Instant::now();
        loop {
            if let Ok(text) = fs::read_to_string(path) {
                return serde_json::from_str(&text).with_context(|| path.display().to_string());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} ended at its start, {status}: see {name}.log");
            }
            if since.elapsed() > READY_WITHIN {
                bail!("{name} isn't ready after {READY_WITHIN:?}: see {name}.log");
            }
            sleep(LOOK_INTERVAL).await;
        }
    }

    /// Where an edge serves clients.
    ///
    /// # Errors
    /// When it hasn't said so.
    pub(crate) fn listen(&self) -> Result<&str> {
        self.ready.listen.as_deref().context("no listen address")
    }

    /// Where a node takes links.
    ///
    /// # Errors
    /// When it hasn't said so.
    pub(crate) fn link(&self) -> Result<&str> {
        self.ready.link.as_deref().context("no link address")
    }

    /// Where its metrics are.
    ///
    /// # Errors
    /// When it hasn't said so.
    pub(crate) fn admin(&self) -> Result<&str> {
        self.ready.admin.as_deref().context("no admin address")
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it isn't there.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Asks it to stop (SIGTERM) and waits for its end, `at_most` so long.
    ///
    /// # Errors
    /// When it takes longer.
    pub(crate) async fn stop(mut self, at_most: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if since.elapsed() > at_most {
                bail!("it hasn't stopped {at_most:?} after SIGTERM");
            }
            sleep(LOOK_INTERVAL).await;
        }
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    /// SIGKILL: it doesn't get to finish anything.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
