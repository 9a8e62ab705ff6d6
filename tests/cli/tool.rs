//! A running tool: its lines, what it says beside them, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{PATIENCE, trunkline, wait_until};

/// `trunkline` with arguments, without the environment's settings of tools.
pub(super) fn command(arguments: &[&str]) -> Command {
    let mut command = trunkline();
    for variable in [
        "TRUNKLINE_URL",
        "TRUNKLINE_TOKEN",
        "TRUNKLINE_SECRET",
        "TRUNKLINE_CONFIG",
    ] {
        command.env_remove(variable);
    }
    command.args(arguments);
    command
}

/// Runs a tool to its end.
pub(super) fn run(arguments: &[&str]) -> Ended {
    let output = command(arguments).stdin(Stdio::null()).output();
    Ended::from(output.expect("trunkline starts"))
}

/// How a tool ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) said: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("text"),
            said: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Ended {
    /// It ended with this code, and said this on standard error.
    pub(super) fn expect(&self, code: i32, said: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.said.contains(said), "{self:?}");
    }

    /// It did what it was asked, and said nothing.
    pub(super) fn expect_well(&self) {
        assert_eq!((self.code, self.said.as_str()), (Some(0), ""), "{self:?}");
    }

    /// Its lines, JSON.
    pub(super) fn values(&self) -> Vec<Value> {
        let lines = self.out.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect()
    }
}

/// A tool at work; killed when dropped.
pub(super) struct Tool {
    child: Child,
    out: Receiver<String>,
    said: Receiver<String>,
}

impl Tool {
    pub(super) fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("trunkline starts");
        let out = lines(child.stdout.take().expect("a pipe"));
        let said = lines(child.stderr.take().expect("a pipe"));
        Self { child, out, said }
    }

    /// The next line of its output, JSON.
    pub(super) fn value(&self) -> Value {
        let line = self.out.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|error| panic!("no line: {error}"));
        serde_json::from_str(&line).expect("a line is JSON")
    }

    /// What it says next on standard error that has this in it.
    pub(super) fn expect_said(&self, part: &str) -> String {
        loop {
            match self.said.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(part) => return line,
                Ok(_) => {}
                Err(error) => panic!("{part:?} is not said: {error}"),
            }
        }
    }

    /// Gives it a line of input.
    pub(super) fn write(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        writeln!(input, "{line}").expect("it reads");
    }

    /// As Ctrl-C does.
    pub(super) fn interrupt(&self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a process");
        kill_process(pid, Signal::INT).expect("it runs");
    }

    /// Ends its input and waits for its end.
    pub(super) fn code(&mut self) -> Option<i32> {
        drop(self.child.stdin.take());
        wait_until("the end of a tool", || {
            self.child.try_wait().expect("the child can be asked")
        })
        .code()
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    lines
}
