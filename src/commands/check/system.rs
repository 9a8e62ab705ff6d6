//! What the machine allows: open files, buffers of sockets, a clock.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use trunkline_edge::EdgeConfig;
use trunkline_process::raise_open_files;

use super::finding::Finding;
use super::role::Subject;

/// Files that a process has open besides its clients' connections: links, listeners, logs, the runtime's own.
const FILES_OF_OWN: u64 = 256;

/// 2025: a clock that shows less was never set.
const EARLIEST: Duration = Duration::from_secs(1_735_689_600);

/// How far in the future a file's time may lie, by clocks of a file server.
const FUTURE_MAX: Duration = Duration::from_secs(60);

/// Looks at the machine.
pub(super) fn check(subject: &Subject, file: Option<&Path>) -> Vec<Finding> {
    let buffer = subject.link().socket_buffer.as_u64();
    let mut findings = match subject {
        Subject::Edge(config) => vec![open_files(config)],
        Subject::Backbone(_) => Vec::new(),
    };
    findings.extend(["rmem_max", "wmem_max"].map(|limit| socket_buffer(limit, buffer)));
    findings.push(clock(file));
    findings
}

/// An edge raises its limit as far as it may, and so does this. What is told holds for here: a service has its own.
fn open_files(config: &EdgeConfig) -> Finding {
    let connections = config.edge.connection_limit + config.edge.http_connection_limit;
    let needed = connections as u64 + FILES_OF_OWN;
    files_for(needed, raise_open_files())
}

fn files_for(needed: u64, limit: u64) -> Finding {
    let what = "open files";
    if limit < needed {
        let detail = format!(
            "{limit} here, too few for edge.connection_limit: set LimitNOFILE={needed}, or ulimit -Hn {needed}"
        );
        return Finding::warn(what, detail);
    }
    Finding::ok(what, format!("enough for {needed}"))
}

/// The system gives no more than its limit, whatever is asked for, and says nothing.
fn socket_buffer(limit: &str, wanted: u64) -> Finding {
    let what = format!("net.core.{limit}");
    let path = format!("/proc/sys/net/core/{limit}");
    let allowed = std::fs::read_to_string(&path).ok();
    match allowed.and_then(|text| text.trim().parse::<u64>().ok()) {
        Some(allowed) if allowed >= wanted => Finding::ok(what, allowed),
        Some(allowed) => {
            let detail = format!(
                "{allowed} is less than link.socket_buffer: bursts of a fast link are lost; sysctl -w net.core.{limit}={wanted}"
            );
            Finding::warn(what, detail)
        }
        None => Finding::warn(what, format!("{path} can't be read")),
    }
}

/// Tokens, certificates and the times of messages depend on it.
fn clock(file: Option<&Path>) -> Finding {
    let what = "clock";
    let now = SystemTime::now();
    if now < UNIX_EPOCH + EARLIEST {
        return Finding::fail(what, "shows a time before 2025");
    }
    let written = file.and_then(|file| std::fs::metadata(file).ok()?.modified().ok());
    match written {
        Some(written) if written > now + FUTURE_MAX => Finding::warn(
            what,
            "is behind the time at which the configuration was written",
        ),
        Some(_) | None => Finding::ok(what, "plausible"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_open_files_name_the_number_to_set() {
        let found = files_for(104_352, 1024).to_string();
        assert!(found.starts_with("warn"), "{found}");
        assert!(found.contains("LimitNOFILE=104352"), "{found}");
        assert!(files_for(100, 100).to_string().starts_with("ok"));
    }

    #[test]
    fn a_buffer_beyond_the_systems_limit_is_warned_of() {
        let found = socket_buffer("rmem_max", u64::MAX).to_string();
        assert!(found.starts_with("warn"), "{found}");
        assert!(socket_buffer("rmem_max", 1).to_string().starts_with("ok"));
    }
}
