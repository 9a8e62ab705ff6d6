//! The way upstream by its inputs and outputs, with an owner that says what each test writes for it.

mod catch_up;
mod floors;
mod lag;
mod linger;
mod links;
mod owners;
mod presence;
mod publish;
mod readers;
mod requests;
mod resume;
mod subscribe;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use smol_str::SmolStr;
use trunkline_shared::frame::{Push, Subscribed, ToEdge, ToNode};
use trunkline_shared::rules::{Class, Namespace, Rules};
use trunkline_shared::{
    Channel, Epoch, Incarnation, Instant, LinkId, Member, NodeId, Now, Offset, Payload, Position,
    Publication, RequestId, RingView, Slot, StreamId, Trace, UnixMillis, ViewVersion,
};

use super::{Input, Output, Upstream, UpstreamConfig};
use crate::exchange::{Answer, Recover, RefusedBecause, Ticket, ToUpstream, ToWorker, WorkerId};

const A: WorkerId = WorkerId(0);
const B: WorkerId = WorkerId(1);
const LINK: LinkId = LinkId(1);
const EPOCH: Epoch = Epoch::new(7);
const OTHER_EPOCH: Epoch = Epoch::new(8);

/// An edge under test, with its clock and what it has put out.
struct Edge {
    upstream: Upstream,
    now: Now,
    sent: Vec<(LinkId, StreamId, ToNode)>,
    told: Vec<(WorkerId, ToWorker)>,
    control: Vec<Output>,
    /// Links whose writers are stuck.
    stuck: BTreeSet<LinkId>,
    /// Workers that don't come to work.
    busy: BTreeSet<WorkerId>,
    unwritten: Vec<(LinkId, StreamId, usize)>,
    unworked: Vec<(WorkerId, usize)>,
    last_ticket: u64,
}

impl Edge {
    fn new(config: UpstreamConfig) -> Self {
        let now = Now {
            instant: Instant::from_micros(1_000_000),
            unix: UnixMillis(1_000),
        };
        let mut edge = Self {
            upstream: Upstream::new(config, Incarnation([9; 16]), 1, now),
            now,
            sent: Vec::new(),
            told: Vec::new(),
            control: Vec::new(),
            stuck: BTreeSet::new(),
            busy: BTreeSet::new(),
            unwritten: Vec::new(),
            unworked: Vec::new(),
            last_ticket: 0,
        };
        edge.drain();
        edge.input(Input::WorkerAdded(A));
        edge.input(Input::WorkerAdded(B));
        edge
    }

    /// An edge with a link, a view of one node, and rules.
    fn linked() -> Self {
        Self::linked_with(UpstreamConfig::default())
    }

    fn linked_with(config: UpstreamConfig) -> Self {
        let mut edge = Self::new(config);
        edge.link_up(1, 1);
        edge.frame(ToEdge::View(view(1, &[1])));
        edge.frame(ToEdge::Rules(rules_json(1)));
        edge.forget_outputs();
        edge
    }

    fn link_up(&mut self, link: u64, life: u8) {
        self.input(Input::LinkUp {
            link: LinkId(link),
            address: address(life),
            node: node(life),
            incarnation: Incarnation([life; 16]),
        });
    }

    fn link_down(&mut self, link: u64) {
        self.input(Input::LinkDown { link: LinkId(link) });
        self.unwritten.retain(|(down, ..)| *down != LinkId(link));
    }

    fn frame(&mut self, frame: ToEdge) {
        self.frame_on(LINK, frame);
    }

    fn frame_on(&mut self, link: LinkId, frame: ToEdge) {
        self.input(Input::Frame { link, frame });
    }

    fn worker(&mut self, worker: WorkerId, message: ToUpstream) {
        self.input(Input::Worker { worker, message });
    }

    fn input(&mut self, input: Input) {
        self.upstream.handle_input(self.now, input);
        self.drain();
    }

