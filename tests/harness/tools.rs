//! Foreign tools that tests drive: Node.js with the SDKs that people use, installed into `target/tools`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

use super::{PATIENCE, project};

/// A running script that speaks JSON lines on its standard output.
pub(crate) struct Node {
    child: Child,
    lines: Receiver<Value>,
}

/// Whether Node.js is there; says so where it isn't, and fails where `CI=true`.
fn has_node() -> bool {
    let found = ["node", "npm"]
        .iter()
        .all(|tool| Command::new(tool).arg("--version").output().is_ok());
    if !found {
        assert!(
            std::env::var_os("CI").is_none(),
            "Node.js is missing: apt-get install nodejs npm"
        );
        eprintln!("SKIPPED node: apt-get install nodejs npm");
    }
    found
}

/// Starts a script of `tests/sdk/js`; `None` where Node.js is missing.
pub(crate) fn node(script: &str, arguments: &[&str]) -> Option<Node> {
    let dir = has_node().then(js_dir)?;
    let mut child = Command::new("node")
        .arg(dir.join(script))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
            let _ = sender.send(value);
        }
    });
    Some(Node { child, lines })
}

impl Node {
    /// The next line that has `key`; others are passed over.
    ///
    /// # Panics
    /// When the script ends before, or says `error`.
    pub(crate) fn expect(&mut self, key: &str) -> Value {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.get("error").is_some() => panic!("script: {line}"),
                Ok(line) if line.get(key).is_some() => return line,
                Ok(_) => {}
                Err(error) => panic!(
                    "no {key:?} from the script: {error}; {:?}",
                    self.child.try_wait()
                ),
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The scripts beside their packages; installed once per lock file.
fn js_dir() -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let (from, to) = (
            project().join("tests/sdk/js"),
            project().join("target/tools/js"),
        );
        fs::create_dir_all(&to).expect("target can be written");
        install(&from, &to);
        copy(&from, &to, |name| name.ends_with(".mjs"));
        to
    })
    .clone()
}

fn install(from: &Path, to: &Path) {
    let lock = fs::read(from.join("package-lock.json")).expect("a lock file");
    let stamp = to.join("installed.lock");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return;
    }
    copy(from, to, |name| name.starts_with("package"));
    let output = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(to)
        .output();
    let output = output.expect("npm runs");
    assert!(
        output.status.success(),
        "npm ci: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::write(stamp, lock).expect("target can be written");
}

fn copy(from: &Path, to: &Path, which: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(from).expect("the scripts").flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(&which) {
            fs::copy(entry.path(), to.join(name)).expect("target can be written");
        }
    }
}
