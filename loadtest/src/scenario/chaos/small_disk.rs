//! A small disk that can be filled up: a tmpfs in a mount namespace, which nobody else sees.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Room on the disk: some times what a run writes, so that the store can also make a copy of its journal there.
const SIZE: &str = "128m";

/// Mounts the disk and holds the namespace until standard input ends; with the last of its processes the disk is gone.
const SCRIPT: &str = r#"mount -t tmpfs -o "size=$1" chaos "$2" && echo mounted && read -r word"#;

/// Bytes that are written at once to fill it up; the last ones are smaller.
const BLOCK: usize = 1 << 20;

/// The disk; ends with this process.
#[derive(Debug)]
pub(super) struct SmallDisk {
    holder: Child,
    /// Its mount point in the namespace.
    mounted: PathBuf,
}

impl SmallDisk {
    /// Whether this process may make a mount namespace.
    pub(super) fn can_be_mounted() -> bool {
        let tried = Command::new("unshare")
            .args(["--mount", "true"])
            .stderr(Stdio::null())
            .status();
        tried.is_ok_and(|status| status.success())
    }

    /// Mounts an empty disk at an existing directory; needs root.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn mount(at: PathBuf) -> Result<Self> {
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", SCRIPT, "sh", SIZE])
            .arg(&at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("unshare")?;
        let output = holder.stdout.take().context("piped")?;
        let disk = Self {
            holder,
            mounted: at,
        };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        ensure!(line == "mounted\n", "no tmpfs can be mounted: {line:?}");
        Ok(disk)
    }

    /// What starts a program where the disk is seen, as the same process.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()))
            .arg(program);
        command
    }

    /// Where the disk is for programs in its namespace.
    pub(super) fn path(&self) -> &Path {
        &self.mounted
    }

    /// The file that fills the disk up, as seen from outside of the namespace.
    fn filler(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        let inside = self.mounted.strip_prefix("/").unwrap_or(&self.mounted);
        root.join(inside).join("filler")
    }

    /// Takes all the room that is left, beside whatever else this thread does.
    ///
    /// # Errors
    /// When something else than room is missing.
    pub(super) async fn fill(&self) -> Result<()> {
        let filler = self.filler();
        let filled = tokio::task::spawn_blocking(move || fill(&filler)).await?;
        filled.context("a file on the small disk")
    }

    /// Gives the room free.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn empty(&self) -> Result<()> {
        fs::remove_file(self.filler()).context("a file on the small disk")
    }
}

fn fill(path: &Path) -> io::Result<()> {
    let mut filler = File::create(path)?;
    let (block, mut size) = (vec![b'x'; BLOCK], BLOCK);
    while size > 0 {
        match filler.write_all(&block[..size]) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::StorageFull => size /= 2,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
