//! `trunkline dev`: a backbone node and three regional edges on one machine, as children of this executable.

mod banner;
mod children;
mod page;
mod plan;
mod ports;
mod state;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use trunkline_process::Failure;

pub(crate) use page::routes;

use crate::certs;
use crate::cli::{failure, usage};
use banner::banner;
use children::Children;
use plan::Plan;

/// Flags of `trunkline dev`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DevArgs {
    /// Where everything is kept: store, certificates, logs, pids, addresses.
    #[arg(long, default_value = ".trunkline", value_name = "DIR")]
    dir: PathBuf,
    /// Port of the first edge; all other ports follow, so that a second mesh can run beside (with a --dir of its own). 0
    /// takes free ports for everything.
    #[arg(long, default_value_t = plan::BASE_PORT, value_name = "PORT")]
    base_port: u16,
    /// Address that everything listens on; loopback only.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "IP")]
    ip: IpAddr,
    /// Let clients come by TLS: https:// and wss:// with certificates of the mesh's own authority.
    #[arg(long)]
    tls: bool,
}

/// Runs until Ctrl-C, SIGTERM, or the end of all children.
pub(crate) fn run(args: &DevArgs) -> Result<(), Failure> {
    if !args.ip.is_loopback() {
        // Dev mode lets everybody in: it must not be reachable from elsewhere.
        return Err(usage(&anyhow!(
            "--ip {}: dev mode listens on loopback addresses only",
            args.ip
        )));
    }
    let plan = Plan::new(args.ip, args.base_port, args.tls).map_err(|error| usage(&error))?;
    plan.ports()
        .into_iter()
        .try_for_each(ports::check)
        .map_err(|error| usage(&error))?;
    start(args, &plan).map_err(|error| failure(&error))
}

fn start(args: &DevArgs, plan: &Plan) -> anyhow::Result<()> {
    certs::ensure(&args.dir.join("certs"), &plan.holders()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("runtime")?;
    runtime.block_on(supervise(args, plan))
}

async fn supervise(args: &DevArgs, plan: &Plan) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut children = Children::new(&args.dir)?;
    state::remove(&args.dir);
    let started = tokio::select! {
        started = children.start_all(plan) => started,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    let ended = match started {
        Ok(()) if children.is_complete(plan) => {
            eprint!("{}", banner(plan, &children.ready, &args.dir));
            tokio::select! {
                ended = children.watch() => Err(ended),
                _ = interrupt.recv() => Ok(()),
                _ = terminate.recv() => Ok(()),
            }
        }
        Ok(()) => Ok(()),
        Err(error) => Err(error),
    };
    state::remove(&args.dir);
    tokio::select! {
        () = children.stop() => {}
        _ = interrupt.recv() => children.kill().await,
        _ = terminate.recv() => children.kill().await,
    }
    ended
}