    /// Lets time pass, waking at each timer.
    fn advance(&mut self, by: Duration) {
        let end = self.now.instant + by;
        while let Some((at, _)) = self.upstream.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now.instant = at.max(self.now.instant);
            self.upstream.handle_timeout(self.now);
            self.drain();
        }
        self.now.instant = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.upstream.poll_output() {
            match output {
                Output::Send {
                    link,
                    stream,
                    frame,
                } => {
                    self.unwritten.push((link, stream, frame.weight()));
                    self.sent.push((link, stream, frame));
                }
                Output::Worker { worker, message } => {
                    self.unworked.push((worker, message.weight()));
                    self.told.push((worker, message));
                }
                other
                @ (Output::Dial { .. } | Output::Hangup { .. } | Output::CloseLink { .. }) => {
                    self.control.push(other);
                }
            }
        }
        self.upstream.check_invariants();
        self.write_and_work();
    }

    /// Writes what isn't stuck, lets who isn't busy work.
    fn write_and_work(&mut self) {
        let stuck = &self.stuck;
        let written: Vec<_> = self
            .unwritten
            .extract_if(.., |(link, ..)| !stuck.contains(link))
            .collect();
        let busy = &self.busy;
        let worked: Vec<_> = self
            .unworked
            .extract_if(.., |(worker, _)| !busy.contains(worker))
            .collect();
        for (link, stream, weight) in written {
            self.input(Input::Sent {
                link,
                stream,
                weight,
            });
        }
        for (worker, weight) in worked {
            self.worker(worker, ToUpstream::Consumed { weight });
        }
    }

    fn unstick(&mut self) {
        self.stuck.clear();
        self.write_and_work();
    }

    fn unbusy(&mut self) {
        self.busy.clear();
        self.write_and_work();
    }

    fn forget_outputs(&mut self) {
        self.sent.clear();
        self.told.clear();
        self.control.clear();
    }

    fn take_sent(&mut self) -> Vec<ToNode> {
        self.sent.drain(..).map(|(_, _, frame)| frame).collect()
    }

    /// What was sent since, shortly, and on which link.
    fn take_kinds(&mut self) -> Vec<(u64, &'static str)> {
        self.sent
            .drain(..)
            .map(|(link, _, frame)| (link.0, kind(&frame)))
            .collect()
    }

    fn take_told(&mut self, worker: WorkerId) -> Vec<ToWorker> {
        self.told
            .extract_if(.., |(told, _)| *told == worker)
            .map(|(_, message)| message)
            .collect()
    }

    /// What a worker was given, shortly.
    fn take_story(&mut self, worker: WorkerId) -> Vec<String> {
        self.take_told(worker).iter().map(story).collect()
    }

    fn deadline(&self) -> Instant {
        self.now.instant + Duration::from_secs(4)
    }

    fn subscribe(&mut self, worker: WorkerId, channel: &str, recover: Option<Recover>) {
        let (ticket, deadline) = (self.ticket(), self.deadline());
        self.worker(
            worker,
            ToUpstream::Subscribe {
                ticket,
                deadline,
                channel: named(channel),
                recover,
            },
        );
    }

    fn unsubscribe(&mut self, worker: WorkerId, channel: &str) {
        self.worker(
            worker,
            ToUpstream::Unsubscribe {
                channel: named(channel),
            },
        );
    }

    fn publish(&mut self, worker: WorkerId, channel: &str, data: &'static str) {
        self.publish_and(worker, channel, data, false);
    }

    fn publish_and(
        &mut self,
        worker: WorkerId,
        channel: &str,
        data: &'static str,
        skip_history: bool,
    ) {
        let (ticket, deadline) = (self.ticket(), self.deadline());
        let publication = publication(0, data);
        self.worker(
            worker,
            ToUpstream::Publish {
                ticket,
                deadline,
                channel: named(channel),
                key: None,
                skip_history,
                publication,
            },
        );
    }

    fn ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }

    /// A worker subscribes and the owner says where the channel stands; nothing of it is left in the outputs.
    fn live(&mut self, worker: WorkerId, channel: &str, head: u64) {
        self.subscribe(worker, channel, None);
        self.answer_subscribe(LINK, Some(at(head)), false);
        self.forget_outputs();
    }

    /// Answers the subscribe that was sent last; returns the position that it named.
    fn answer_subscribe(
        &mut self,
        link: LinkId,
        head: Option<Position>,
        lagging: bool,
    ) -> Option<Position> {
        let last = self.sent.iter().rev().find_map(|(_, _, frame)| {
            if let ToNode::Subscribe(subscribe) = frame {
                Some(subscribe.clone())
            } else {
                None
            }
        });
        let subscribe = last.expect("a subscribe was sent");
        let (request, slot) = (subscribe.request, subscribe.slot);
        self.frame_on(
            link,
            ToEdge::Subscribed(Subscribed {
                request,
                slot,
                head,
                floor: Offset::ZERO,
                lagging,
            }),
        );
        subscribe.at
    }

    fn push(&mut self, channel: &str, offset: u64) {
        self.push_on(LINK, channel, EPOCH, offset);
    }

    fn push_on(&mut self, link: LinkId, channel: &str, epoch: Epoch, offset: u64) {
        let (slot, channel) = (slot(channel), named(channel));
        let publication = publication(offset, "1");
        self.frame_on(
            link,
            ToEdge::Push(Push {
                slot,
                channel,
                epoch: Some(epoch),
                publication,
            }),
        );
    }

    fn push_ephemeral(&mut self, channel: &str) {
        let (slot, channel) = (slot(channel), named(channel));
        self.frame(ToEdge::Push(Push {
            slot,
            channel,
            epoch: None,
            publication: publication(0, "1"),
        }));
    }
}

