//! Drives one shard: takes everything that has come, feeds the machine, performs what it wants.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use trunkline_backbone_core::io::{
    EdgeIdentity, Input, Output, StoreAnswer, StoreRequest, StoreTicket,
};
use trunkline_backbone_core::{Counters, Gauges, Shard};
use trunkline_link::{LinkSender, Outgoing};
use trunkline_process::Clock;
use trunkline_shared::frame::{ToEdge, ToNode};
use trunkline_shared::{LinkId, StreamId};
use trunkline_store_core::MessageStore;

use crate::membership::MembershipMessage;
use crate::sink::Queue;
use crate::store_driver::StoreDriver;

/// What a shard's task is told.
#[expect(
    clippy::large_enum_variant,
    reason = "queues hold few of them at a time; a box would cost an allocation each"
)]
pub(crate) enum ShardMessage {
    LinkUp {
        link: LinkId,
        edge: EdgeIdentity,
        sender: LinkSender<ToEdge>,
    },
    LinkDown {
        link: LinkId,
        goodbye: bool,
    },
    Frames {
        link: LinkId,
        frames: Vec<ToNode>,
        weight: usize,
    },
    Sent {
        link: LinkId,
        stream: StreamId,
        weight: usize,
    },
    Input(Input),
    /// Asks for the numbers that metrics show.
    Observe(oneshot::Sender<(Counters, Gauges)>),
}

/// Messages that are worked on before what they gave is sent: a bound on latency, not on memory.
const BATCH: usize = 256;

/// One shard with everything that it is carried by.
pub(crate) struct ShardTask<S> {
    /// Its place among the node's shards.
    pub(crate) index: usize,
    pub(crate) shard: Shard,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<StoreDriver<S>>,
    pub(crate) inbox: UnboundedReceiver<ShardMessage>,
    /// The way into its own inbox.
    pub(crate) queue: Queue<ShardMessage>,
    /// Requests to the store under way; the process ends after them.
    pub(crate) requests: TaskTracker,
    pub(crate) links: HashMap<LinkId, LinkSender<ToEdge>>,
    /// Where it says how far it is with a view.
    pub(crate) membership: Queue<MembershipMessage>,
}

impl<S: MessageStore> ShardTask<S> {
    /// Runs until every sender of its inbox but its own is gone and it is aborted, or the process ends.
    pub(crate) async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let wake = self
                .shard
                .poll_timeout()
                .map(|(instant, _)| self.clock.to_tokio(instant));
            tokio::select! {
                count = self.inbox.recv_many(&mut batch, BATCH) => if count == 0 { return },
                () = sleep_until(wake) => self.shard.handle_timeout(self.clock.now()),
            }
            batch.drain(..).for_each(|message| self.take(message));
            self.perform_all();
        }
    }

    fn take(&mut self, message: ShardMessage) {
        let now = self.clock.now();
        match message {
            ShardMessage::LinkUp { link, edge, sender } => {
                self.links.insert(link, sender);
                self.shard.handle_input(now, Input::LinkUp { link, edge });
            }
            ShardMessage::LinkDown { link, goodbye } => {
                self.links.remove(&link);
                self.shard
                    .handle_input(now, Input::LinkDown { link, goodbye });
            }
            ShardMessage::Frames {
                link,
                frames,
                weight,
            } => {
                self.queue.inbox.taken(weight);
                for frame in frames {
                    self.shard.handle_input(now, Input::Frame { link, frame });
                }
            }
            ShardMessage::Sent {
                link,
                stream,
                weight,
            } => {
                self.shard.handle_input(
                    now,
                    Input::Sent {
                        link,
                        stream,
                        weight,
                    },
                );
            }
            ShardMessage::Input(input) => self.shard.handle_input(now, input),
            ShardMessage::Observe(answer) => {
                let _ = answer.send((*self.shard.counters(), self.shard.gauges()));
            }
        }
    }

    fn perform_all(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            match output {
                Output::Send {
                    link,
                    stream,
                    frame,
                } => self.send(link, stream, &frame),
                Output::Store(ticket, request) => self.ask(ticket, request),
                Output::Settled { version } => {
                    let shard = self.index;
                    self.membership
                        .say(MembershipMessage::Settled { shard, version });
                }
                Output::NeedView { version } => {
                    self.membership.say(MembershipMessage::Needed(version));
                }
                Output::Close { link, reason } => {
                    if let Some(sender) = self.links.get(&link) {
                        sender.close(reason);
                    }
                }
            }
        }
    }

    fn send(&mut self, link: LinkId, stream: StreamId, frame: &ToEdge) {
        let Some(sender) = self.links.get(&link) else {
            return;
        };
        match Outgoing::encode(frame) {
            Ok(outgoing) => {
                sender.send(stream, &outgoing);
            }
            Err(error) => sender.close(&format!("a frame for the edge can't be encoded: {error}")),
        }
        if stream == StreamId::Ephemeral {
            // The link bounds that queue itself and several shards share it: the shard's account stays empty.
            let weight = frame.weight();
            self.shard.handle_input(
                self.clock.now(),
                Input::Sent {
                    link,
                    stream,
                    weight,
                },
            );
        }
    }

    fn ask(&self, ticket: StoreTicket, request: StoreRequest) {
        let (store, queue) = (Arc::clone(&self.store), self.queue.clone());
        self.requests.spawn(async move {
            let answer: StoreAnswer = store.ask(request).await;
            queue.say(ShardMessage::Input(Input::Store(ticket, answer)));
        });
    }
}

/// Sleeps until `wake`, for ever when there is nothing to wake for.
pub(crate) async fn sleep_until(wake: Option<tokio::time::Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}
