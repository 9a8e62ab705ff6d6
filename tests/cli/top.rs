//! `trunkline top`.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::tool::{Ended, Tool, command, run};
use crate::harness::{Mesh, wait_until};

fn once(dir: &Path) -> Ended {
    run(&["top", "--once", "--dir", dir.to_str().expect("a path")])
}

/// The cells of a process's line, by the title's words.
fn cell<'a>(ended: &'a Ended, process: &str, title: &str) -> &'a str {
    let mut lines = ended.out.lines();
    let titles: Vec<&str> = lines.next().expect("titles").split_whitespace().collect();
    let place = titles
        .iter()
        .position(|one| *one == title)
        .expect("a title");
    let line = lines.find(|line| line.starts_with(process));
    let line = line.unwrap_or_else(|| panic!("no {process} in {ended:?}"));
    // Two blanks stand between cells; a unit stands behind one.
    let cells: Vec<&str> = line
        .split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect();
    cells[place]
}

#[test]
fn all_processes_of_a_mesh_are_shown_with_what_they_do() {
    let mesh = Mesh::start();
    let url = mesh.websocket("edge-ap-south");
    let mut publisher = Tool::start(&["pub", "chat:top", "-", "--url", &url]);
    let reader = Tool::start(&["sub", "chat:top", "--since", "0", "--url", &url]);
    publisher.write("1");
    reader.value();
    let ended = once(mesh.dir());
    ended.expect_well();
    // Four processes, one member of the ring and three links, each table with its titles, a line about the ring.
    assert_eq!(ended.out.lines().count(), 5 + 1 + 3 + 1 + 4, "{ended:?}");
    for (process, title, expected) in [
        ("edge-ap-south", "CLIENTS", "2"),
        ("edge-ap-south", "CHANNELS", "1"),
        ("edge-ap-south", "SUBS", "1"),
        ("edge-ap-south", "PUBLISH/s", "0"),
        ("edge-ap-south", "LINKS", "1"),
        ("edge-eu-west", "CLIENTS", "0"),
        ("backbone-1", "CLIENTS", "-"),
        ("backbone-1", "LINKS", "3"),
        ("backbone-1", "CHANNELS", "1"),
    ] {
        assert_eq!(cell(&ended, process, title), expected, "{process} {title}");
    }
    let tables: Vec<&str> = ended.out.split("\n\n").collect();
    assert!(
        tables[1].contains(": members 1, nobody joins or leaves\n"),
        "{ended:?}"
    );
    let member: Vec<_> = tables[1]
        .lines()
        .last()
        .expect("it")
        .split_whitespace()
        .collect();
    let expected = "backbone-1 member 4096 4096 0 0 1 held newest";
    assert_eq!(member.join(" "), expected);
    for edge in ["edge-ap-south", "edge-eu-west", "edge-us-east"] {
        assert!(tables[2].contains(&format!("\n{edge} ")), "{ended:?}");
    }
    assert!(
        cell(&ended, "edge-ap-south", "RTT").ends_with(" ms"),
        "{ended:?}"
    );
    assert!(
        cell(&ended, "backbone-1", "MEMORY").ends_with("iB"),
        "{ended:?}"
    );
}

#[test]
fn a_process_that_does_not_answer_is_down_and_the_others_are_shown() {
    let mesh = Mesh::start();
    let pid = std::fs::read_to_string(mesh.dir().join("pids/edge-us-east")).expect("a pid");
    let pid = Pid::from_raw(pid.trim().parse().expect("a number")).expect("a process");
    kill_process(pid, Signal::KILL).expect("it runs");
    let ended = once(mesh.dir());
    ended.expect_well();
    assert!(
        cell(&ended, "edge-us-east", "CLIENTS").starts_with("down: "),
        "{ended:?}"
    );
    assert_eq!(cell(&ended, "edge-eu-west", "CLIENTS"), "0");
}

#[test]
fn processes_may_be_named_and_one_must_answer() {
    let mesh = Mesh::start();
    let url = format!("http://{}", mesh.address("edge-eu-west", "admin"));
    let ended = run(&[
        "top",
        "--once",
        "--url",
        &url,
        "--url",
        "http://127.0.0.1:1",
    ]);
    ended.expect_well();
    assert_eq!(
        cell(&ended, &mesh.address("edge-eu-west", "admin"), "CLIENTS"),
        "0"
    );
    run(&["top", "--once", "--url", "http://127.0.0.1:1"]).expect(1, "no process answers");
    run(&["top", "--url", "127.0.0.1:9191"]).expect(2, "--url 127.0.0.1:9191: not like http://");
    let dir = tempfile::tempdir().expect("a directory");
    once(dir.path()).expect(2, "is `trunkline dev` running?");
}

/// A terminal of 100 columns with the tool on it.
struct Screen {
    child: Child,
    terminal: File,
    seen: String,
}

impl Screen {
    fn start(arguments: &[&str]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).expect("ours");
        unlockpt(&terminal).expect("ours");
        let name = ptsname(&terminal, Vec::new()).expect("a name");
        let size = rustix::termios::Winsize {
            ws_row: 24,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&terminal, size).expect("a terminal");
        let end = || {
            File::from(
                open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its other end"),
            )
        };
        let child = command(arguments)
            .stdin(Stdio::from(end()))
            .stdout(Stdio::from(end()))
            .stderr(Stdio::from(end()))
            .spawn()
            .expect("trunkline starts");
        Self {
            child,
            terminal: File::from(terminal),
            seen: String::new(),
        }
    }

    /// Reads on until this has been shown.
    fn expect(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        while !self.seen.contains(text) {
            // Linux gives an error where nobody has the other end any more.
            let count = self.terminal.read(&mut buffer).unwrap_or(0);
            assert!(count > 0, "{text:?} isn't shown: {:?}", self.seen);
            self.seen
                .push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    fn press(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).expect("it reads");
    }

    fn code(&mut self) -> Option<i32> {
        let status = wait_until("its end", || {
            self.child.try_wait().expect("it can be asked")
        });
        status.code()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_terminal_is_given_back_at_q_ctrl_c_and_sigterm() {
    let mesh = Mesh::start();
    let dir = mesh.dir().to_str().expect("a path").to_owned();
    for keys in ["q", "\u{3}", ""] {
        let mut screen = Screen::start(&["top", "--dir", &dir]);
        screen.expect("\u{1b}[?1049h");
        screen.expect("4 of 4 processes up");
        screen.expect("edge-ap-south");
        if keys.is_empty() {
            let pid = Pid::from_raw(screen.child.id().cast_signed()).expect("a process");
            kill_process(pid, Signal::TERM).expect("it runs");
        } else {
            screen.press(keys);
        }
        screen.expect("\u{1b}[?1049l");
        assert_eq!(screen.code(), Some(0), "{keys:?}");
    }
}
