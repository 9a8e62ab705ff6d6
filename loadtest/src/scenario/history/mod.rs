//! Late joiners of one channel: what thousands who read the same pages cost the edge, the owner and the store.

mod page;
mod reader;
mod shelf;

use anyhow::{Result, ensure};
use bytes::Bytes;
use trunkline_telemetry::names::{backbone, edge};

use self::reader::{Readers, Times};
use self::shelf::Shelf;
use super::floor_pages::{FloorPages, ServedPage};
use super::idle::allow_files;
use super::publisher::{TOGETHER, publish_together, request};
use crate::args::HistoryArgs;
use crate::client::Client;
use crate::metrics::Counts;
use crate::payload::{self, Numbered};
use crate::postgres;
use crate::process::{CpuWatch, Watched};
use crate::report::Report;

/// Fills a channel and lets joiners read it, in each round a new one; with `floor` a bare server in turn with the mesh.
///
/// # Errors
/// When a publish is refused or an answer isn't the expected page.
pub(crate) async fn run(args: &HistoryArgs) -> Result<Report> {
    ensure!(
        args.joiners > 0 && args.concurrency > 0 && args.pages > 0,
        "--joiners, --concurrency and --pages are at least 1"
    );
    ensure!(
        args.rounds == 1 || args.channel.is_none() || args.filled,
        "--rounds is {}: one channel is new once",
        args.rounds
    );
    allow_files(args.concurrency)?;
    let mut report = Report::new("history");
    for _ in 0..args.rounds {
        let channel = args.channel.clone().unwrap_or_else(|| new_channel(args));
        if !args.filled {
            fill(args, &channel).await?;
        }
        let shelf = measure(args, &channel, &mut report).await?;
        if args.floor {
            measure_floor(args, &channel, &shelf, &mut report).await?;
        }
    }
    let (page, floor) = ("page p50", "floor, page p50");
    report.add_ratio("page / floor, p50", page, floor);
    for watched in &args.pid {
        let (ratio, of) = (format!("{} / floor", watched.name), cpu_of(&watched.name));
        report.add_ratio(&ratio, &of, &cpu_of(FLOOR));
    }
    Ok(report)
}

fn new_channel(args: &HistoryArgs) -> String {
    format!("{}:loadtest-history-{}", args.namespace, payload::now())
}

/// What the bare server is called.
const FLOOR: &str = "floor";

/// Publishes each message with its number, which is its offset in a new channel.
async fn fill(args: &HistoryArgs, channel: &str) -> Result<()> {
    let mut publisher = Client::connect(&args.mesh.url, None).await?;
    let numbers: Vec<u64> = (1..=args.messages as u64).collect();
    for batch in numbers.chunks(TOGETHER) {
        let requests = batch.iter().map(|number| {
            let message = Numbered {
                time: payload::now(),
                number: *number,
            };
            request(channel, &Bytes::from(message.encode(args.bytes)))
        });
        publish_together(&mut publisher, requests).await?;
    }
    Ok(())
}

/// One round at the mesh; returns the pages that were read.
async fn measure(args: &HistoryArgs, channel: &str, report: &mut Report) -> Result<Shelf> {
    let database = match &args.pg {
        Some(dsn) => Some(postgres::connect(dsn).await?),
        None => None,
    };
    let scans = match &database {
        Some(database) => postgres::message_scans(database).await?,
        None => 0,
    };
    let before = Counts::read(&args.metrics).await?;
    let watch = CpuWatch::start(&args.pid)?;
    let (times, shelf) = Readers::new(args, &args.mesh.api, channel).read().await?;
    let used = watch.used()?;
    let after = Counts::read(&args.metrics).await?;
    add_times(report, "", &times);
    for (name, cpu) in used {
        report.add(cpu_of(name), "us", per_request(&times, cpu.as_secs_f64()));
    }
    add_counts(report, &before, &after);
    report.add("different pages", "", shelf.pages().len() as f64);
    if let Some(database) = &database {
        let scans = postgres::message_scans(database).await? - scans;
        report.add("scans of messages, by PostgreSQL", "", scans as f64);
    }
    Ok(shelf)
}

/// The same at a bare server.
async fn measure_floor(
    args: &HistoryArgs,
    channel: &str,
    shelf: &Shelf,
    report: &mut Report,
) -> Result<()> {
    let pages = shelf.pages().iter().map(|(query, shelved)| ServedPage {
        address: format!("/v1/channels/{channel}/messages{query}"),
        etag: shelved.etag.clone(),
        is_gzip: shelved.is_gzip,
        body: shelved.body.clone(),
    });
    let floor = FloorPages::start(pages.collect()).await?;
    let watched = [Watched::new(FLOOR, floor.pid()?)];
    let watch = CpuWatch::start(&watched)?;
    let (times, _) = Readers::new(args, floor.target(), channel).read().await?;
    for (name, cpu) in watch.used()? {
        report.add(cpu_of(name), "us", per_request(&times, cpu.as_secs_f64()));
    }
    add_times(report, "floor, ", &times);
    Ok(())
}

fn add_times(report: &mut Report, prefix: &str, times: &Times) {
    let latencies = [
        ("page", &times.page),
        ("not modified", &times.same),
        ("joiner, all pages", &times.joiner),
    ];
    for (name, latency) in latencies {
        for (percentile, shown) in [(50.0, "p50"), (99.0, "p99")] {
            let micros = latency.micros(percentile);
            report.add(format!("{prefix}{name} {shown}"), "us", micros);
        }
    }
    let pages = times.page.count();
    report.add(format!("{prefix}pages read"), "", pages as f64);
    let rate = requests(times) / times.whole.as_secs_f64();
    report.add(format!("{prefix}answers per second"), "/s", rate);
}

fn add_counts(report: &mut Report, before: &Counts, after: &Counts) {
    let labelled = |metric, labels| {
        after.edge.of_labels(metric, labels) - before.edge.of_labels(metric, labels)
    };
    let hits = labelled(edge::HISTORY_CACHE, r#"outcome="hit""#);
    let misses = labelled(edge::HISTORY_CACHE, r#"outcome="miss""#);
    let positions = labelled(edge::HISTORY_QUESTIONS, r#"what="position""#);
    let pages = labelled(edge::HISTORY_QUESTIONS, r#"what="page""#);
    let reads = after.node.since(&before.node, backbone::READS);
    report.add("cache hit ratio", "", hits / (hits + misses));
    report.add("asked of the owner: where it stands", "", positions);
    report.add("asked of the owner: a page", "", pages);
    report.add("store reads", "", reads);
}

fn cpu_of(name: &str) -> String {
    format!("CPU per answer, {name}")
}

fn requests(times: &Times) -> f64 {
    (times.page.count() + times.same.count()) as f64
}

fn per_request(times: &Times, cpu_seconds: f64) -> f64 {
    cpu_seconds * 1e6 / requests(times)
}
