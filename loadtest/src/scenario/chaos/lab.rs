//! What all runs of the command share: the executable, a directory, certificates, addresses, a database server.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::postgres::Postgres;
use crate::args::{ChaosArgs, Fault, StoreKind, word};

/// What all runs share; its directory is removed when it is dropped, but for what was kept.
#[derive(Debug)]
pub(super) struct Lab {
    pub(super) program: PathBuf,
    pub(super) dir: PathBuf,
    /// Of everything that is started: a loopback address that other commands of this machine hardly have.
    pub(super) ip: IpAddr,
    /// Where the node's messages are, if not in a directory.
    pub(super) postgres: Option<Postgres>,
}

impl Lab {
    /// Makes the directory and what is in it.
    ///
    /// # Errors
    /// When something is missing, or flags don't fit together.
    pub(super) async fn new(args: &ChaosArgs) -> Result<Self> {
        let kind = store_kind(args.fault, args.store)?;
        let program = match &args.trunkline {
            Some(path) => path.clone(),
            None => std::env::current_exe()?.with_file_name("trunkline"),
        };
        ensure!(program.is_file(), "{} isn't there", program.display());
        let pid = std::process::id();
        let dir = match &args.dir {
            Some(dir) => dir.clone(),
            None => std::env::temp_dir().join(format!("trunkline-chaos-{pid}")),
        };
        fs::create_dir(&dir).with_context(|| dir.display().to_string())?;
        let [.., high, low] = pid.to_be_bytes();
        let mut lab = Self {
            program: fs::canonicalize(program)?,
            dir: fs::canonicalize(dir)?,
            ip: IpAddr::from([127, 1 + high % 254, low, 1]),
            postgres: None,
        };
        lab.make_certificates()?;
        if kind == StoreKind::Postgres {
            let dir = lab.dir.join("postgres");
            lab.postgres = Some(Postgres::start(dir, lab.ip).await?);
        }
        Ok(lab)
    }

    fn make_certificates(&self) -> Result<()> {
        let made = Command::new(&self.program)
            .args(["certs", "new", "--dir"])
            .arg(self.certificates())
            .args(["--backbone", "backbone-1"])
            .args(["--edge", "eu-west/edge-1", "--edge", "us-east/edge-2"])
            .stdout(Stdio::null())
            .output()
            .context("trunkline certs new")?;
        if !made.status.success() {
            bail!("certificates: {}", String::from_utf8_lossy(&made.stderr));
        }
        Ok(())
    }

    /// The directory of certificates.
    pub(super) fn certificates(&self) -> PathBuf {
        self.dir.join("certs")
    }

    /// Removes a run's directory.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn remove(&self, run: &Path) -> Result<()> {
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

/// Where messages are kept: as asked for, if the fault is possible there.
fn store_kind(fault: Fault, asked: Option<StoreKind>) -> Result<StoreKind> {
    let needed = match fault {
        Fault::Postgres => Some(StoreKind::Postgres),
        Fault::DiskFull => Some(StoreKind::Embedded),
        Fault::Edge | Fault::Backbone | Fault::All | Fault::Link => None,
    };
    match (asked, needed) {
        (Some(asked), Some(needed)) if asked != needed => {
            let (fault, needed) = (word(&fault), word(&needed));
            bail!("--fault {fault} needs --store {needed}")
        }
        (asked, needed) => Ok(asked.or(needed).unwrap_or(StoreKind::Embedded)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_one_store_is_refused_for_the_other() {
        let kind = |fault, asked| store_kind(fault, asked).map_err(|error| error.to_string());
        assert_eq!(kind(Fault::Postgres, None), Ok(StoreKind::Postgres));
        assert_eq!(
            kind(Fault::Postgres, Some(StoreKind::Embedded)),
            Err("--fault postgres needs --store postgres".to_owned())
        );
        assert_eq!(
            kind(Fault::DiskFull, Some(StoreKind::Postgres)),
            Err("--fault disk-full needs --store embedded".to_owned())
        );
    }

    #[test]
    fn other_faults_are_for_both_stores_and_embedded_unless_asked() {
        for fault in [Fault::Edge, Fault::Backbone, Fault::All, Fault::Link] {
            let kind = |asked| store_kind(fault, asked).expect("it is possible");
            assert_eq!(kind(None), StoreKind::Embedded);
            assert_eq!(kind(Some(StoreKind::Postgres)), StoreKind::Postgres);
        }
    }
}
