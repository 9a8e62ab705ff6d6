//! `trunkline dev`: a backbone node and three regional edges on one machine, as children of this executable.

mod banner;
mod children;
mod control;
mod cut;
mod forward;
mod lock;
mod page;
mod plan;
mod ports;
mod postgres;
mod state;
mod wan;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use axum::Router;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use trunkline_loadtest::postgres_server::Programs;
use trunkline_process::{Failure, tell};

pub(crate) use forward::Membership;
pub(crate) use state::file as addresses_file;

use crate::certs;
use crate::cli::{failure, usage};
use banner::banner;
use children::Children;
use control::Mesh;
use cut::DevCommand;
use lock::DirLock;
use plan::{EdgePlan, Plan};
use wan::{Choice, Distances, Wan};

/// Where everything is kept unless another place is asked for.
pub(crate) const DIR: &str = ".trunkline";

/// Flags of `trunkline dev`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DevArgs {
    #[command(subcommand)]
    command: Option<DevCommand>,
    /// Where everything is kept: store, certificates, logs, pids, addresses.
    #[arg(long, default_value = DIR, value_name = "DIR")]
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
    /// Keep messages in a PostgreSQL server of the mesh's own, in DIR/postgres, instead of the embedded store.
    #[arg(long)]
    postgres: bool,
    /// Distances between the edges and the backbone: none; default, round trips of 10, 80 and 150 ms; or a file of
    /// [regions.NAME] with rtt, jitter, loss, rate, queue.
    #[arg(long, default_value = "default", value_name = "none|default|FILE")]
    wan: Choice,
}

/// What each edge of dev mode serves besides its own.
pub(crate) fn routes(membership: Membership) -> Router {
    page::routes().merge(forward::routes(membership))
}

/// Runs until Ctrl-C, SIGTERM, or the end of all children; or does one thing with a mesh that runs.
pub(crate) fn run(args: DevArgs) -> Result<(), Failure> {
    match args.command {
        Some(command) => command.run(),
        None => run_mesh(&args),
    }
}

fn run_mesh(args: &DevArgs) -> Result<(), Failure> {
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
    let distances = Distances::read(&args.wan).map_err(|error| usage(&error))?;
    let programs = args.postgres.then(Programs::find).transpose();
    let programs = programs.map_err(|error| usage(&error))?;
    let _lock = DirLock::take(&args.dir).map_err(|error| usage(&error))?;
    let mesh = Wanted {
        plan,
        distances,
        programs,
    };
    start(args, &mesh).map_err(|error| failure(&error))
}

/// What is to run.
struct Wanted {
    plan: Plan,
    distances: Distances,
    /// Where messages are kept in PostgreSQL: its programs.
    programs: Option<Programs>,
}

fn start(args: &DevArgs, mesh: &Wanted) -> anyhow::Result<()> {
    certs::ensure(&args.dir.join("certs"), &mesh.plan.holders()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("runtime")?;
    runtime.block_on(supervise(args, mesh))
}

async fn supervise(args: &DevArgs, mesh: &Wanted) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut children = Children::new(&args.dir)?;
    state::remove(&args.dir);
    let started = tokio::select! {
        started = bring_up(&mut children, mesh) => started,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    let ended = match started {
        Ok(()) if children.is_complete(&mesh.plan) => {
            tell(banner(&mesh.plan, &mesh.distances, &children, &args.dir));
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

/// Starts everything in order: the database where there is one, the node, the relays before it, the edges that come by them.
async fn bring_up(children: &mut Children, mesh: &Wanted) -> anyhow::Result<()> {
    let Wanted {
        plan,
        distances,
        programs,
    } = mesh;
    // Bound first, so that the edges can be told where; it answers once they are ready.
    let listener = TcpListener::bind((plan.ip(), 0)).await;
    let listener = listener.with_context(|| format!("control listener at {}", plan.ip()))?;
    let database = match programs {
        Some(programs) => Some(children.start_database(programs.clone()).await?),
        None => None,
    };
    let node = children.start_node(plan, database.as_ref()).await?;
    let wan = Wan::start(plan, distances, node)?;
    let uplink = |edge: &EdgePlan| wan.uplink(edge.region, node);
    children
        .start_edges(plan, listener.local_addr()?, uplink)
        .await?;
    control::serve(listener, Mesh::new(plan, distances, wan, &children.ready));
    Ok(())
}
