//! Drives the machine of the control streams.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use trunkline_backbone_core::io::EdgeIdentity;
use trunkline_backbone_core::{Control, ControlCounters, ControlInput, ControlOutput};
use trunkline_link::{Inbox, LinkCounters, LinkSender, Outgoing};
use trunkline_process::Clock;
use trunkline_shared::frame::{ToEdge, ToNode};
use trunkline_shared::{Incarnation, LinkId, StreamId};

use crate::doubles::Doubles;
use crate::membership::MembershipMessage;
use crate::shard_task::sleep_until;
use crate::sink::Queue;

/// What the control task is told.
#[expect(
    clippy::large_enum_variant,
    reason = "queues hold few of them at a time; a box would cost an allocation each"
)]
pub(crate) enum ControlMessage {
    LinkUp {
        link: LinkId,
        edge: EdgeIdentity,
        /// The life of this node that its hello named.
        said: Incarnation,
        sender: LinkSender<ToEdge>,
    },
    /// The node goes on as another life: links that know the former one end.
    Reborn(Incarnation),
    LinkDown {
        link: LinkId,
        /// Its edge sent what no link carries.
        broken: bool,
    },
    Frames {
        link: LinkId,
        frames: Vec<ToNode>,
        weight: usize,
    },
    Sent {
        link: LinkId,
        weight: usize,
    },
    Input(ControlInput),
    /// Asks for what pages of the admin listener show.
    Observe(oneshot::Sender<ControlObserved>),
    /// Ends all links on purpose: the node stops. The answer comes when all have ended.
    Goodbye(oneshot::Sender<()>),
}

/// What the control task knows of the node's edges and links.
#[derive(Clone, Debug)]
pub(crate) struct ControlObserved {
    pub(crate) counters: ControlCounters,
    pub(crate) edges: usize,
    /// Names of edges under which two processes are linked.
    pub(crate) names_linked_twice: usize,
    pub(crate) broken: u64,
    /// By the edge's name and life.
    pub(crate) links: Vec<LinkObserved>,
}

/// A link and what it has done.
#[derive(Clone, Debug)]
pub(crate) struct LinkObserved {
    pub(crate) edge: EdgeIdentity,
    pub(crate) counters: LinkCounters,
}

const ANOTHER_LIFE: &str = "the node has begun another life";

/// The machine with its links.
pub(crate) struct ControlTask {
    pub(crate) control: Control,
    pub(crate) clock: Clock,
    pub(crate) inbox: UnboundedReceiver<ControlMessage>,
    /// The account of what links put into it.
    pub(crate) taken: Arc<Inbox>,
    pub(crate) links: HashMap<LinkId, (EdgeIdentity, LinkSender<ToEdge>)>,
    pub(crate) doubles: Doubles,
    pub(crate) membership: Queue<MembershipMessage>,
    /// The node's present life.
    pub(crate) life: Incarnation,
    /// Links ended because what their edge sent is no frame of the link.
    pub(crate) broken: u64,
}

impl ControlTask {
    /// Runs until everybody who could tell it something is gone.
    pub(crate) async fn run(mut self) {
        loop {
            let machine = self.control.poll_timeout().map(|(instant, _)| instant);
            let due = machine.into_iter().chain(self.doubles.poll_timeout()).min();
            let wake = due.map(|instant| self.clock.to_tokio(instant));
            tokio::select! {
                message = self.inbox.recv() => match message {
                    Some(message) => self.take(message),
                    None => return,
                },
                () = sleep_until(wake) => self.control.handle_timeout(self.clock.now()),
            }
            self.tell_doubles();
            self.perform_all();
        }
    }

