//! Reads the pages of all processes, at the same time, again and again.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use trunkline_backbone::RingPage;
use trunkline_process::Failure;
use ureq::Agent;

use super::page::Page;
use super::process::{Process, Reading};
use super::target::{Target, Targets};
use crate::commands::admin;

/// Time between readings.
const INTERVAL: Duration = Duration::from_secs(1);

/// Pages come from a thread of its own, so that a slow process doesn't keep keys from being heard.
pub(super) struct Poll {
    readings: mpsc::Receiver<Vec<Process>>,
}

impl Poll {
    pub(super) fn start(targets: Targets) -> Result<Self, Failure> {
        let (sender, readings) = mpsc::channel(1);
        thread::Builder::new()
            .name("poll".to_owned())
            .spawn(move || {
                let mut reader = Reader::new(targets);
                while sender.blocking_send(reader.read()).is_ok() {
                    thread::sleep(INTERVAL);
                }
            })
            .map_err(|error| Failure::Run(format!("thread poll: {error}")))?;
        Ok(Self { readings })
    }

    /// The next readings; may be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Vec<Process>> {
        self.readings.recv().await
    }
}

/// Two readings an interval apart: the least that has rates.
pub(super) fn twice(targets: Targets) -> Vec<Process> {
    let mut reader = Reader::new(targets);
    reader.read();
    thread::sleep(INTERVAL);
    reader.read()
}

struct Reader {
    targets: Targets,
    agent: Agent,
    last: BTreeMap<String, Reading>,
}

impl Reader {
    fn new(targets: Targets) -> Self {
        Self {
            targets,
            agent: admin::agent(),
            last: BTreeMap::new(),
        }
    }

    fn read(&mut self) -> Vec<Process> {
        let targets = self.targets.now();
        let readings = thread::scope(|scope| {
            let asked: Vec<_> = targets
                .iter()
                .map(|target| scope.spawn(|| reading(&self.agent, target)))
                .collect();
            let answers = asked
                .into_iter()
                .map(|one| one.join().expect("no panics in it"));
            answers.collect::<Vec<_>>()
        });
        let processes = targets.into_iter().zip(readings).map(|(target, now)| {
            let before = self.last.insert(target.name.clone(), now.clone());
            Process::new(target.name, before, now)
        });
        processes.collect()
    }
}

fn reading(agent: &Agent, target: &Target) -> Reading {
    let page = page(agent, target);
    let of_node = page.as_ref().is_ok_and(|page| !page.is_of_edge());
    Reading {
        at: Instant::now(),
        // A node that can't tell of its ring is shown without one.
        ring: of_node.then(|| ring(agent, target).ok()).flatten(),
        page: page.map_err(|error| error.to_string()),
        memory: target.pid.and_then(memory),
    }
}

fn page(agent: &Agent, target: &Target) -> Result<Page, ureq::Error> {
    let text = admin::text(agent, &format!("http://{}/metrics", target.admin))?;
    Ok(Page::parse(&text))
}

fn ring(agent: &Agent, target: &Target) -> Result<RingPage, String> {
    admin::json(agent, &format!("http://{}/ring", target.admin))
}

/// Bytes resident, as the kernel counts them.
fn memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
