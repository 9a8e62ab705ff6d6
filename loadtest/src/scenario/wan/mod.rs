//! A relay as a process, for whatever doesn't start one itself. It changes while it runs, by lines on standard input.

mod orders;

use std::io::{BufRead, Write};
use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::sync::mpsc;

use self::orders::{Order, Orders};
use crate::args::WanArgs;
use crate::report::Report;
use crate::signals::Signals;
use crate::wan::{PathCounts, TcpRelay, UdpRelay, WanConfig};

/// Lines read ahead.
const LINES_MAX: usize = 16;

/// Relays until it is interrupted or terminated, or its parent goes when it is to go with it; then tells what it has carried.
///
/// # Errors
/// When the address is taken.
pub(crate) async fn run(args: &WanArgs) -> Result<Report> {
    let mut signals = Signals::listen()?;
    let mut orders = Orders::new(args.profile());
    let relay = Relay::start(args, orders.config())?;
    say(&relay.address().to_string())?;
    let (mut lines, mut open) = (lines_of_stdin(), true);
    loop {
        tokio::select! {
            line = lines.recv(), if open => match line {
                Some(line) => follow(&line, &mut orders, &relay)?,
                None if args.exit_with_parent => break,
                None => open = false,
            },
            _ = signals.next() => break,
        }
    }
    Ok(relay.report())
}

fn follow(line: &str, orders: &mut Orders, relay: &Relay) -> Result<()> {
    match orders.take(line) {
        Ok(Order::Change) => relay.set(orders.config()),
        Ok(Order::Counts) => relay.report().print_table()?,
        Err(error) => eprintln!("loadtest wan: {error}"),
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Lines of standard input; none when it is closed. Its thread ends with the process.
fn lines_of_stdin() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(LINES_MAX);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Either kind of relay.
enum Relay {
    Udp(UdpRelay),
    Tcp(TcpRelay),
}

impl Relay {
    fn start(args: &WanArgs, config: WanConfig) -> Result<Self> {
        let (listen, target, seed) = (args.listen, args.target, args.seed);
        let relay = if args.tcp {
            TcpRelay::start(listen, target, config, seed).map(Self::Tcp)
        } else {
            UdpRelay::start(listen, target, config, seed).map(Self::Udp)
        };
        relay.with_context(|| format!("no relay at {listen}"))
    }

    const fn address(&self) -> SocketAddr {
        match self {
            Self::Udp(relay) => relay.address(),
            Self::Tcp(relay) => relay.address(),
        }
    }

    fn set(&self, config: WanConfig) {
        match self {
            Self::Udp(relay) => relay.set(config),
            Self::Tcp(relay) => relay.set(config),
        }
    }

    fn report(&self) -> Report {
        let mut report = Report::new("wan");
        match self {
            Self::Udp(relay) => {
                let counts = relay.counts();
                add(&mut report, "up", counts.up);
                add(&mut report, "down", counts.down);
                report.add("clients", "", counts.clients as f64);
                report.add("turned away", "datagrams", counts.turned_away as f64);
            }
            Self::Tcp(relay) => {
                let counts = relay.counts();
                report.add("up", "bytes", counts.up_bytes as f64);
                report.add("down", "bytes", counts.down_bytes as f64);
                report.add("connections", "", counts.connections as f64);
            }
        }
        report
    }
}

fn add(report: &mut Report, way: &str, counts: PathCounts) {
    for (fate, count) in [
        ("passed", counts.passed),
        ("lost", counts.lost),
        ("dropped by the queue", counts.queue_full),
        ("cut", counts.cut),
    ] {
        report.add(format!("{way}, {fate}"), "datagrams", count as f64);
    }
}
