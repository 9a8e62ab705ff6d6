//! A directory with certificates, and processes in it that needn't become ready.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::harness::papers::make_certificates;
use crate::harness::{own_ip, terminate, trunkline, wait_until};

/// Where a case is played.
pub(crate) struct Stage {
    dir: tempfile::TempDir,
    pub(crate) ip: IpAddr,
}

impl Stage {
    /// Makes a directory with the certificates of `backbone-1` and `edge-1`.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        make_certificates(
            &dir.path().join("certs"),
            &["backbone-1"],
            &["eu-west/edge-1"],
        );
        let ip = own_ip();
        Self { dir, ip }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("the directory can be written");
    }

    /// The section `[link]` of who has `NAME.pem` in `certs`, and a log of text.
    pub(crate) fn link(name: &str) -> String {
        format!(
            "[log]\nformat = \"text\"\n[link]\nca_file = \"certs/ca.pem\"\n\
             certificate_file = \"certs/{name}.pem\"\nkey_file = \"certs/{name}.key\"\n"
        )
    }

    /// What the binary writes until it ends, which it does by itself and not well.
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let output = trunkline()
            .args(arguments)
            .current_dir(self.path())
            .output()
            .expect("trunkline starts");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{arguments:?}: {text}");
        text
    }

    /// Starts a process under a configuration.
    pub(crate) fn start(&self, command: &str, name: &str, config: &str) -> Running {
        self.write(&format!("{name}.toml"), config);
        let log = self.path().join(format!("{name}.log"));
        let child = trunkline()
            .args([command, "--exit-with-parent", "--config"])
            .arg(format!("{name}.toml"))
            .arg("--ready-file")
            .arg(format!("{name}.json"))
            .current_dir(self.path())
            .stderr(fs::File::create(&log).expect("the directory can be written"))
            .stdout(Stdio::null())
            .spawn()
            .expect("trunkline starts");
        let ready = self.path().join(format!("{name}.json"));
        Running { child, log, ready }
    }
}

/// A process; ends when dropped.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
    ready: PathBuf,
}

impl Running {
    /// Waits until it is ready; what it said of itself then: `listen`, `admin`, `link`.
    pub(crate) fn address(&self, what: &str) -> String {
        let text = wait_until("a ready file", || fs::read_to_string(&self.ready).ok());
        let ready: serde_json::Value = serde_json::from_str(&text).expect("a ready file is JSON");
        ready[what].as_str().expect("an address").to_owned()
    }

    /// Waits until its log has a text.
    pub(crate) fn says(&self, text: &str) {
        wait_until(text, || self.log().contains(text).then_some(()));
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        terminate(&mut self.child);
    }
}
