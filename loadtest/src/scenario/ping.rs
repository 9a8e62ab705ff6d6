//! The trip edge, owner, edge: a question that only a channel's owner can answer, one at a time. Beside it one that the edge
//! answers by itself.

use std::time::Instant;

use anyhow::{Result, ensure};
use trunkline_protocol::message::{HistoryRequest, RpcRequest};
use trunkline_protocol::{ErrorCode, ReplyBody, Request};

use crate::args::PingArgs;
use crate::client::Client;
use crate::latency::Latency;
use crate::report::Report;

/// Asks for a channel's position, then for a method that doesn't exist, over and over.
///
/// # Errors
/// When an answer isn't the expected one.
pub(crate) async fn run(args: &PingArgs) -> Result<Report> {
    let mut client = Client::connect(&args.mesh.url, None).await?;
    let mut report = Report::new("ping");
    for _ in 0..args.rounds {
        let owner = ask(args.count, &mut client, position(args), is_position).await?;
        add(&mut report, "edge, owner, edge", &owner);
        let edge = edge_only(&mut client, args.count).await?;
        add(&mut report, "edge only", &edge);
    }
    report.add_ratio("ratio p50", "edge, owner, edge p50", "edge only p50");
    Ok(report)
}

/// How long so many questions take that an edge answers by itself, one at a time.
///
/// # Errors
/// When an answer isn't the expected one.
pub(super) async fn edge_only(client: &mut Client, count: usize) -> Result<Latency> {
    ask(count, client, unknown_method(), is_unknown).await
}

fn add(report: &mut Report, name: &str, latency: &Latency) {
    report.add(format!("{name} p50"), "us", latency.micros(50.0));
    report.add(format!("{name} p99"), "us", latency.micros(99.0));
}

async fn ask(
    count: usize,
    client: &mut Client,
    request: Request,
    is_expected: fn(&ReplyBody) -> bool,
) -> Result<Latency> {
    let mut latency = Latency::new();
    for _ in 0..count {
        let sent = Instant::now();
        let reply = client.ask(request.clone()).await?;
        latency.record(sent.elapsed());
        ensure!(is_expected(&reply), "unexpected answer: {reply:?}");
    }
    Ok(latency)
}

fn position(args: &PingArgs) -> Request {
    Request::History(HistoryRequest {
        channel: args.channel.clone(),
        ..HistoryRequest::default()
    })
}

fn unknown_method() -> Request {
    Request::Rpc(RpcRequest {
        method: "loadtest.none".to_owned(),
        ..RpcRequest::default()
    })
}

const fn is_position(reply: &ReplyBody) -> bool {
    matches!(reply, ReplyBody::History(_))
}

fn is_unknown(reply: &ReplyBody) -> bool {
    matches!(reply, ReplyBody::Error(error) if error.code == ErrorCode::NotAvailable.code())
}