    fn take(&mut self, message: ControlMessage) {
        match message {
            ControlMessage::LinkUp {
                link,
                edge,
                said,
                sender,
            } => {
                if said != self.life {
                    sender.close(ANOTHER_LIFE);
                }
                let (now, life) = (self.clock.instant(), (link, edge.incarnation));
                self.doubles.on_up(now, edge.edge.as_str(), life);
                self.links.insert(link, (edge.clone(), sender));
                self.input(ControlInput::LinkUp { link, edge });
            }
            ControlMessage::Reborn(life) => {
                self.life = life;
                self.links
                    .values()
                    .for_each(|(_, sender)| sender.close(ANOTHER_LIFE));
            }
            ControlMessage::LinkDown { link, broken } => {
                self.broken += u64::from(broken);
                if let Some((edge, _)) = self.links.remove(&link) {
                    self.doubles
                        .on_down(self.clock.instant(), edge.edge.as_str(), link);
                }
                self.input(ControlInput::LinkDown { link });
            }
            ControlMessage::Frames {
                link,
                frames,
                weight,
            } => {
                self.taken.taken(weight);
                frames
                    .into_iter()
                    .for_each(|frame| self.input(ControlInput::Frame { link, frame }));
            }
            ControlMessage::Sent { link, weight } => {
                self.input(ControlInput::Sent { link, weight })
            }
            ControlMessage::Input(input) => self.input(input),
            ControlMessage::Observe(answer) => drop(answer.send(self.observe())),
            ControlMessage::Goodbye(answer) => self.say_goodbye(answer),
        }
    }

    fn input(&mut self, input: ControlInput) {
        self.control.handle_input(self.clock.now(), input);
    }

    fn tell_doubles(&mut self) {
        for edge in self.doubles.take_news(self.clock.instant()) {
            tracing::warn!(
                edge,
                "two processes of one name are linked: a certificate was copied, or an edge started twice"
            );
        }
    }

    fn perform_all(&mut self) {
        while let Some(output) = self.control.poll_output() {
            match output {
                ControlOutput::Send { link, frame } => self.send(link, &frame),
                // The link itself ends as a goodbye, which the shards are told.
                ControlOutput::Goodbye { link } => {
                    tracing::debug!(link = link.0, "edge says goodbye")
                }
                ControlOutput::NewerView(view) => {
                    tracing::info!(version = %view.version, "an edge has a newer view");
                    self.membership.say(MembershipMessage::Shown(view));
                }
                ControlOutput::Close { link, reason } => {
                    if let Some((_, sender)) = self.links.get(&link) {
                        sender.close(reason);
                    }
                }
            }
        }
    }

    fn send(&self, link: LinkId, frame: &ToEdge) {
        let Some((_, sender)) = self.links.get(&link) else {
            return;
        };
        match Outgoing::encode(frame) {
            Ok(outgoing) => drop(sender.send(StreamId::Control, &outgoing)),
            Err(error) => sender.close(&format!("a frame for the edge can't be encoded: {error}")),
        }
    }

    fn observe(&self) -> ControlObserved {
        let links = self.links.values();
        let mut links: Vec<_> = links
            .map(|(edge, sender)| LinkObserved {
                edge: edge.clone(),
                counters: sender.counters(),
            })
            .collect();
        links.sort_by(|one, other| {
            let key = |link: &LinkObserved| (link.edge.edge.clone(), link.edge.incarnation);
            key(one).cmp(&key(other))
        });
        ControlObserved {
            counters: *self.control.counters(),
            edges: self.control.edges(),
            names_linked_twice: self.doubles.count(self.clock.instant()),
            broken: self.broken,
            links,
        }
    }

    fn say_goodbye(&self, answer: oneshot::Sender<()>) {
        let senders: Vec<_> = self
            .links
            .values()
            .map(|(_, sender)| sender.clone())
            .collect();
        tokio::spawn(async move {
            let mut goodbyes = tokio::task::JoinSet::new();
            senders
                .into_iter()
                .for_each(|sender| drop(goodbyes.spawn(async move { sender.goodbye().await })));
            goodbyes.join_all().await;
            let _ = answer.send(());
        });
    }
}
