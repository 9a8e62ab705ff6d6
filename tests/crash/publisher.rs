//! Publishers under which something is killed: numbered messages, many under way, each answer noted.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use serde_json::{Value, json};

use super::client::{Client, Gone, PACE};
use crate::harness::PATIENCE;

/// A message: its publisher, and its number there from 0.
pub(crate) type Payload = (u64, u64);

/// What a publisher does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) edge: String,
    pub(crate) channel: String,
    pub(crate) publisher: u64,
    /// Messages in all.
    pub(crate) count: usize,
    /// Messages under way at the same time.
    pub(crate) window: usize,
}

/// What publishers tell a test while they run, and it them.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    acked: Mutex<u64>,
    changed: Condvar,
    stop: AtomicBool,
}

impl Progress {
    /// Waits until `count` more have been acked.
    pub(crate) fn wait_for(&self, count: u64) {
        let acked = self.acked.lock().expect("no panics while held");
        let wanted = *acked + count;
        let waited = self
            .changed
            .wait_timeout_while(acked, PATIENCE, |acked| *acked < wanted);
        let (acked, _) = waited.expect("no panics while held");
        assert!(
            *acked >= wanted,
            "{acked} of {wanted} acked in {PATIENCE:?}"
        );
    }

    fn add(&self) {
        *self.acked.lock().expect("no panics while held") += 1;
        self.changed.notify_all();
    }

    /// Lets publishers end when what is under way has been answered.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// One message's fate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) payload: Payload,
    pub(crate) at: Instant,
    /// When it was answered, if ever.
    pub(crate) answered_at: Option<Instant>,
    /// Whether the answer was "kept".
    pub(crate) acked: bool,
}

/// A publisher at work.
pub(crate) struct Publisher {
    plan: Plan,
    progress: Arc<Progress>,
    sent: Vec<Sent>,
}

impl Publisher {
    /// Begins to publish; the thread returns what became of each message.
    pub(crate) fn start(plan: Plan, progress: &Arc<Progress>) -> JoinHandle<Vec<Sent>> {
        let mut publisher = Self {
            plan,
            progress: Arc::clone(progress),
            sent: Vec::new(),
        };
        thread::spawn(move || {
            while !publisher.is_done() {
                let client = Client::connect(&publisher.plan.edge);
                // What a lost connection left unanswered stays so: it isn't known what became of it.
                let _ = publisher.publish(client);
            }
            publisher.sent
        })
    }

    fn is_done(&self) -> bool {
        self.sent.len() == self.plan.count || self.progress.stop.load(Ordering::SeqCst)
    }

    fn publish(&mut self, mut client: Client) -> Result<(), Gone> {
        let mut open = BTreeSet::new();
        loop {
            let commands = self.take(&mut open);
            if !commands.is_empty() {
                client.send(&commands)?;
            }
            if open.is_empty() {
                return Ok(());
            }
            let replies = client.receive()?;
            if replies.iter().any(|reply| reply.get("error").is_some()) {
                // What is refused at once would otherwise take the processor from what is to come back.
                thread::park_timeout(PACE);
            }
            replies
                .iter()
                .for_each(|reply| self.on_reply(reply, &mut open));
        }
    }

    /// The next commands for which the window has room.
    fn take(&mut self, open: &mut BTreeSet<usize>) -> Vec<Value> {
        let mut commands = Vec::new();
        while open.len() < self.plan.window && !self.is_done() {
            let index = self.sent.len();
            let payload = (self.plan.publisher, index as u64);
            open.insert(index);
            self.sent.push(Sent {
                payload,
                at: Instant::now(),
                answered_at: None,
                acked: false,
            });
            commands.push(json!({
                "id": id_of(index), "publish": { "channel": self.plan.channel, "data": payload },
            }));
        }
        commands
    }

    fn on_reply(&mut self, reply: &Value, open: &mut BTreeSet<usize>) {
        let index = open
            .iter()
            .copied()
            .find(|index| reply["id"] == id_of(*index));
        let index = index.unwrap_or_else(|| panic!("an answer to nothing: {reply}"));
        open.remove(&index);
        let code = reply["error"]["code"].as_u64();
        assert!(matches!(code, None | Some(100)), "{reply}");
        let sent = &mut self.sent[index];
        sent.answered_at = Some(Instant::now());
        sent.acked = code.is_none();
        if sent.acked {
            self.progress.add();
        }
    }
}

/// The command's id: 1 was `connect`.
const fn id_of(index: usize) -> usize {
    index + 2
}
