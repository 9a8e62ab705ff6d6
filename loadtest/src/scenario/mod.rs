//! What can be measured, one file each.

mod chaos;
mod check;
mod cluster;
mod cut;
mod echo;
mod fanout;
mod feed;
mod floor;
mod floor_pages;
mod floor_postgres;
mod floor_store;
mod follow;
mod geo;
mod history;
mod idle;
mod ping;
mod processes;
mod proof;
mod publish;
mod publisher;
mod resume;
mod subscribers;
mod wan;
mod wan_self_test;

use anyhow::Result;

use crate::args::Command;
use crate::report::Report;

/// Measures what a subcommand says.
///
/// # Errors
/// When the mesh can't be reached, refuses something, or loses something.
pub(crate) async fn run(command: &Command) -> Result<Option<Report>> {
    match command {
        Command::Idle(args) => idle::run(args).await.map(Some),
        Command::Fanout(args) => fanout::run(args).await.map(Some),
        Command::Floor(args) => floor::run(args).map(|()| None),
        Command::Publish(args) => publish::run(args).await.map(Some),
        Command::FloorStore(args) => floor_store::run(args).await.map(Some),
        Command::History(args) => history::run(args).await.map(Some),
        Command::FloorPages(args) => floor_pages::run(args).map(|()| None),
        Command::Ping(args) => ping::run(args).await.map(Some),
        Command::Wan(args) => wan::run(args).await.map(Some),
        Command::WanSelfTest(args) => wan_self_test::run(args).map(Some),
        Command::Geo(args) => geo::run(args).await.map(Some),
        Command::Cut(args) => cut::run(args).await.map(Some),
        Command::Resume(args) => resume::run(args).await.map(Some),
        Command::Chaos(args) => chaos::run(args).await,
        Command::Cluster(args) => cluster::run(args).await,
    }
}
