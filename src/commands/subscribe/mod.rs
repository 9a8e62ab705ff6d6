//! `trunkline sub`: prints what is published, and goes on where it was when the connection is lost.

mod feed;
mod fill;
mod line;
mod position;
mod printer;
mod reader;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use trunkline_process::Failure;

use super::block_on;
use crate::client::ClientArgs;
use position::Position;
use printer::{Printer, reader_gone};
use reader::Reader;

/// Flags of `trunkline sub`.
#[derive(Debug, Args)]
pub(crate) struct SubscribeArgs {
    /// The channels to subscribe to.
    #[arg(required = true, value_name = "CHANNEL")]
    channels: Vec<String>,
    /// Begins with what came after this offset; 0 for everything that is kept.
    #[arg(long, value_name = "OFFSET[:EPOCH]")]
    since: Option<Position>,
    /// Ends after so many publications.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    client: ClientArgs,
}

/// Prints until Ctrl-C, until nobody reads any more, or until `--count`.
pub(crate) fn run(args: &SubscribeArgs) -> Result<(), Failure> {
    if let (Some(since), [_, _, ..]) = (&args.since, args.channels.as_slice())
        && !since.epoch.is_empty()
    {
        return Err(Failure::Configuration(format!(
            "--since {since}: each channel has an epoch of its own; give the offset alone"
        )));
    }
    block_on(follow(args))
}

async fn follow(args: &SubscribeArgs) -> Result<(), Failure> {
    let signals = |error| Failure::Run(format!("signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    let gone = reader_gone()?;
    let mut reader = Reader::new(
        &args.channels,
        args.since.as_ref(),
        Printer::start(args.count)?,
    );
    // The end too is raced against signals: it waits for whoever reads standard output.
    let read = async {
        let stop = reader.run(&args.client).await;
        reader.end(stop).await
    };
    tokio::select! {
        ended = read => ended,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
        _ = gone => Ok(()),
    }
}
