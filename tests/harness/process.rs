//! One process of the mesh under a test's own configuration, so that it can be killed and started again.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use super::{terminate, trunkline, wait_until};

/// A running node or edge; ends when dropped.
pub(crate) struct Process {
    child: Child,
    ready: Value,
}

impl Process {
    /// Starts `trunkline COMMAND` with a configuration and waits until it is ready.
    pub(crate) fn start(dir: &Path, command: &str, name: &str, config: &str) -> Self {
        Self::start_by(trunkline(), dir, command, name, config)
    }

    /// Starts it by a program that becomes `trunkline`, such as a tracer.
    pub(crate) fn start_by(
        mut starter: Command,
        dir: &Path,
        command: &str,
        name: &str,
        config: &str,
    ) -> Self {
        let (config_file, ready_file) = (
            dir.join(format!("{name}.toml")),
            dir.join(format!("{name}.json")),
        );
        std::fs::write(&config_file, config).expect("the directory can be written");
        let _ = std::fs::remove_file(&ready_file);
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(dir.join(format!("{name}.log")));
        let mut child = starter
            .arg(command)
            .arg("--exit-with-parent")
            .arg("--config")
            .arg(config_file)
            .arg("--ready-file")
            .arg(&ready_file)
            .stdin(Stdio::piped())
            .stderr(log.expect("the directory can be written"))
            .spawn()
            .expect("trunkline starts");
        let text = wait_until(name, || {
            assert!(
                child.try_wait().expect("the child can be asked").is_none(),
                "{name} ended at its start"
            );
            std::fs::read_to_string(&ready_file).ok()
        });
        Self {
            child,
            ready: serde_json::from_str(&text).expect("a ready file is JSON"),
        }
    }

    /// What it said when it was ready: `listen`, `admin`, `link`.
    pub(crate) fn address(&self, what: &str) -> String {
        self.ready[what]
            .as_str()
            .unwrap_or_else(|| panic!("no {what} in {}", self.ready))
            .to_owned()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it where it stands (SIGSTOP): it lives, holds its sockets and says nothing.
    pub(crate) fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on where it was stopped (SIGCONT).
    pub(crate) fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    /// Asks it to stop (SIGTERM), and says how it ended.
    pub(crate) fn stop(self) -> ExitStatus {
        self.ask_to_stop();
        self.ended()
    }

    /// Asks it to stop (SIGTERM).
    pub(crate) fn ask_to_stop(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Waits until it has ended, and says how.
    pub(crate) fn ended(mut self) -> ExitStatus {
        wait_until("the end of a process", || {
            self.child.try_wait().expect("the child can be asked")
        })
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.id().cast_signed());
        rustix::process::kill_process(pid.expect("a process"), signal).expect("it runs");
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        terminate(&mut self.child);
    }
}