fn story(message: &ToWorker) -> String {
    match message {
        ToWorker::Answer { answer, .. } => story_of_answer(answer),
        ToWorker::Publication(shared) => format!("publication {}", shared.publication.offset.0),
        ToWorker::Gap { position, .. } => format!("gap {}", position.offset.0),
        ToWorker::EpochChanged { position, .. } => format!("epoch changed {}", position.offset.0),
        ToWorker::PresenceEvents { events, .. } => format!("presence events {}", events.len()),
        ToWorker::Rules(rules) => format!("rules {}", rules.version),
        ToWorker::Isolated(isolated) => format!("isolated {isolated}"),
    }
}

fn story_of_answer(answer: &Answer) -> String {
    match answer {
        Answer::Subscribed {
            position,
            caught_up,
        } => {
            let position = position.map_or("-".into(), |position| position.offset.0.to_string());
            let offsets = |all: &Vec<_>| all.iter().map(offset_of).collect::<Vec<u64>>();
            format!(
                "subscribed {position} {:?}",
                caught_up.as_ref().map(offsets)
            )
        }
        Answer::Published { position } => format!("published {:?}", position.map(|p| p.offset.0)),
        Answer::History {
            head, publications, ..
        } => {
            let offsets: Vec<u64> = publications
                .iter()
                .map(|publication| publication.offset.0)
                .collect();
            format!("history {} {offsets:?}", head.offset.0)
        }
        Answer::HistoryRemoved { floor, .. } => format!("removed {}", floor.0),
        Answer::Presence(clients) => format!("presence {}", clients.len()),
        Answer::PresenceStats { clients, users } => format!("stats {clients} {users}"),
        Answer::Info(edges) => format!("info {}", edges.len()),
        Answer::Refused(because) => refused(*because),
    }
}

fn offset_of(shared: &std::sync::Arc<crate::shared_publication::SharedPublication>) -> u64 {
    shared.publication.offset.0
}

fn refused(because: RefusedBecause) -> String {
    format!("refused {because:?}")
}

fn address(life: u8) -> SmolStr {
    SmolStr::new(format!("127.0.0.1:{}", 7440 + u16::from(life)))
}

fn node(life: u8) -> NodeId {
    NodeId::parse(&format!("backbone-{life}")).expect("a valid name")
}

fn member(life: u8) -> Member {
    Member {
        name: node(life),
        incarnation: Incarnation([life; 16]),
        address: address(life),
    }
}

fn version(number: u64) -> ViewVersion {
    ViewVersion {
        number,
        ..ViewVersion::default()
    }
}

/// A view in which the first of the lives owns every slot.
fn view(number: u64, lives: &[u8]) -> RingView {
    let members = lives.iter().map(|life| member(*life)).collect();
    RingView::new(version(number), 1, members, vec![0; 4096]).expect("a valid view")
}

/// A view in which the first of two lives owns the slots of some channels, and the second every other one.
fn view_with(number: u64, lives: [u8; 2], channels: &[&str]) -> RingView {
    let first: Vec<Slot> = channels.iter().map(|channel| slot(channel)).collect();
    let table = Slot::all().map(|slot| u16::from(!first.contains(&slot)));
    let members = lives.map(member).to_vec();
    RingView::new(version(number), 1, members, table.collect()).expect("a valid view")
}

