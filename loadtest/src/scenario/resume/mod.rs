//! Many connections that are dropped, miss messages, and come back together with their positions.

mod crowd;
mod returning;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use trunkline_telemetry::names::{backbone, link, upstream};

use self::crowd::Crowd;
use super::idle::allow_files;
use super::ping;
use super::publisher::{TOGETHER, publish_together, request};
use crate::args::{ResumeArgs, Rtt};
use crate::client::{Client, PATIENCE};
use crate::metrics::{Counted, Counts};
use crate::payload;
use crate::report::Report;
use crate::target::Target;
use crate::wan::{CONNECTIONS_MAX, TcpRelay, WanConfig};

/// Questions that tell how long a round trip to the edge takes.
const QUESTIONS: usize = 20;

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
    // Through a relay each is three sockets of this process.
    let sockets = args.client_rtt.map_or(1, |_| 3);
    allow_files(args.connections * sockets)?;
    let mut publisher = Client::connect(&args.mesh.url, None).await?;
    let relay = args.client_rtt.map(|rtt| relay(args, rtt)).transpose()?;
    let url = relay
        .as_ref()
        .map_or(args.mesh.url.clone(), |relay| Target {
            address: relay.address(),
            ..args.mesh.url.clone()
        });
    let mut crowd = Crowd::new(args, url);
    drop(crowd.come(0).await?);
    let mut report = Report::new("resume");
    for _ in 0..args.rounds {
        miss(args, &mut publisher).await?;
        measure(&mut crowd, &mut report).await?;
    }
    Ok(report)
}

/// Makes distance between those who come back and the edge.
fn relay(args: &ResumeArgs, Rtt(rtt): Rtt) -> Result<TcpRelay> {
    ensure!(
        args.connections <= CONNECTIONS_MAX,
        "--connections is {}: with --client-rtt at most {CONNECTIONS_MAX} go",
        args.connections
    );
    let (listen, edge) = (SocketAddr::from(([127, 0, 0, 1], 0)), args.mesh.url.address);
    TcpRelay::start(listen, edge, WanConfig::round_trip(rtt), 0).context("relay")
}

/// Lets all come back, and compares what edge and node counted before and after.
async fn measure(crowd: &mut Crowd<'_>, report: &mut Report) -> Result<()> {
    let args = crowd.args();
    let before = Counts::read(&args.metrics).await?;
    let start = Instant::now();
    let mut back = crowd.come(args.missed).await?;
    let whole = start.elapsed();
    let after = Counts::read(&args.metrics).await?;
    let first = back.clients.first_mut().context("nobody came back")?;
    let round_trip = ping::edge_only(first, QUESTIONS).await?;
    drop(back.clients);
    let resumes = (args.connections * args.channels) as f64;
    let (took, resumed_in) = (back.took, back.resumed_in);
    report.add("connect to recovered p50", "us", took.micros(50.0));
    report.add("connect to recovered p99", "us", took.micros(99.0));
    report.add(
        "socket open to recovered p50",
        "us",
        resumed_in.micros(50.0),
    );
    report.add(
        "socket open to recovered p99",
        "us",
        resumed_in.micros(99.0),
    );
    report.add("round trip to the edge p50", "us", round_trip.micros(50.0));
    report.add("all recovered", "ms", whole.as_secs_f64() * 1000.0);
    report.add("resumes", "", resumes);
    report.add("messages recovered", "", resumes * args.missed as f64);
    let of_edge = |metric| after.edge.since(&before.edge, metric);
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
    let reads = after.node.since(&before.node, backbone::READS);
    report.add("store reads", "", reads);
    Ok(())
}

/// Publishes into every channel what everybody misses, and waits until the edge has it.
async fn miss(args: &ResumeArgs, publisher: &mut Client) -> Result<()> {
    let before = Counted::read(&args.metrics.edge_metrics).await?;
    let payload = Bytes::from(payload::sent_at(payload::now(), args.bytes));
    let channels: Vec<String> = (0..args.pool).map(|number| name(args, number)).collect();
    for _ in 0..args.missed {
        for batch in channels.chunks(TOGETHER) {
            let requests = batch.iter().map(|channel| request(channel, &payload));
            publish_together(publisher, requests).await?;
        }
    }
    let wanted = (args.pool * args.missed) as f64;
    let start = Instant::now();
    loop {
        let after = Counted::read(&args.metrics.edge_metrics).await?;
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

fn name(args: &ResumeArgs, number: usize) -> String {
    format!("{}:loadtest-resume-{number}", args.namespace)
}
