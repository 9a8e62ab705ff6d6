//! What all runs of the command share: the executable, a directory, certificates, addresses, a database server.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::postgres::Postgres;
use crate::args::LabArgs;

/// What all runs share; its directory is removed when it is dropped, but for what was kept.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) program: PathBuf,
    pub(crate) dir: PathBuf,
    /// Of everything that is started: a loopback address that other commands of this machine hardly have.
    pub(crate) ip: IpAddr,
    /// Where nodes' messages are, if not in a directory.
    pub(crate) postgres: Option<Postgres>,
}

/// What a lab is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    /// The subcommand that needs it.
    pub(crate) command: &'a str,
    pub(crate) place: &'a LabArgs,
    /// Names of nodes that get certificates.
    pub(crate) nodes: &'a [&'a str],
    /// Names of edges that get them, each in a region of its own.
    pub(crate) edges: &'a [&'a str],
    /// Whether there is a PostgreSQL server.
    pub(crate) postgres: bool,
}

impl Lab {
    /// Makes the directory and what is in it.
    ///
    /// # Errors
    /// When something is missing, or flags don't fit together.
    pub(crate) async fn new(plan: Plan<'_>) -> Result<Self> {
        let program = match &plan.place.trunkline {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("trunkline"),
        };
        ensure!(program.is_file(), "{} isn't there", program.display());
        let pid = std::process::id();
        let dir = match &plan.place.dir {
            Some(dir) => dir.clone(),
            None => std::env::temp_dir().join(format!("trunkline-{}-{pid}", plan.command)),
        };
        fs::create_dir(&dir).with_context(|| dir.display().to_string())?;
        let [.., high, low] = pid.to_be_bytes();
        let mut lab = Self {
            program: fs::canonicalize(program)?,
            dir: fs::canonicalize(dir)?,
            ip: IpAddr::from([127, 1 + high % 254, low, 1]),
            postgres: None,
        };
        lab.make_certificates(plan)?;
        if plan.postgres {
            let dir = lab.dir.join("postgres");
            lab.postgres = Some(Postgres::start(dir, lab.ip).await?);
        }
        Ok(lab)
    }

    fn make_certificates(&self, plan: Plan<'_>) -> Result<()> {
        let mut command = Command::new(&self.program);
        command
            .args(["certs", "new", "--dir"])
            .arg(self.certificates());
        for node in plan.nodes {
            command.args(["--backbone", node]);
        }
        for (number, edge) in (1..).zip(plan.edges) {
            command.args(["--edge", &format!("region-{number}/{edge}")]);
        }
        let made = command.stdout(Stdio::null()).output();
        let made = made.context("trunkline certs new")?;
        if !made.status.success() {
            bail!("certificates: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(())
    }

    /// The directory of certificates.
    pub(crate) fn certificates(&self) -> PathBuf {
        self.dir.join("certs")
    }

    /// Removes a run's directory.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn remove(&self, run: &Path) -> Result<()> {
        fs::remove_dir_all(run).with_context(|| run.display().to_string())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.postgres = None;
        for shared in ["certs", "postgres"] {
            let _ = fs::remove_dir_all(self.dir.join(shared));
        }
        // Only where no run was kept.
        let _ = fs::remove_dir(&self.dir);
    }
}