fn rules(version: u64) -> Rules {
    let kept = |name: &str, class| Namespace {
        name: name.to_owned(),
        class: Some(class),
        history_size: 100,
        history_ttl: Duration::from_secs(3600),
        presence: true,
        ..Namespace::default()
    };
    let cursors = Namespace {
        name: "cursors".to_owned(),
        ..Namespace::default()
    };
    Rules::new(
        version,
        vec![
            kept("chat", Class::Durable),
            kept("live", Class::Buffered),
            cursors,
        ],
    )
    .expect("good rules")
}

fn rules_json(version: u64) -> Payload {
    let json = serde_json::to_vec(&rules(version)).expect("rules are JSON");
    Payload::new(Bytes::from(json))
}

fn named(channel: &str) -> Channel {
    Channel::parse(channel).expect("a valid name")
}

fn slot(channel: &str) -> Slot {
    rules(1)
        .slot_of(&named(channel))
        .expect("a known namespace")
}

fn at(offset: u64) -> Position {
    Position {
        epoch: EPOCH,
        offset: Offset(offset),
    }
}

fn other_at(offset: u64) -> Position {
    Position {
        epoch: OTHER_EPOCH,
        offset: Offset(offset),
    }
}

fn recover(after: u64) -> Recover {
    Recover {
        epoch: Some(EPOCH),
        after: Offset(after),
        limit: 100,
    }
}

fn publication(offset: u64, data: &'static str) -> Publication {
    Publication {
        offset: Offset(offset),
        data: Payload::new(Bytes::from_static(data.as_bytes())),
        is_json: true,
        info: None,
        tags: Vec::new(),
        time: UnixMillis(0),
        origin: SmolStr::default(),
        trace: Trace::default(),
    }
}

fn publications(offsets: impl IntoIterator<Item = u64>) -> Vec<Publication> {
    offsets
        .into_iter()
        .map(|offset| publication(offset, "1"))
        .collect()
}

/// The id of a request.
fn request_of(frame: &ToNode) -> RequestId {
    match frame {
        ToNode::Publish(publish) | ToNode::PublishUnkept(publish) => publish.request,
        ToNode::Subscribe(subscribe) => subscribe.request,
        ToNode::Pull(pull) => pull.request,
        ToNode::History(history) => history.request,
        ToNode::RemoveHistory(remove) => remove.request,
        ToNode::Info { request }
        | ToNode::Presence { request, .. }
        | ToNode::PresenceStats { request, .. }
        | ToNode::CheckPositions { request, .. } => *request,
        ToNode::ShowView(_)
        | ToNode::Stats(_)
        | ToNode::Goodbye
        | ToNode::Unsubscribe { .. }
        | ToNode::PresenceChanges(_)
        | ToNode::PresenceSnapshot(_) => panic!("no request: {frame:?}"),
    }
}

/// What a frame is, shortly.
fn kind(frame: &ToNode) -> &'static str {
    match frame {
        ToNode::ShowView(_) => "show view",
        ToNode::Stats(_) => "stats",
        ToNode::Info { .. } => "info",
        ToNode::Goodbye => "goodbye",
        ToNode::Publish(publish) if publish.repeat => "repeat",
        ToNode::Publish(_) => "publish",
        ToNode::PublishUnkept(_) => "publish unkept",
        ToNode::Subscribe(_) => "subscribe",
        ToNode::Unsubscribe { .. } => "unsubscribe",
        ToNode::Pull(_) => "pull",
        ToNode::History(_) => "history",
        ToNode::RemoveHistory(_) => "remove history",
        ToNode::Presence { .. } => "presence",
        ToNode::PresenceStats { .. } => "presence stats",
        ToNode::PresenceChanges(_) => "changes",
        ToNode::PresenceSnapshot(_) => "snapshot",
        ToNode::CheckPositions { .. } => "check",
    }
}

fn kinds(frames: &[ToNode]) -> Vec<&'static str> {
    frames.iter().map(kind).collect()
}

/// Two channels of one lane and different slots, and one of another lane, of the durable namespace.
fn channels_of_lanes() -> (String, String, String) {
    let name = |number: u32| format!("chat:{number}");
    let lane = |name: &str| slot(name).lane(trunkline_shared::limits::LANES);
    let first = name(0);
    let same = (1..)
        .map(name)
        .find(|other| lane(other) == lane(&first) && slot(other) != slot(&first));
    let other = (1..).map(name).find(|other| lane(other) != lane(&first));
    (
        first,
        same.expect("there are many"),
        other.expect("there are many"),
    )
}
