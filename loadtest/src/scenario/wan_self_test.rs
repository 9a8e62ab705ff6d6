//! The relay beside what it stands before: how exactly it delays, what it costs, and where it becomes the bottleneck.
//!
//! Datagrams go to an echo and back, by the relay and without it. The relay is a process of its own, so that its CPU can be
//! told from that of the rest.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::echo::{Echo, Trip};
use crate::args::WanSelfTestArgs;
use crate::process::{CpuWatch, Watched};
use crate::report::Report;

/// The first rate at which a loss is looked for, and by how much the next is higher.
const SEARCH_START: f64 = 10_000.0;
const SEARCH_STEP: f64 = 1.2;

/// Part of a rate that the sender must reach: below it the sender is the bottleneck and a higher rate tells nothing.
const SEARCH_REACHED: f64 = 0.95;

/// Measures echo and relay at each rate, then looks for the rate at which either loses something.
///
/// # Errors
/// When something is lost at one of the rates asked for, or a relay can't be started.
pub(crate) fn run(args: &WanSelfTestArgs) -> Result<Report> {
    let echo = Echo::start()?;
    let mut report = Report::new("wan-self-test");
    for _ in 0..args.rounds {
        let relay = RelayProcess::start(echo.address(), args.rtt)?;
        for rate in &args.rates {
            measure_echo(args, *rate, &echo, &mut report)?;
            measure_relay(args, *rate, &relay, &mut report)?;
        }
        let near = RelayProcess::start(echo.address(), Duration::ZERO)?;
        for (name, address) in [("echo", echo.address()), ("relay", near.address)] {
            let most = most_without_loss(address, args)?;
            report.add(format!("{name}, most without loss"), "per second", most);
        }
    }
    Ok(report)
}

fn measure_echo(args: &WanSelfTestArgs, rate: u32, echo: &Echo, report: &mut Report) -> Result<()> {
    let trip = whole(args, rate, echo.address())?;
    for percentile in [50.0, 99.0] {
        let name = format!("echo at {rate}/s, round trip p{percentile}");
        report.add(name, "us", trip.latency.micros(percentile));
    }
    Ok(())
}

fn measure_relay(
    args: &WanSelfTestArgs,
    rate: u32,
    relay: &RelayProcess,
    report: &mut Report,
) -> Result<()> {
    let watch = CpuWatch::start(&relay.process)?;
    let trip = whole(args, rate, relay.address)?;
    let rtt = args.rtt.as_secs_f64() * 1e6;
    for percentile in [50.0, 99.0] {
        let name = format!("relay at {rate}/s, over its round trip p{percentile}");
        report.add(name, "us", trip.latency.micros(percentile) - rtt);
    }
    for (_, cpu) in watch.used()? {
        let name = format!("relay at {rate}/s, CPU per datagram each way");
        report.add(name, "us", cpu.as_secs_f64() * 1e6 / (2 * trip.sent) as f64);
    }
    Ok(())
}

/// A run of which everything has come back.
fn whole(args: &WanSelfTestArgs, rate: u32, to: SocketAddr) -> Result<Trip> {
    let trip = Trip::run(to, f64::from(rate), args.seconds, args.bytes)?;
    let (sent, back) = (trip.sent, trip.latency.count());
    ensure!(
        sent == back,
        "{back} of {sent} came back from {to} at {rate} per second"
    );
    Ok(trip)
}

/// The highest rate, in steps, that the sender has reached and of which everything has come back; 0 for none.
fn most_without_loss(to: SocketAddr, args: &WanSelfTestArgs) -> Result<f64> {
    let (mut rate, mut most) = (SEARCH_START, 0.0);
    loop {
        let trip = Trip::run(to, rate, args.search_seconds, args.bytes)?;
        if trip.latency.count() < trip.sent {
            return Ok(most);
        }
        most = trip.rate;
        if trip.rate < rate * SEARCH_REACHED {
            return Ok(most);
        }
        rate *= SEARCH_STEP;
    }
}

/// A relay in a process of its own. It ends with this value.
struct RelayProcess {
    process: [Watched; 1],
    address: SocketAddr,
    _child: RelayChild,
}

/// The child that it is. Should this process die without ending it, it ends as its standard input does.
struct RelayChild(Child);

impl RelayProcess {
    /// Starts one before a target, with this round trip and nothing else.
    ///
    /// # Errors
    /// When it can't be started.
    fn start(target: SocketAddr, rtt: Duration) -> Result<Self> {
        let mut child = RelayChild::spawn(target, rtt)?;
        let stdout = child.0.stdout.take().context("no standard output")?;
        Ok(Self {
            process: [Watched::new("relay", child.0.id())],
            address: address_said(stdout)?,
            _child: child,
        })
    }
}

impl RelayChild {
    fn spawn(target: SocketAddr, rtt: Duration) -> Result<Self> {
        Command::new(std::env::current_exe()?)
            .args(["wan", "--exit-with-parent"])
            .args(["--target", &target.to_string()])
            .args(["--rtt", &format!("{}us", rtt.as_micros())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map(Self)
            .context("the relay can't be started")
    }
}

/// The first line that a relay says.
fn address_said(stdout: ChildStdout) -> Result<SocketAddr> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim().parse();
    address.with_context(|| format!("the relay's address: {line:?}"))
}

impl Drop for RelayChild {
    fn drop(&mut self) {
        // It may have ended already; its counters are not needed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
