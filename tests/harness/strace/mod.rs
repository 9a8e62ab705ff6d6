//! What a process did to its files and sockets, as the kernel saw it: strace from its start.
//!
//! A test binary includes this directory by path, so that it isn't compiled into those that trace nothing.
#![allow(dead_code, reason = "each test binary uses its part of the tracer")]

pub(crate) mod check;
pub(crate) mod trace;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use self::trace::{Call, parse};

/// Far above what a tracer needs to write its last line.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tracer's output, of one process with all of its threads.
pub(crate) struct Strace {
    output: PathBuf,
    inject: Vec<String>,
}

impl Strace {
    /// A tracer that writes to a file; `None` where strace is missing or may not trace, which fails where `CI=true`.
    pub(crate) fn to(output: PathBuf) -> Option<Self> {
        let missing = why_missing();
        if let Some(why) = &missing {
            assert!(std::env::var_os("CI").is_none(), "strace is missing: {why}");
            eprintln!("SKIPPED strace: {why}");
        }
        missing.is_none().then_some(Self {
            output,
            inject: Vec::new(),
        })
    }

    /// Changes what the kernel does with a call, in strace's words: `fdatasync:error=EIO:when=3`.
    pub(crate) fn injecting(mut self, what: &str) -> Self {
        self.inject = vec!["-e".to_owned(), format!("inject={what}")];
        self
    }

    /// Starts a program under the tracer; the program is the child, so that it is waited for and killed as without it.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("strace");
        command
            .args(["-D", "-f", "--seccomp-bpf", "-ttt", "-T", "-y"])
            .args(["-s", "1000000"])
            .args([
                "-e",
                "trace=fdatasync,fsync,write,sendto,writev,sendmsg",
                "-o",
            ])
            .arg(&self.output)
            .args(&self.inject)
            .arg(program);
        command
    }

    /// What a process did that has ended; waits for the tracer's last line.
    ///
    /// # Panics
    /// When that line doesn't come, or a line isn't one of strace's.
    pub(crate) fn calls(&self, pid: u32) -> Vec<Call> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let lines = fs::read(&self.output).expect("strace wrote a file");
            let lines = String::from_utf8(lines).expect("strace writes ASCII");
            if has_ended(&lines, pid) {
                return parse(&lines);
            }
            assert!(Instant::now() < give_up, "strace didn't end with {pid}");
            std::thread::yield_now();
        }
    }
}

/// A process's first thread is the last one to go.
fn has_ended(lines: &str, pid: u32) -> bool {
    let last = lines.lines().next_back().unwrap_or_default();
    lines.ends_with('\n')
        && last.contains(" +++ ")
        && last.split(' ').next() == Some(&pid.to_string())
}

fn why_missing() -> Option<String> {
    let tried = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stdin(Stdio::null())
        .output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!(
            "it may not trace here: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Some("apt-get install strace".to_owned())
        }
        Err(error) => Some(error.to_string()),
    }
}
