//! `trunkline store`: what is done with a node's message store beside the node.

mod place;

use std::fmt::Display;
use std::io::{self, BufReader, BufWriter};
use std::path::Path;

use clap::{Args, Subcommand};
use trunkline_process::{Failure, tell};
use trunkline_store::embedded::offline::{self, Counts, ExportError, OfflineStore};
use trunkline_store::postgres;

use super::{block_on, output};
use place::Place;

pub(in crate::commands) use place::{PlacedStore, other_owner};

/// What can be done with a store. The node that uses a directory must be stopped.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Read everything in it and say what is damaged, a line each; exit code 1 where something is.
    Check(StoreArgs),
    /// Write slots, heads, messages and idempotency keys to standard output, a line of JSON each.
    Export(StoreArgs),
    /// Make a store from an export on standard input, in a directory that has none. Its channels begin new epochs:
    /// clients are told that positions of before can't be recovered.
    Import(StoreArgs),
    /// Go on without what stands behind the damage of a journal: cut it there, and begin new epochs. What is cut off is
    /// put aside.
    Cut(StoreArgs),
    /// Begin new epochs in all channels. Needed after a backup was put back: what was acknowledged since it was made is
    /// lost, and clients must be told. On PostgreSQL nodes may run meanwhile.
    NewEpoch(StoreArgs),
}

/// Flags of all of them.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    place: Place,
}

/// Does it.
pub(crate) fn run(command: &StoreCommand) -> Result<(), Failure> {
    match command {
        StoreCommand::Check(args) => check(args),
        StoreCommand::Export(args) => export(args),
        StoreCommand::Import(args) => import(args),
        StoreCommand::Cut(args) => cut(args),
        StoreCommand::NewEpoch(args) => new_epoch(args),
    }
}

fn check(args: &StoreArgs) -> Result<(), Failure> {
    let store = open(&args.place.path()?)?;
    let mut findings = 0u64;
    let mut printed = Ok(());
    let counts = store.check(&mut |finding| {
        findings += 1;
        if printed.is_ok() {
            printed = output::print_line(&finding.to_string());
        }
    });
    printed?;
    output::print_line(&format!("{}; {findings} damaged", describe(counts)))?;
    match findings {
        0 => Ok(()),
        _ => Err(Failure::Run(format!(
            "message store {} is damaged",
            args.place.path()?.display()
        ))),
    }
}

fn export(args: &StoreArgs) -> Result<(), Failure> {
    let store = open(&args.place.path()?)?;
    let out = BufWriter::with_capacity(256 << 10, io::stdout().lock());
    match store.export(out) {
        Ok(rows) => {
            tell(format_args!("{rows} rows"));
            Ok(())
        }
        Err(ExportError::Output(error)) => {
            output::ignore_broken_pipe(Err(error)).map_err(|error| failed(&error))
        }
        Err(error @ ExportError::Disk(_)) => Err(failed(&error)),
    }
}

fn import(args: &StoreArgs) -> Result<(), Failure> {
    let path = args.place.path()?;
    let input = BufReader::with_capacity(256 << 10, io::stdin().lock());
    let counts = offline::import(&path, input).map_err(|error| failed(&error))?;
    tell(format_args!("{} in {}", describe(counts), path.display()));
    Ok(())
}

fn cut(args: &StoreArgs) -> Result<(), Failure> {
    let path = args.place.path()?;
    refuse_other_owner(&path)?;
    match offline::cut(&path).map_err(|error| failed(&error))? {
        None => tell("no journal is damaged: nothing was cut"),
        Some(cut) => tell(format_args!(
            "{} cut at byte {}, new epochs begun; what it was, and later journals, are in {}",
            cut.journal.display(),
            cut.kept,
            cut.aside.display()
        )),
    }
    Ok(())
}

fn new_epoch(args: &StoreArgs) -> Result<(), Failure> {
    match args.place.store()? {
        PlacedStore::Embedded(path) => {
            let slots = open(&path)?.begin_epochs();
            report(&slots.map_err(|error| failed(&error))?)
        }
        PlacedStore::Postgres(options) => block_on(async {
            let slots = postgres::begin_epochs(&options).await;
            report(&slots.map_err(|error| failed(&error))?)
        }),
    }
}

fn report(slots: &impl Display) -> Result<(), Failure> {
    tell(format_args!("new epochs in {slots} slots"));
    Ok(())
}

fn open(path: &Path) -> Result<OfflineStore, Failure> {
    refuse_other_owner(path)?;
    OfflineStore::open(path).map_err(|error| failed(&error))
}

fn refuse_other_owner(path: &Path) -> Result<(), Failure> {
    match other_owner(path) {
        None => Ok(()),
        Some(owner) => Err(Failure::Run(format!(
            "{} is of the user {owner}, who should run this",
            path.display()
        ))),
    }
}

fn describe(counts: Counts) -> String {
    let Counts {
        slots,
        heads,
        messages,
        publish_ids,
        idempotency_keys,
        users_seen,
    } = counts;
    format!(
        "{slots} slots, {heads} channels, {messages} messages, {publish_ids} publish ids, {idempotency_keys} idempotency keys, {users_seen} users seen"
    )
}

fn failed(error: &impl ToString) -> Failure {
    Failure::Run(error.to_string())
}
