//! Deliveries to many subscribers of one channel: what they cost the servers, how long they take.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};

use super::floor::FloorServer;
use super::publisher::{self, Plan};
use super::subscribers::{Received, follow};
use crate::args::{FanoutArgs, PaceArgs};
use crate::client::Client;
use crate::pace::Pace;
use crate::process::CpuWatch;
use crate::report::Report;

/// Length of the run that isn't counted, which warms everything up and tells how long a frame is.
const WARM_UP_SECONDS: f64 = 1.0;

/// Subscribes, publishes, counts; with `floor` a bare server in turn with the mesh.
///
/// # Errors
/// When anything is refused, or a delivery is missing or doubled.
pub(crate) async fn run(args: &FanoutArgs) -> Result<Report> {
    let received = Received::new();
    for number in 0..args.subscribers {
        let client = subscriber(args).await;
        follow(
            client.with_context(|| format!("subscriber {number}"))?,
            &received,
        );
    }
    let plan = plan(args, args.pace);
    let warm_up = plan_of(
        &plan,
        PaceArgs {
            seconds: args.pace.seconds.min(WARM_UP_SECONDS),
            ..args.pace
        },
    );
    publish(&received, warm_up).await?;
    let mut floor = match args.floor {
        true => Some(FloorServer::start(args, received.frame_bytes()).await?),
        false => None,
    };
    let mut report = Report::new("fanout");
    report.add("frame", "bytes", received.frame_bytes() as f64);
    for _ in 0..args.rounds {
        measure(args, &received, &plan, &mut report).await?;
        if let Some(floor) = &mut floor {
            floor.measure(&mut report).await?;
        }
    }
    add_ratios(args, &mut report);
    Ok(report)
}

async fn subscriber(args: &FanoutArgs) -> Result<Client> {
    let mut client = Client::connect(&args.mesh.url, None).await?;
    client.subscribe(&args.channel).await?;
    Ok(client)
}

fn plan(args: &FanoutArgs, pace: PaceArgs) -> Plan {
    Plan {
        mesh: args.mesh.clone(),
        channel: args.channel.clone(),
        bytes: args.bytes,
        pace: Pace::new(pace),
        road: args.road,
    }
}

fn plan_of(plan: &Plan, pace: PaceArgs) -> Plan {
    Plan {
        pace: Pace::new(pace),
        ..plan.clone()
    }
}

/// One run against the mesh.
async fn measure(
    args: &FanoutArgs,
    received: &Rc<Received>,
    plan: &Plan,
    report: &mut Report,
) -> Result<()> {
    let watch = CpuWatch::start(&args.pid)?;
    let (deliveries, lateness) = publish(received, plan.clone()).await?;
    let used = watch.used()?;
    report.add("deliveries", "", deliveries as f64);
    let whole: Duration = used.iter().map(|(_, cpu)| *cpu).sum();
    for (name, cpu) in used {
        report.add(cpu_of(name), "us", per_delivery(cpu, deliveries));
    }
    if args.pid.len() > 1 {
        report.add(cpu_of("all servers"), "us", per_delivery(whole, deliveries));
    }
    report.add("latency p50", "us", received.micros(50.0));
    report.add("latency p99", "us", received.micros(99.0));
    report.add("publisher late p99", "us", lateness);
    Ok(())
}

/// Publishes a plan and waits for all deliveries; returns their number and the publisher's lateness.
async fn publish(received: &Rc<Received>, plan: Plan) -> Result<(u64, f64)> {
    received.clear();
    let each = plan.pace.messages();
    let lateness = publisher::run(plan).await?;
    let deliveries = received.wait_for(each).await?;
    Ok((deliveries, lateness.micros(99.0)))
}

fn add_ratios(args: &FanoutArgs, report: &mut Report) {
    let names = args.pid.iter().map(|watched| &*watched.name);
    for name in names.chain(["all servers"]) {
        report.add_ratio(&format!("{name} / floor"), &cpu_of(name), &cpu_of("floor"));
    }
}

/// The name of a process's figure.
pub(super) fn cpu_of(name: &str) -> String {
    format!("CPU per delivery, {name}")
}

/// Microseconds per delivery.
pub(super) fn per_delivery(cpu: Duration, deliveries: u64) -> f64 {
    cpu.as_secs_f64() * 1e6 / deliveries.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_shared_by_the_deliveries() {
        let cost = per_delivery(Duration::from_secs(2), 1_000_000);
        assert!((cost - 2.0).abs() < 1e-9);
        assert!(per_delivery(Duration::ZERO, 0).abs() < f64::EPSILON);
    }
}
