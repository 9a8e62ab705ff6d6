//! Many connections that are dropped, miss messages, and come back together with their positions.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use trunkline_telemetry::names::{backbone, link, upstream};

use super::idle::allow_files;
use super::publisher::{is_published, request};
use super::returning::{Known, Returning};
use crate::args::ResumeArgs;
use crate::client::{Client, PATIENCE};
use crate::latency::Latency;
use crate::metrics::Counted;
use crate::payload;
use crate::report::Report;

/// Publishes sent in one frame, below what an edge takes of a connection at once.
const BATCH: usize = 128;

/// How often it is looked whether the edge has all messages.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Drops all connections, publishes, lets all come back; checks that each recovers everything.
///
/// # Errors
/// When a connection is refused, or anything isn't recovered.
pub(crate) async fn run(args: &ResumeArgs) -> Result<Report> {
    ensure!(
        (1..=args.pool).contains(&args.channels),
        "--channels is {}, --pool {}: between 1 and the pool are needed",
        args.channels,
        args.pool
    );
    allow_files(args.connections)?;
    let mut publisher = Client::connect(&args.mesh.url, None).await?;
    let mut known = vec![Known::default(); args.pool];
    drop(all_come(args, &mut known, 0).await?);
    let mut report = Report::new("resume");
    for _ in 0..args.rounds {
        miss(args, &mut publisher).await?;
        measure(args, &mut known, &mut report).await?;
    }
    Ok(report)
}

/// Lets all come back, and compares what edge and node counted before and after.
async fn measure(args: &ResumeArgs, known: &mut [Known], report: &mut Report) -> Result<()> {
    let (edge, node) = counted(args).await?;
    let start = Instant::now();
    let (latency, clients) = all_come(args, known, args.missed).await?;
    let whole = start.elapsed();
    let (edge_after, node_after) = counted(args).await?;
    drop(clients);
    let resumes = (args.connections * args.channels) as f64;
    report.add("connect to recovered p50", "us", latency.micros(50.0));
    report.add("connect to recovered p99", "us", latency.micros(99.0));
    report.add("all recovered", "ms", whole.as_secs_f64() * 1000.0);
    report.add("resumes", "", resumes);
    report.add("messages recovered", "", resumes * args.missed as f64);
    let of_edge = |metric| edge_after.since(&edge, metric);
    report.add(
        "answered by the edge",
        "",
        of_edge(upstream::RESUMES_AT_EDGE),
    );
    report.add(
        "asked of the owner",
        "",
        of_edge(upstream::RESUMES_AT_OWNER),
    );
    report.add("frames from edge to nodes", "", of_edge(link::FRAMES_OUT));
    report.add("store reads", "", node_after.since(&node, backbone::READS));
    Ok(())
}

async fn counted(args: &ResumeArgs) -> Result<(Counted, Counted)> {
    let edge = Counted::read(&args.edge_metrics).await?;
    Ok((edge, Counted::read(&args.node_metrics).await?))
}

/// Publishes into every channel what everybody misses, and waits until the edge has it.
async fn miss(args: &ResumeArgs, publisher: &mut Client) -> Result<()> {
    let before = Counted::read(&args.edge_metrics).await?;
    let payload = Bytes::from(payload::sent_at(payload::now(), args.bytes));
    let channels: Vec<String> = (0..args.pool).map(|number| name(args, number)).collect();
    for _ in 0..args.missed {
        for batch in channels.chunks(BATCH) {
            publish(publisher, batch, &payload).await?;
        }
    }
    let wanted = (args.pool * args.missed) as f64;
    let start = Instant::now();
    loop {
        let after = Counted::read(&args.edge_metrics).await?;
        let had = after.since(&before, upstream::PUBLICATIONS);
        if had >= wanted {
            return Ok(());
        }
        ensure!(
            start.elapsed() < PATIENCE,
            "the edge has {had} of {wanted} messages: it doesn't hold the channels any more"
        );
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

async fn publish(publisher: &mut Client, channels: &[String], payload: &Bytes) -> Result<()> {
    let requests = channels.iter().map(|channel| request(channel, payload));
    let mut unanswered = publisher.send_all(requests).await?.len();
    while unanswered > 0 {
        for reply in publisher.replies().await? {
            is_published(&reply.body)?;
            unanswered -= 1;
        }
    }
    Ok(())
}

/// All connect and subscribe together; returns how long each took.
async fn all_come(
    args: &ResumeArgs,
    known: &mut [Known],
    missed: usize,
) -> Result<(Latency, Vec<Client>)> {
    let before: Rc<[Known]> = known.into();
    let come = |number| {
        let of_pool = |place| (number * args.channels + place) % args.pool;
        let places: Vec<usize> = (0..args.channels).map(of_pool).collect();
        let channels = places.iter().map(|place| name(args, *place)).collect();
        let returning = Returning {
            url: args.mesh.url.clone(),
            channels,
            places,
            missed,
        };
        tokio::task::spawn_local(returning.come(Rc::clone(&before)))
    };
    let tasks: Vec<_> = (0..args.connections).map(come).collect();
    let (mut latency, mut clients) = (Latency::new(), Vec::new());
    for (number, task) in tasks.into_iter().enumerate() {
        let came = task
            .await?
            .with_context(|| format!("connection {number}"))?;
        latency.record(came.took);
        clients.push(came.client);
        for (place, position) in came.known {
            known[place] = position;
        }
    }
    Ok((latency, clients))
}

fn name(args: &ResumeArgs, number: usize) -> String {
    format!("{}:loadtest-resume-{number}", args.namespace)
}
