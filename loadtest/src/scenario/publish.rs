//! Durable publishes: how many a second, and how long each waits for its answer. A closed loop: the next one goes when one
//! is answered, so that the rate is what the mesh takes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use futures_util::future::try_join_all;

use super::publisher::{is_published, request};
use super::{floor_postgres, floor_store};
use crate::api::Api;
use crate::args::{FloorStoreArgs, PublishArgs, Road};
use crate::client::Client;
use crate::latency::Latency;
use crate::payload;
use crate::process::CpuWatch;
use crate::report::Report;

/// Publishes on each road in turn, and beside them on a bare database.
///
/// # Errors
/// When a publish is refused or the database fails.
pub(crate) async fn run(args: &PublishArgs) -> Result<Report> {
    let mut report = Report::new("publish");
    for _ in 0..args.rounds {
        for road in &args.roads {
            measure(args, *road, &mut report).await?;
        }
        if let Some(dir) = &args.floor_dir {
            let floor = FloorStoreArgs {
                dir: dir.clone(),
                submitters: args.publishers * args.in_flight,
                bytes: args.bytes,
                seconds: args.seconds,
                rounds: 1,
            };
            let answers = floor_store::measure(&floor).await?;
            answers.add_to(&mut report, "floor");
        }
        if let Some(dsn) = &args.floor_pg {
            let answers = floor_postgres::measure(args, dsn).await?;
            answers.add_to(&mut report, "floor");
        }
    }
    for road in &args.roads {
        let name = name_of(*road);
        report.add_ratio(
            &format!("floor / {name}, publishes per second"),
            "floor, publishes per second",
            &format!("{name}, publishes per second"),
        );
    }
    Ok(report)
}

/// CPU that servers used, connecting left out.
type Used<'a> = Vec<(&'a str, Duration)>;

async fn measure(args: &PublishArgs, road: Road, report: &mut Report) -> Result<()> {
    let (answers, used) = match road {
        Road::Ws => over_ws(args).await,
        Road::Api => over_api(args).await,
    }?;
    let name = name_of(road);
    answers.add_to(report, name);
    for (server, cpu) in used {
        let each = cpu.as_secs_f64() * 1e6 / answers.count().max(1) as f64;
        report.add(format!("{name}, CPU per publish, {server}"), "us", each);
    }
    Ok(())
}

const fn name_of(road: Road) -> &'static str {
    match road {
        Road::Ws => "WebSocket",
        Road::Api => "API",
    }
}

async fn over_ws(args: &PublishArgs) -> Result<(Answers, Used<'_>)> {
    let connections = (0..args.publishers).map(|_| Client::connect(&args.mesh.url, None));
    let clients = try_join_all(connections).await?;
    let watch = CpuWatch::start(&args.pid)?;
    let answers = RefCell::new(Answers::new());
    let end = Instant::now() + Duration::from_secs_f64(args.seconds);
    let publishers = clients
        .into_iter()
        .enumerate()
        .map(|(number, client)| pipeline(args, number, client, end, &answers));
    try_join_all(publishers).await?;
    Ok((answers.into_inner().done(), watch.used()?))
}

/// Keeps `in_flight` publishes under way on one connection.
async fn pipeline(
    args: &PublishArgs,
    number: usize,
    mut client: Client,
    end: Instant,
    answers: &RefCell<Answers>,
) -> Result<()> {
    let channel = channel_of(args, number);
    let mut waiting = BTreeMap::new();
    let mut free = args.in_flight;
    loop {
        let now = Instant::now();
        if now < end && free > 0 {
            let payload = Bytes::from(payload::sent_at(payload::now(), args.bytes));
            let requests = (0..free).map(|_| request(&channel, &payload));
            let ids = client.send_all(requests).await?;
            waiting.extend(ids.map(|id| (id, now)));
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let replies = client.replies().await?;
        free = replies.len();
        for reply in replies {
            is_published(&reply.body)?;
            let sent = waiting.remove(&reply.id).context("an answer to nothing")?;
            answers.borrow_mut().record(sent.elapsed());
        }
    }
}

async fn over_api(args: &PublishArgs) -> Result<(Answers, Used<'_>)> {
    let count = args.publishers * args.in_flight;
    let connections = (0..count).map(|_| Api::connect(&args.mesh));
    let connections = try_join_all(connections).await?;
    let watch = CpuWatch::start(&args.pid)?;
    let answers = RefCell::new(Answers::new());
    let end = Instant::now() + Duration::from_secs_f64(args.seconds);
    let publishers = connections
        .into_iter()
        .enumerate()
        .map(|(number, api)| one_by_one(args, number / args.in_flight, api, end, &answers));
    try_join_all(publishers).await?;
    Ok((answers.into_inner().done(), watch.used()?))
}

async fn one_by_one(
    args: &PublishArgs,
    number: usize,
    mut api: Api,
    end: Instant,
    answers: &RefCell<Answers>,
) -> Result<()> {
    let channel = channel_of(args, number);
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(());
        }
        let payload = payload::sent_at(payload::now(), args.bytes);
        api.publish(&channel, &payload).await?;
        answers.borrow_mut().record(sent.elapsed());
    }
}

fn channel_of(args: &PublishArgs, publisher: usize) -> String {
    match publisher.checked_rem(args.channels) {
        Some(number) => format!("{}-{number}", args.channel),
        None => args.channel.clone(),
    }
}

/// Answers of a run.
#[derive(Debug)]
pub(crate) struct Answers {
    started: Instant,
    took: Duration,
    latency: Latency,
}

impl Answers {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            took: Duration::ZERO,
            latency: Latency::new(),
        }
    }

    pub(crate) fn record(&mut self, waited: Duration) {
        self.latency.record(waited);
    }

    /// Ends the run.
    pub(crate) fn done(mut self) -> Self {
        self.took = self.started.elapsed();
        self
    }

    pub(crate) fn count(&self) -> u64 {
        self.latency.count()
    }

    /// Adds rate and percentiles to a report.
    pub(crate) fn add_to(&self, report: &mut Report, name: &str) {
        let rate = self.count() as f64 / self.took.as_secs_f64();
        report.add(format!("{name}, publishes per second"), "/s", rate);
        report.add(
            format!("{name}, answer p50"),
            "us",
            self.latency.micros(50.0),
        );
        report.add(
            format!("{name}, answer p99"),
            "us",
            self.latency.micros(99.0),
        );
    }
}
