//! Publishers and subscribers of one channel, under which a test kills something.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;

use super::publisher::{Plan, Progress, Publisher, Sent};
use super::seed::Seed;
use super::subscriber::{END, Log, Subscriber};
use crate::harness::{PATIENCE, api, wait_until};

/// A moment is so much later than the answer that it is counted from.
const LATER_MAX_MICROS: u64 = 2000;

/// Time in which subscribers get the last message, before it is said again.
const AGAIN: Duration = Duration::from_millis(100);

/// The load of one channel.
pub(crate) struct Load {
    progress: Arc<Progress>,
    publishers: Vec<JoinHandle<Vec<Sent>>>,
    subscribers: [JoinHandle<Log>; 2],
    subscribed: Receiver<()>,
    ended: Receiver<()>,
}

impl Load {
    /// Subscribes one subscriber per edge, waits for both, then begins to publish.
    pub(crate) fn start(channel: &str, edges: [&str; 2], plans: &[Plan]) -> Self {
        let (subscribed, each) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let subscribers =
            edges.map(|edge| Subscriber::start(edge, channel, subscribed.clone(), end.clone()));
        for _ in edges {
            each.recv_timeout(PATIENCE).expect("subscribed");
        }
        let progress = Arc::default();
        let publishers = plans
            .iter()
            .map(|plan| Publisher::start(plan.clone(), &progress));
        Self {
            publishers: publishers.collect(),
            progress,
            subscribers,
            subscribed: each,
            ended,
        }
    }

    /// Waits until both subscribers have subscribed again.
    pub(crate) fn wait_for_subscribers(&self) {
        for _ in &self.subscribers {
            self.subscribed.recv_timeout(PATIENCE).expect("subscribed");
        }
    }

    /// Waits for `count` acks more and then a little.
    pub(crate) fn wait_for(&self, count: u64, seed: &mut Seed) {
        self.progress.wait_for(count);
        let later = Duration::from_micros(seed.below(LATER_MAX_MICROS));
        let from = Instant::now();
        while from.elapsed() < later {}
    }

    /// Lets publishers without a number end.
    pub(crate) fn stop(&self) {
        self.progress.stop();
    }

    /// Waits until everything has been published and subscribers have got it: what was sent, what each edge's got.
    pub(crate) fn finish(self, edge: &str, channel: &str) -> (Vec<Sent>, [Log; 2]) {
        let sent = self
            .publishers
            .into_iter()
            .flat_map(|one| one.join().expect("a publisher"))
            .collect();
        // Said again as long as somebody may have missed it.
        let last = json!({ "channel": channel, "data": [END, 0] });
        let mut waiting = self.subscribers.len();
        wait_until("the end of subscribers", || {
            api(edge, "publish", &last);
            while waiting > 0 && self.ended.recv_timeout(AGAIN).is_ok() {
                waiting -= 1;
            }
            (waiting == 0 || self.subscribers.iter().all(JoinHandle::is_finished)).then_some(())
        });
        let logs = self
            .subscribers
            .map(|one| one.join().expect("a subscriber"));
        (sent, logs)
    }
}
