//! The subcommands and their flags.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use trunkline_process::{Failure, ProcessArgs, tell};

use crate::commands::{check, publish, ring, store, subscribe, token, top};
use crate::{certs, dev};

/// A global WebSocket mesh.
#[derive(Debug, Parser)]
#[command(name = "trunkline", version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a backbone node and three regional edges on this machine, with a page that shows how to use them.
    Dev(dev::DevArgs),
    /// Run an edge.
    Edge(EdgeArgs),
    /// Run a backbone node.
    Backbone(ProcessArgs),
    /// Publish a message, or each line of standard input.
    #[command(name = "pub")]
    Publish(publish::PublishArgs),
    /// Print what is published, a line of JSON each: channel, offset, epoch, data, time; null where there is none.
    #[command(name = "sub")]
    Subscribe(subscribe::SubscribeArgs),
    /// Sign a token for a user, to try a mesh out.
    Token(token::TokenArgs),
    /// Say whether a process would start with a configuration, and what stands in its way: configuration,
    /// certificates, ports, store, limits.
    Check(check::CheckArgs),
    /// Show what the processes of a mesh do: connections, channels, rates, members of the ring, links.
    Top(top::TopArgs),
    /// Check a node's message store, write it out, read it in, or begin new epochs.
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Say what a change of the mesh's nodes would move.
    #[command(subcommand)]
    Ring(ring::RingCommand),
    /// Make certificates for links.
    #[command(subcommand)]
    Certs(CertsCommand),
}

/// Flags of `edge`.
#[derive(Debug, Args)]
pub(crate) struct EdgeArgs {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    membership: dev::Membership,
}

/// What can be done with certificates.
#[derive(Debug, Subcommand)]
pub(crate) enum CertsCommand {
    /// Make an authority, unless the directory has one, and a certificate for each name given.
    New(NewCerts),
}

/// Flags of `certs new`.
#[derive(Debug, Args)]
pub(crate) struct NewCerts {
    /// Directory for NAME.pem and NAME.key; made when absent.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// A backbone node's name; may be given again.
    #[arg(long = "backbone", value_name = "NAME")]
    backbones: Vec<String>,
    /// An edge as REGION/NAME; may be given again.
    #[arg(long = "edge", value_name = "REGION/NAME")]
    edges: Vec<String>,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Dev(args) => dev::run(args),
            Self::Edge(EdgeArgs {
                process,
                membership,
            }) => trunkline_edge::run_with(&process, dev::routes(membership)),
            Self::Backbone(args) => trunkline_backbone::run_with(&args),
            Self::Publish(args) => publish::run(&args),
            Self::Subscribe(args) => subscribe::run(&args),
            Self::Token(args) => token::run(&args),
            Self::Check(args) => check::run(&args),
            Self::Top(args) => top::run(&args),
            Self::Store(command) => store::run(&command),
            Self::Ring(command) => ring::run(&command),
            Self::Certs(CertsCommand::New(args)) => new_certs(&args),
        }
    }
}

fn new_certs(args: &NewCerts) -> Result<(), Failure> {
    let backbones = args
        .backbones
        .iter()
        .map(|name| certs::Holder::backbone(name));
    let edges = args.edges.iter().map(|edge| certs::Holder::edge(edge));
    let holders: Vec<_> = backbones
        .chain(edges)
        .collect::<Result<_, _>>()
        .map_err(|error| usage(&error))?;
    let made = certs::ensure(&args.dir, &holders).map_err(|error| failure(&error))?;
    made.iter().for_each(|path| tell(path.display()));
    Ok(())
}

/// What the user asked for makes no sense: exit code 2.
pub(crate) fn usage(error: &anyhow::Error) -> Failure {
    Failure::Configuration(format!("{error:#}"))
}

/// What the user asked for can't be done: exit code 1.
pub(crate) fn failure(error: &anyhow::Error) -> Failure {
    Failure::Run(format!("{error:#}"))
}
