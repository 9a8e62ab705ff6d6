//! `trunkline ring`: what a change of the mesh's nodes would move.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use trunkline_backbone::{Change, MovePlan, Ownership};
use trunkline_process::Failure;
use trunkline_shared::limits::{SLOTS, STEP_SLOTS_MAX};
use trunkline_shared::{NodeId, RingView};
use trunkline_store::postgres;

use super::store::PlacedStore;
use super::{admin, block_on, output};

/// What can be asked about the ring.
#[derive(Debug, Subcommand)]
pub(crate) enum RingCommand {
    /// Print what moves when a node joins or leaves: slots of each node before and after, and the steps. Joins and leaves
    /// that are under way are part of it.
    Plan(PlanArgs),
}

/// Flags of `ring plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    mesh: MeshArgs,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Where it is told who owns what: one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct MeshArgs {
    /// Names of the nodes of a mesh in which nobody joins or leaves; it needn't run.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", value_parser = NodeId::parse)]
    members: Vec<NodeId>,
    /// Admin address of a node that runs.
    #[arg(long, value_name = "http://HOST:PORT")]
    admin: Option<String>,
    /// A node's configuration file, whose database has the ring view.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// One of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ChangeArgs {
    /// A node that would be started.
    #[arg(long, value_name = "NAME", value_parser = NodeId::parse)]
    join: Option<NodeId>,
    /// A member that would be stopped.
    #[arg(long, value_name = "NAME", value_parser = NodeId::parse)]
    leave: Option<NodeId>,
}

impl MeshArgs {
    fn ownership(&self) -> Result<Ownership, Failure> {
        if let Some(url) = &self.admin {
            Ok(Ownership::of(&view_of_node(url)?))
        } else if let Some(file) = &self.config {
            Ok(Ownership::of(&view_of_store(file.clone())?))
        } else {
            Ownership::at_rest(&self.members).map_err(usage)
        }
    }
}

impl ChangeArgs {
    fn change(&self) -> Change {
        let join = self.join.clone().map(Change::Join);
        join.or_else(|| self.leave.clone().map(Change::Leave))
            .expect("clap asks for one of them")
    }
}

/// Answers.
pub(crate) fn run(command: &RingCommand) -> Result<(), Failure> {
    match command {
        RingCommand::Plan(args) => plan(args),
    }
}

fn plan(args: &PlanArgs) -> Result<(), Failure> {
    let plan = args.mesh.ownership()?.plan(&args.change.change());
    lines(&plan.map_err(usage)?)
        .iter()
        .try_for_each(|line| output::print_line(line))
}

fn usage(error: impl ToString) -> Failure {
    Failure::Configuration(error.to_string())
}

/// The view by which a node works.
fn view_of_node(url: &str) -> Result<RingView, Failure> {
    let name = admin::listener("--admin", url, "/ring")?;
    let view = admin::json(&admin::agent(), &format!("http://{name}/ring/view"));
    let view = view.and_then(|view: RingView| {
        let checked = view.check().map_err(|error| error.to_string());
        checked.map(|()| view)
    });
    view.map_err(|why| {
        let hint = "is it the admin address of a node that is ready?";
        Failure::Run(format!("--admin {url}: {why}; {hint}"))
    })
}

/// The view that nodes have written into their database.
fn view_of_store(file: PathBuf) -> Result<RingView, Failure> {
    let shown = file.display().to_string();
    let PlacedStore::Postgres(options) = PlacedStore::of_config(Some(file))? else {
        return Err(usage(
            "store.kind is \"embedded\": such a store has one node, and nothing ever moves",
        ));
    };
    let found = block_on(async {
        let view = postgres::look_at_view(&options).await;
        view.map_err(|error| Failure::Run(format!("store.postgres: {error}")))
    })?;
    found.ok_or_else(|| Failure::Run(format!("{shown}: no node has used its database yet")))
}

fn lines(plan: &MovePlan) -> Vec<String> {
    let names = plan.nodes.iter().map(|node| node.name.as_str().len());
    let width = names.max().unwrap_or_default();
    let nodes = plan.nodes.iter().map(|node| {
        let name = node.name.as_str();
        format!("{name:<width$}  {:>4} -> {:>4}", node.before, node.after)
    });
    let share = plan.moved as f64 * 100.0 / f64::from(SLOTS);
    let moved = format!("{} of {SLOTS} slots move ({share:.1}%)", plan.moved);
    let noun = if plan.steps == 1 { "step" } else { "steps" };
    let steps = format!("{} {noun} of at most {STEP_SLOTS_MAX} slots", plan.steps);
    let bound = format!(
        "no node owns more than {} afterwards (1.1 times the mean)",
        plan.most
    );
    nodes.chain([moved, steps, bound]).collect()
}
