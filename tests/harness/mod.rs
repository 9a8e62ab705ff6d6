//! A mesh of real processes for tests: started, asked, cut, killed.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses its part of the harness"
)]

pub(crate) mod again;
pub(crate) mod papers;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod raw_socket;
pub(crate) mod tools;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before a test gives up: far above what it takes, so that only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An address of this test's own, so that tests share no ports: 127.0.N.1.
pub(crate) fn own_ip() -> IpAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let process = u8::try_from(std::process::id() % 200).expect("below 200");
    IpAddr::from([127, 1 + process, NEXT.fetch_add(1, Ordering::Relaxed), 1])
}

/// `trunkline dev` with everything under it; ends when dropped.
pub(crate) struct Mesh {
    child: Child,
    dir: tempfile::TempDir,
    addresses: BTreeMap<String, Value>,
}

impl Mesh {
    /// Starts a node and three edges and waits until they are ready.
    pub(crate) fn start() -> Self {
        Self::start_with(&["--wan", "none"])
    }

    /// As [`Self::start`], with flags of `trunkline dev`; without `--wan none` regions are far from the backbone.
    pub(crate) fn start_with(flags: &[&str]) -> Self {
        Self::start_by(trunkline(), flags)
    }

    /// As [`Self::start_with`], by a command that sets variables of the environment: all of the mesh's processes read them.
    pub(crate) fn start_by(mut command: Command, flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        // A database in it runs as another user where the test is root.
        let passable = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(dir.path(), passable).expect("it is ours");
        let child = command
            .args([
                "dev",
                "--base-port",
                "0",
                "--ip",
                &own_ip().to_string(),
                "--dir",
            ])
            .arg(dir.path())
            .args(flags)
            .spawn()
            .expect("trunkline starts");
        let mut mesh = Self {
            child,
            dir,
            addresses: BTreeMap::new(),
        };
        let text = mesh.wait_for_file("dev.json");
        mesh.addresses = serde_json::from_str(&text).expect("dev.json is JSON");
        mesh
    }

    /// As [`Self::start`], with the messages in a database of its own; `None` where PostgreSQL is missing, which fails where
    /// `CI=true`.
    pub(crate) fn start_on_postgres() -> Option<Self> {
        Self::start_on_postgres_with(&[])
    }

    /// As [`Self::start_on_postgres`], with more flags.
    pub(crate) fn start_on_postgres_with(flags: &[&str]) -> Option<Self> {
        postgres::binaries_or_skip()?;
        Some(Self::start_with(
            &[&["--wan", "none", "--postgres"], flags].concat(),
        ))
    }

    /// Runs a statement on that database; returns its rows, columns apart by `|`.
    pub(crate) fn sql(&self, statement: &str) -> String {
        let binaries = postgres::binaries_or_skip().expect("the mesh runs on it");
        postgres::sql(&binaries, &self.address("postgres", "dsn"), statement)
    }

    fn wait_for_file(&mut self, name: &str) -> String {
        let path = self.dir.path().join(name);
        wait_until(name, || {
            if let Some(status) = self.child.try_wait().expect("the child can be asked") {
                panic!("trunkline dev ended, {status}");
            }
            std::fs::read_to_string(&path).ok()
        })
    }

    /// What a process said when it was ready: `listen`, `admin`, `link`.
    pub(crate) fn address(&self, name: &str, what: &str) -> String {
        self.addresses[name][what]
            .as_str()
            .unwrap_or_else(|| panic!("{name} has no {what}"))
            .to_owned()
    }

    pub(crate) fn websocket(&self, edge: &str) -> String {
        let scheme = if self.addresses[edge]["tls"] == true {
            "wss"
        } else {
            "ws"
        };
        let listen = self.address(edge, "listen");
        format!("{scheme}://{listen}/connection/websocket")
    }

    /// Calls the server API of an edge.
    pub(crate) fn api(&self, edge: &str, method: &str, body: &Value) -> Value {
        api(&self.address(edge, "listen"), method, body)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        terminate(&mut self.child);
    }
}

/// The executable under test, without the environment's variables that it would read.
pub(crate) fn trunkline() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trunkline"));
    command.env_remove("RUST_LOG").stdin(Stdio::piped());
    command
}

/// Calls the server API with dev mode's key.
pub(crate) fn api(listen: &str, method: &str, body: &Value) -> Value {
    let url = format!("http://{listen}/api/{method}");
    let mut response = ureq::post(&url)
        .header("X-API-Key", "dev")
        .send_json(body)
        .expect("the API answers");
    response.body_mut().read_json().expect("the answer is JSON")
}

/// Asks `probe` until it has something, without a bound on its pace but its own.
pub(crate) fn wait_until<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        if let Some(found) = probe() {
            return found;
        }
        std::thread::yield_now();
    }
    panic!("{what} didn't come within {PATIENCE:?}");
}

/// Asks a process to stop and waits; kills it when it doesn't.
pub(crate) fn terminate(child: &mut Child) {
    if let Some(pid) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    let give_up = Instant::now() + Duration::from_secs(5);
    while Instant::now() < give_up {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::yield_now();
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The project's directory.
pub(crate) fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
