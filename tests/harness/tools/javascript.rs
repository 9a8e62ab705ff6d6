//! Node.js with npm's `centrifuge`, installed into `target/tools/js`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{Script, answers, copy, is_missing, project};

/// Starts a script of `tests/sdk/js`; `None` where Node.js is missing.
pub(crate) fn node(script: &str, arguments: &[&str]) -> Option<Script> {
    node_trusting(None, script, arguments)
}

/// As [`node`], where TLS trusts an authority of ours.
pub(crate) fn node_trusting(
    authority: Option<&Path>,
    script: &str,
    arguments: &[&str],
) -> Option<Script> {
    if is_node_missing() {
        return None;
    }
    let mut command = Command::new("node");
    command.arg(dir().join(script)).args(arguments);
    Some(Script::start(command, authority))
}

/// Whether scripts must be skipped because there is nothing to run them.
pub(super) fn is_node_missing() -> bool {
    let there = answers("node", &["--version"]) && answers("npm", &["--version"]);
    is_missing("node", "nodejs npm", there)
}

fn dir() -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| installed("tests/sdk/js", "target/tools/js"))
        .clone()
}

/// The scripts of a directory beside their packages, which are installed once per lock file; paths within the project.
pub(super) fn installed(from: &str, to: &str) -> PathBuf {
    let (from, to) = (project().join(from), project().join(to));
    fs::create_dir_all(&to).expect("target can be written");
    install(&from, &to);
    copy(&from, &to, |name| name.ends_with(".mjs"));
    let shared = project().join("tests/harness/tools");
    copy(&shared, &to, |name| name.ends_with(".mjs"));
    to
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
