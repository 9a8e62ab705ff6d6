//! Memory of a server per connection that does nothing.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::args::IdleArgs;
use crate::client::Client;
use crate::report::Report;

/// Connections from one address: fewer than a system has ports for.
const CONNECTIONS_PER_ADDRESS: usize = 10_000;

/// Opens connections step by step and reads the server's memory after each step.
///
/// # Errors
/// When a connection is refused or lost.
pub(crate) async fn run(args: &IdleArgs) -> Result<Report> {
    let most = args.connections.iter().copied().max().unwrap_or(0);
    allow_files(most)?;
    let mut report = Report::new("idle");
    report.add(
        "resident before",
        "KiB",
        args.pid.resident_bytes()? as f64 / 1024.0,
    );
    let lost = Rc::new(Cell::new(0));
    let mut steps = Vec::new();
    let mut count = 0;
    for step in &args.connections {
        while count < *step {
            let client = open(args, count).await;
            let client = client.with_context(|| format!("connection {count}"))?;
            tokio::task::spawn_local(stay(client, Rc::clone(&lost)));
            count += 1;
        }
        tokio::time::sleep(Duration::from_secs(args.hold)).await;
        check(lost.get(), count)?;
        let bytes = args.pid.resident_bytes()?;
        report.add(
            format!("resident with {count}"),
            "KiB",
            bytes as f64 / 1024.0,
        );
        steps.push((count, bytes));
    }
    if let Some(slope) = slope(&steps) {
        report.add("resident per connection", "bytes", slope);
    }
    Ok(report)
}

async fn open(args: &IdleArgs, number: usize) -> Result<Client> {
    let mut client = Client::connect(&args.mesh.url, from(args, number)).await?;
    if let Some(namespace) = &args.subscribe {
        client
            .subscribe(&format!("{namespace}:idle-{number}"))
            .await?;
    }
    Ok(client)
}

/// Loopback addresses in turn; anywhere else the system's choice.
fn from(args: &IdleArgs, number: usize) -> Option<SocketAddr> {
    let block = u8::try_from(number / CONNECTIONS_PER_ADDRESS).ok()?;
    let is_loopback = args.mesh.url.address.ip().is_loopback() && args.mesh.url.address.is_ipv4();
    let address = Ipv4Addr::new(127, 0, 0, block.checked_add(1)?);
    (is_loopback && block > 0).then(|| SocketAddr::from((address, 0)))
}

/// Answers pings for as long as the connection lasts.
async fn stay(mut client: Client, lost: Rc<Cell<usize>>) {
    loop {
        if let Err(error) = client.frames(|_| {}).await {
            if lost.replace(lost.get() + 1) == 0 {
                eprintln!("loadtest: an idle connection ended: {error:#}");
            }
            return;
        }
    }
}

/// Memory of connections that are gone would be too little.
fn check(lost: usize, count: usize) -> Result<()> {
    ensure!(lost == 0, "{lost} of {count} connections ended");
    Ok(())
}

/// Bytes per connection between the first and the last step.
fn slope(steps: &[(usize, u64)]) -> Option<f64> {
    let (first, last) = (steps.first()?, steps.last()?);
    let connections = last.0.checked_sub(first.0).filter(|count| *count > 0)?;
    Some((last.1 as f64 - first.1 as f64) / connections as f64)
}

/// Raises the limit of open files as far as it goes, and refuses what is beyond.
///
/// `trunkline_process` raises it too, without refusing; the driver keeps clear of what servers run in, whose pages and
/// flags would come along.
pub(super) fn allow_files(connections: usize) -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    let needed = connections as u64 + 64;
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        bail!(
            "{connections} connections need {needed} open files, the limit is {:?}",
            limit.maximum
        );
    }
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_leaves_out_what_a_server_needs_anyway() {
        assert_eq!(
            slope(&[(1000, 9_000_000), (3000, 11_000_000), (5000, 17_000_000)]),
            Some(2000.0)
        );
    }

    #[test]
    fn a_lost_connection_is_a_failure() {
        assert!(check(0, 10).is_ok());
        assert!(check(1, 10).is_err());
    }

    #[test]
    fn one_step_has_no_slope() {
        assert_eq!(slope(&[(1000, 1)]), None);
        assert_eq!(slope(&[]), None);
    }
}
