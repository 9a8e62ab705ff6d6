//! A browser (Debian's `chromium`) driven by npm's `playwright-core`, installed into `target/tools/demo`.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::javascript::{installed, is_node_missing};
use super::{Script, answers, is_missing};

/// Starts a script of `tests/demo`; `None` where Node.js or the browser is missing.
pub(crate) fn browse(script: &str, arguments: &[&str]) -> Option<Script> {
    let chromium = on_path("chromium").filter(|path| answers(path, &["--version"]));
    if is_node_missing() || is_missing("chromium", "chromium", chromium.is_some()) {
        return None;
    }
    let mut command = Command::new("node");
    command.arg(dir().join(script)).args(arguments);
    command.env("CHROMIUM", chromium?);
    Some(Script::start(command, None))
}

/// Where a tool is: `playwright-core` doesn't look on the path.
fn on_path(tool: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).map(|dir| dir.join(tool));
    places.find(|place| place.is_file())
}

fn dir() -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| installed("tests/demo", "target/tools/demo"))
        .clone()
}
