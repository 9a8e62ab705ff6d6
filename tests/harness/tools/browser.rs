//! A browser (Debian's `chromium`) driven by npm's `playwright-core`, installed into `target/tools/demo`.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::javascript::{installed, is_node_missing};
use super::{Script, answers, is_missing};

/// Starts a script of `tests/demo`; `None` where Node.js or the browser is missing.
pub(crate) fn browse(script: &str, arguments: &[&str]) -> Option<Script> {
    let there = answers("chromium", &["--version"]);
    if is_node_missing() || is_missing("chromium", "chromium", there) {
        return None;
    }
    let mut command = Command::new("node");
    command.arg(dir().join(script)).args(arguments);
    Some(Script::start(command, None))
}

fn dir() -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| installed("tests/demo", "target/tools/demo"))
        .clone()
}
