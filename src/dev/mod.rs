//! `trunkline dev`: backbone nodes and three regional edges on one machine, as children of this executable.

mod banner;
mod children;
mod command;
mod control;
mod forward;
mod lock;
mod page;
mod plan;
mod ports;
mod postgres;
mod spec;
mod state;
mod storage;
mod wan;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use axum::Router;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use trunkline_process::{Failure, tell};

pub(crate) use forward::Membership;
pub(crate) use state::file as addresses_file;

use crate::certs;
use crate::cli::{failure, usage};
use banner::banner;
use children::Children;
use command::DevCommand;
use control::{Mesh, Order};
use lock::DirLock;
use plan::{EdgePlan, Plan};
use storage::Storage;
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
    /// Backbone nodes, 1 to 9; more than one share a database, so they need --postgres.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(plan::NODES_MAX)))]
    backbones: u8,
    /// Keep messages in PostgreSQL instead of the embedded store: in a server of the mesh's own in DIR/postgres (temp, the
    /// default of the flag), or in the database of a connection string.
    #[arg(long, num_args = 0..=1, default_missing_value = "temp", value_name = "temp|DSN")]
    postgres: Option<storage::Choice>,
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
    let storage = Storage::new(args.postgres.as_ref(), args.backbones);
    let storage = storage.map_err(|error| usage(&error))?;
    let plan = Plan::new(args.ip, args.backbones, args.base_port, args.tls);
    let plan = plan.map_err(|error| usage(&error))?;
    plan.ports()
        .into_iter()
        .try_for_each(ports::check)
        .map_err(|error| usage(&error))?;
    let distances = Distances::read(&args.wan).map_err(|error| usage(&error))?;
    let _lock = DirLock::take(&args.dir).map_err(|error| usage(&error))?;
    let mesh = Wanted {
        plan,
        distances,
        storage,
    };
    start(args, &mesh).map_err(|error| failure(&error))
}

/// What is to run.
struct Wanted {
    plan: Plan,
    distances: Distances,
    storage: Storage,
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
    let (orders, mut ordered) = mpsc::channel(1);
    state::remove(&args.dir);
    let started = tokio::select! {
        started = bring_up(&mut children, mesh, orders) => started,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    let ended = match started {
        Ok(()) if children.is_complete(&mesh.plan) => {
            tell(banner(&mesh.plan, &mesh.distances, &children, &args.dir));
            tokio::select! {
                ended = watch(&mut children, &mut ordered) => Err(ended),
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

/// Tells of children that end, and starts those again that are ordered; returns when none is left.
async fn watch(children: &mut Children, ordered: &mut mpsc::Receiver<Order>) -> anyhow::Error {
    loop {
        tokio::select! {
            ended = children.next_end() => if let Err(none_left) = ended {
                return none_left;
            },
            Some(order) = ordered.recv() => {
                let started = children.start_again(&order.name).await;
                // Whoever has asked may be gone.
                let _ = order.answer.send(started);
            }
        }
    }
}

/// Starts everything in order: the database where there is one, the nodes, the relays before them, the edges that come by
/// them.
async fn bring_up(
    children: &mut Children,
    mesh: &Wanted,
    orders: mpsc::Sender<Order>,
) -> anyhow::Result<()> {
    let Wanted {
        plan,
        distances,
        storage,
    } = mesh;
    // Bound first, so that the edges can be told where; it answers once they are ready.
    let listener = TcpListener::bind((plan.ip(), 0)).await;
    let listener = listener.with_context(|| format!("control listener at {}", plan.ip()))?;
    match storage {
        Storage::Embedded => {}
        Storage::Own(programs) => children.start_database(programs.clone()).await?,
        Storage::At(dsn) => children.dsn = Some(dsn.clone()),
    }
    let nodes = children.start_nodes(plan).await?;
    let wan = Wan::start(plan, distances, &nodes)?;
    let uplink = |edge: &EdgePlan| wan.uplink(edge.region, &nodes);
    children
        .start_edges(plan, listener.local_addr()?, uplink)
        .await?;
    let mesh = Mesh::new(plan, distances, wan, &children.ready);
    control::serve(listener, mesh, orders);
    Ok(())
}
