//! Python with PyPI's `centrifuge-python` and `cent`, installed into `target/tools/python`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{Script, answers, is_missing, project};

/// Starts a script of `tests/sdk/python`; `None` where Python or its `venv` is missing.
pub(crate) fn python(script: &str, arguments: &[&str]) -> Option<Script> {
    python_trusting(None, script, arguments)
}

/// As [`python`], where TLS trusts an authority of ours.
pub(crate) fn python_trusting(
    authority: Option<&Path>,
    script: &str,
    arguments: &[&str],
) -> Option<Script> {
    // Debian has `venv` without `python3-venv`, but not the `ensurepip` that it needs.
    let there = answers("python3", &["-c", "import venv, ensurepip"]);
    if is_missing("python3", "python3-venv", there) {
        return None;
    }
    let mut command = Command::new(interpreter());
    command
        // Lines as they come, and no cache of byte code among the sources.
        .args(["-u", "-B"])
        .arg(sources().join(script))
        .args(arguments);
    Some(Script::start(command, authority))
}

fn sources() -> PathBuf {
    project().join("tests/sdk/python")
}

/// The interpreter that has the packages; they are installed once per `requirements.txt`.
fn interpreter() -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    let dir = DIR.get_or_init(|| {
        let dir = project().join("target/tools/python");
        install(&sources().join("requirements.txt"), &dir);
        dir
    });
    dir.join("bin/python")
}

fn install(requirements: &Path, dir: &Path) {
    let wanted = fs::read(requirements).expect("the requirements");
    let stamp = dir.join("installed.txt");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return;
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(dir));
    run(Command::new(dir.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(requirements));
    fs::write(stamp, wanted).expect("target can be written");
}

fn run(command: &mut Command) {
    let output = command.output().expect("python3 runs");
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
