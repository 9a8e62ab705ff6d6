//! Foreign tools that tests drive: the SDKs that people use, and a browser, installed into `target/tools`.

pub(crate) mod browser;
pub(crate) mod javascript;
pub(crate) mod python;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

use super::{PATIENCE, project};

/// A running script that speaks JSON lines on its standard output.
pub(crate) struct Script {
    child: Child,
    lines: Receiver<Value>,
}

impl Script {
    fn start(mut command: Command, authority: Option<&Path>) -> Self {
        if let Some(authority) = authority {
            // What Node.js and what OpenSSL beneath Python look for.
            command.env("NODE_EXTRA_CA_CERTS", authority);
            command.env("SSL_CERT_FILE", authority);
        }
        let mut child = command
            // The mesh is on this machine, whatever proxy it uses for the rest.
            .env("NO_PROXY", "*")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the script starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                let _ = sender.send(value);
            }
        });
        Self { child, lines }
    }

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

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a tool can be run so.
fn answers(tool: impl AsRef<OsStr>, arguments: &[&str]) -> bool {
    let output = Command::new(tool).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

/// Whether tests that need a tool must be skipped; says so, and fails where `CI` is set.
fn is_missing(tool: &str, packages: &str, there: bool) -> bool {
    if !there {
        assert!(
            std::env::var_os("CI").is_none(),
            "{tool} is missing: apt-get install {packages}"
        );
        eprintln!("SKIPPED {tool}: apt-get install {packages}");
    }
    !there
}

fn copy(from: &Path, to: &Path, which: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(from).expect("the scripts").flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(&which) {
            fs::copy(entry.path(), to.join(name)).expect("target can be written");
        }
    }
}
