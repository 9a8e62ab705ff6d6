//! Logs that can't be written.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};

use crate::rig::{Rig, metric};

/// `trunkline` with its log on what it is given as standard output.
fn logging_to(output: impl Into<Stdio>) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args([
            "-c",
            r#"exec "$0" "$@" 2>&1"#,
            env!("CARGO_BIN_EXE_trunkline"),
        ])
        .env("RUST_LOG", "debug")
        .stdout(output);
    shell
}

/// An edge and a node whose every line fails do their work, and count the lines.
#[track_caller]
fn serves_on(log: impl Fn() -> Stdio) {
    let rig = Rig::start_by(|| logging_to(log()));
    rig.goes_on();
    for process in [&rig.edge, &rig.node] {
        assert!(metric(process, "trunkline_log_lines_lost_total") > 0);
    }
}

#[test]
fn edge_and_node_serve_on_while_their_log_is_on_a_full_disk() {
    serves_on(|| {
        let full = File::options().write(true).open("/dev/full");
        full.expect("Linux has it").into()
    });
}

#[test]
fn edge_and_node_serve_on_after_the_reader_of_their_log_has_ended() {
    serves_on(|| {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        writer.into()
    });
}
