//! A node that is ended between the commit of a message and its answer.

use std::mem::MaybeUninit;
use std::path::Path;
use std::thread;

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use serde_json::{Value, json};

use crate::check::history;
use crate::harness::api;
use crate::harness::process::Process;
use crate::stage::{Stage, metric};

/// Attempts at the moment between a commit and its answer, which is short.
const ATTEMPTS_MAX: u64 = 40;

/// Tells the writes into a directory's files.
struct Writes(OwnedFd);

impl Writes {
    fn watch(directory: &Path) -> Self {
        let watch = inotify::init(CreateFlags::CLOEXEC).expect("inotify is there");
        inotify::add_watch(&watch, directory, WatchFlags::MODIFY)
            .expect("the directory can be watched");
        Self(watch)
    }

    /// Waits for the next write.
    fn wait(&self) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        Reader::new(&self.0, &mut buffer)
            .next()
            .expect("a write is told");
    }
}

/// Publishes one message; ends the node as soon as it writes to its journal, and starts it again.
///
/// Returns the new node and what the publisher was answered.
fn publish_and_freeze(
    stage: &Stage,
    node: Process,
    edge: &str,
    channel: &str,
    number: u64,
) -> (Process, Value) {
    let link = node.address("link");
    let writes = Writes::watch(&stage.store("store").join("data"));
    let body = json!({ "channel": channel, "data": [0, number] });
    thread::scope(|scope| {
        let publish = scope.spawn(|| api(edge, "publish", &body));
        writes.wait();
        node.freeze();
        node.kill();
        let node = stage.node("store", &link, "");
        (node, publish.join().expect("an answer"))
    })
}

/// Makes attempts until the new node has found a message that the old one had committed and not answered.
pub(crate) fn ends_between_commit_and_answer(stage: &Stage) {
    let mut node = stage.node("store", &stage.any_port(), "");
    let edge = stage.edge("edge-1", &stage.any_port(), &node.address("link"));
    let listen = edge.address("listen");
    let channel = "chat:frozen";
    for number in 0..ATTEMPTS_MAX {
        let answer;
        (node, answer) = publish_and_freeze(stage, node, &listen, channel, number);
        assert_eq!(answer["result"]["offset"], number + 1, "{answer}");
        let kept: Vec<_> = (0..=number)
            .map(|number| (number + 1, (0, number)))
            .collect();
        assert_eq!(history(&listen, channel).1, kept);
        if metric(&node, "trunkline_backbone_repeats_found") == 1 {
            return eprintln!("frozen: found by the new node, attempt {}", number + 1);
        }
    }
    panic!("no attempt of {ATTEMPTS_MAX} hit the moment between a commit and its answer");
}
