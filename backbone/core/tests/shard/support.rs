//! The owner under test, edges that speak to it, and a store that is answered by hand or by a small disk.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smol_str::SmolStr;
use trunkline_backbone_core::io::{
    EdgeIdentity, Input, Output, PartOutcome, StoreAnswer, StoreRequest, StoreTicket,
};
use trunkline_backbone_core::{Shard, ShardConfig};
use trunkline_shared::frame::{
    History, HistoryQuery, Publish, Pull, Refusal, RemoveHistory, Subscribe, Subscribed, ToEdge,
    ToNode,
};
use trunkline_shared::rules::{Class, Namespace, Rules};
use trunkline_shared::{
    Channel, ClientInfo, EdgeId, Epoch, Incarnation, Instant, LinkId, Member, NodeId, Now, Offset,
    Payload, Position, Publication, PublishId, Region, RequestId, RingView, Slot, StreamId, Trace,
    UnixMillis, ViewVersion,
};
use trunkline_store_core::{
    AllFound, ChannelKey, ClaimError, Claimed, FindRequest, FloorError, FloorRequest, Found,
    FoundKey, Generation, Head, RangeRequest, Refused, SlotPart, StoreError, StoredMessage,
};

/// The epoch that slots are claimed with first.
pub(crate) const EPOCH: Epoch = Epoch::new(77);

pub(crate) fn channel(name: &str) -> Channel {
    Channel::parse(name).expect("a valid name")
}

pub(crate) fn life(edge: u8) -> Incarnation {
    Incarnation([edge; 16])
}

pub(crate) fn id(edge: u8, counter: u64) -> PublishId {
    PublishId {
        edge: life(edge),
        counter,
    }
}

pub(crate) fn version(number: u64) -> ViewVersion {
    ViewVersion {
        number,
        ..ViewVersion::default()
    }
}

/// The life of the node under test.
pub(crate) const ME: Incarnation = Incarnation([200; 16]);

/// The life of the other node.
pub(crate) const OTHER: Incarnation = Incarnation([201; 16]);

fn member(name: &str, incarnation: Incarnation) -> Member {
    Member {
        name: NodeId::parse(name).expect("a valid name"),
        incarnation,
        address: SmolStr::new("127.0.0.1:7443"),
    }
}

/// A view in which the node under test has every slot.
pub(crate) fn view(number: u64) -> Arc<RingView> {
    view_without(number, &[])
}

/// A view in which the slots of some channels are the other node's.
pub(crate) fn view_without(number: u64, names: &[&str]) -> Arc<RingView> {
    let gone: Vec<Slot> = names.iter().map(|name| slot(name)).collect();
    view_where(version(number), |slot| gone.contains(&slot))
}

/// A view of a store that has begun a new life, in which the node under test has every slot.
pub(crate) fn view_born(number: u64, birth: u64) -> Arc<RingView> {
    let version = ViewVersion {
        birth: UnixMillis(birth),
        ..version(number)
    };
    view_where(version, |_| false)
}

/// A view in which the slots named are the other node's.
pub(crate) fn view_where(version: ViewVersion, others: impl Fn(Slot) -> bool) -> Arc<RingView> {
    let members = vec![member("backbone-1", ME), member("backbone-2", OTHER)];
    let table = Slot::all().map(|slot| u16::from(others(slot))).collect();
    Arc::new(RingView::new(version, 1, members, table).expect("a table of two members"))
}

/// How long every namespace with a history keeps it.
pub(crate) const TTL: Duration = Duration::from_secs(60);

fn namespace(name: &str, class: Class, history_size: u32) -> Namespace {
    let history_ttl = if history_size == 0 {
        Duration::ZERO
    } else {
        TTL
    };
    Namespace {
        name: name.to_owned(),
        class: Some(class),
        history_size,
        history_ttl,
        ..Namespace::default()
    }
}

/// `chat` and `few` are durable, `live` is buffered, `cursors` ephemeral; `room` is buffered with presence and joins,
/// `quiet` with presence only; channels `pair:x:*` share a slot.
pub(crate) fn namespaces() -> Vec<Namespace> {
    let pair = |class, name| Namespace {
        routing_segments: 2,
        ..namespace(name, class, 100)
    };
    vec![
        namespace("chat", Class::Durable, 1000),
        namespace("few", Class::Durable, 3),
        namespace("live", Class::Buffered, 100),
        namespace("cursors", Class::Ephemeral, 0),
        Namespace {
            presence: true,
            join_leave: true,
            ..namespace("room", Class::Buffered, 10)
        },
        Namespace {
            presence: true,
            ..namespace("quiet", Class::Buffered, 10)
        },
        pair(Class::Durable, "pair"),
    ]
}

pub(crate) fn rules() -> Arc<Rules> {
    Arc::new(Rules::new(1, namespaces()).expect("good rules"))
}

pub(crate) fn slot(name: &str) -> Slot {
    rules().slot_of(&channel(name)).expect("a known namespace")
}

pub(crate) fn publication(text: &str) -> Publication {
    Publication {
        offset: Offset::ZERO,
        data: Payload::new(Bytes::copy_from_slice(text.as_bytes())),
        is_json: true,
        info: None,
        tags: Vec::new(),
        time: UnixMillis(0),
        origin: SmolStr::default(),
        trace: Trace::default(),
    }
}

pub(crate) fn text(publication: &Publication) -> String {
    String::from_utf8(publication.data.bytes().to_vec()).expect("tests publish text")
}

pub(crate) fn offsets(publications: &[Publication]) -> Vec<u64> {
    publications
        .iter()
        .map(|publication| publication.offset.0)
        .collect()
}

/// A publish whose edge waits for no older one.
pub(crate) fn publish(name: &str, counter: u64, text: &str) -> Publish {
    Publish {
        request: RequestId(counter),
        slot: slot(name),
        channel: channel(name),
        view: version(1),
        repeat: false,
        oldest_unanswered: RequestId(counter),
        time_left_ms: 4000,
        key: None,
        publication: publication(text),
    }
}

pub(crate) fn keyed(name: &str, counter: u64, text: &str, key: &str) -> Publish {
    Publish {
        key: Some(key.as_bytes().to_vec()),
        ..publish(name, counter, text)
    }
}

pub(crate) fn repeat(name: &str, counter: u64, text: &str) -> Publish {
    Publish {
        repeat: true,
        ..publish(name, counter, text)
    }
}

pub(crate) fn moved(number: u64) -> Refusal {
    let version = version(number);
    Refusal::Moved { version }
}

/// A publish whose edge waits for older ones of its slot too.
pub(crate) fn behind(oldest: u64, publish: Publish) -> Publish {
    Publish {
        oldest_unanswered: RequestId(oldest),
        ..publish
    }
}

/// A publish sent under a later view than the first.
pub(crate) fn under(number: u64, publish: Publish) -> Publish {
    Publish {
        view: version(number),
        ..publish
    }
}

pub(crate) fn client(name: &str) -> ClientInfo {
    ClientInfo {
        user: SmolStr::new(name.split('-').next().unwrap_or(name)),
        client: SmolStr::new(name),
        conn_info: Payload::default(),
        chan_info: Payload::default(),
    }
}

pub(crate) fn at(offset: u64) -> Option<Position> {
    Some(Position {
        epoch: EPOCH,
        offset: Offset(offset),
    })
}

pub(crate) fn away() -> StoreError {
    StoreError::Away("unplugged".to_owned())
}

/// A shard and what came out of it.
pub(crate) struct Owner {
    pub(crate) shard: Shard,
    pub(crate) now: Now,
    pub(crate) frames: VecDeque<(u64, StreamId, ToEdge)>,
    pub(crate) requests: VecDeque<(StoreTicket, StoreRequest)>,
    pub(crate) closed: Vec<&'static str>,
    /// Versions of views of which the shard said that it has settled them.
    pub(crate) settled: Vec<u64>,
    /// Versions of views that the shard asked for.
    pub(crate) needed: Vec<u64>,
    pub(crate) disk: Disk,
    next_request: u64,
}

impl Owner {
    /// An owner of every slot, with rules, and with edges 1, 2 and 3 on links 1, 2 and 3.
    pub(crate) fn new() -> Self {
        Self::with(ShardConfig::default())
    }

    pub(crate) fn with(config: ShardConfig) -> Self {
        let mut owner = Self::bare(config);
        owner.input(Input::Rules(rules()));
        owner.view(view(1));
        owner.settle();
        owner.settled.clear();
        (1..=3).for_each(|edge| owner.up(edge, u64::from(edge)));
        owner
    }

    /// An owner of every slot but those of some channels, with rules, and with edges 1, 2 and 3 on links 1, 2 and 3.
    pub(crate) fn without(names: &[&str]) -> Self {
        let mut owner = Self::bare(ShardConfig::default());
        owner.input(Input::Rules(rules()));
        owner.view(view_without(1, names));
        owner.settle();
        owner.settled.clear();
        (1..=3).for_each(|edge| owner.up(edge, u64::from(edge)));
        owner
    }

    /// An owner that has been told nothing yet.
    pub(crate) fn bare(config: ShardConfig) -> Self {
        let now = Now {
            instant: Instant::from_micros(1_000_000),
            unix: UnixMillis(1_000_000),
        };
        Self {
            shard: Shard::new(config, 7, now),
            now,
            frames: VecDeque::new(),
            requests: VecDeque::new(),
            closed: Vec::new(),
            settled: Vec::new(),
            needed: Vec::new(),
            disk: Disk::default(),
            next_request: 1_000_000,
        }
    }

    pub(crate) fn view(&mut self, view: Arc<RingView>) {
        self.input(Input::View { view, me: ME });
    }

    pub(crate) fn up(&mut self, edge: u8, link: u64) {
        let identity = EdgeIdentity {
            edge: EdgeId::parse(&format!("edge-{edge}")).expect("a valid name"),
            region: Region::parse("eu-west").expect("a valid name"),
            incarnation: life(edge),
        };
        self.input(Input::LinkUp {
            link: LinkId(link),
            edge: identity,
        });
    }

    pub(crate) fn down(&mut self, link: u64) {
        self.input(Input::LinkDown {
            link: LinkId(link),
            goodbye: false,
        });
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.shard.handle_input(self.now, input);
        self.collect();
    }

    /// Lets time pass, waking the shard whenever it wants.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.instant + time;
        while let Some((when, _)) = self.shard.poll_timeout().filter(|(when, _)| *when <= end) {
            self.advance_to(when);
            self.shard.handle_timeout(self.now);
            self.collect();
        }
        self.advance_to(end);
    }

    fn advance_to(&mut self, when: Instant) {
        self.now.unix = self.now.unix.plus(when.since(self.now.instant));
        self.now.instant = self.now.instant.max(when);
    }

    fn collect(&mut self) {
        while let Some(output) = self.shard.poll_output() {
            match output {
                Output::Send {
                    link,
                    stream,
                    frame,
                } => self.frames.push_back((link.0, stream, frame)),
                Output::Store(ticket, request) => self.requests.push_back((ticket, request)),
                Output::Settled { version } => self.settled.push(version.number),
                Output::NeedView { version } => self.needed.push(version.number),
                Output::Close { link: _, reason } => self.closed.push(reason),
            }
        }
        self.shard.check_invariants();
    }

    /// A frame of a link.
    pub(crate) fn say(&mut self, link: u64, frame: ToNode) {
        self.input(Input::Frame {
            link: LinkId(link),
            frame,
        });
    }

    pub(crate) fn publish(&mut self, link: u64, publish: Publish) {
        self.say(link, ToNode::Publish(publish));
    }

    /// Publishes to a durable channel and lets the disk keep it.
    pub(crate) fn keep(&mut self, link: u64, name: &str, counter: u64, text: &str) {
        self.publish(link, publish(name, counter, text));
        self.settle();
    }

    pub(crate) fn subscribe(&mut self, link: u64, name: &str, at: Option<Position>) -> RequestId {
        let request = self.request();
        let subscribe = Subscribe {
            request,
            slot: slot(name),
            channel: channel(name),
            view: version(1),
            at,
        };
        self.say(link, ToNode::Subscribe(subscribe));
        request
    }

    /// Subscribes, lets the disk answer, and returns what the edge was told.
    pub(crate) fn subscribed(&mut self, link: u64, name: &str, at: Option<Position>) -> Subscribed {
        self.subscribe(link, name, at);
        self.settle();
        let frames = self.frames_to(link);
        let answer = |frame| {
            if let ToEdge::Subscribed(answer) = frame {
                Some(answer)
            } else {
                None
            }
        };
        frames
            .into_iter()
            .find_map(answer)
            .expect("the subscribe is answered")
    }

    pub(crate) fn pull(&mut self, link: u64, name: &str, epoch: Epoch, after: u64) {
        let (request, after) = (
            self.request(),
            Position {
                epoch,
                offset: Offset(after),
            },
        );
        self.say(
            link,
            ToNode::Pull(Pull {
                request,
                slot: slot(name),
                channel: channel(name),
                after,
            }),
        );
    }

    pub(crate) fn history(&mut self, link: u64, name: &str, query: HistoryQuery, bytes_max: u32) {
        let request = self.request();
        let history = History {
            request,
            slot: slot(name),
            channel: channel(name),
            query,
            bytes_max,
        };
        self.say(link, ToNode::History(history));
    }

    pub(crate) fn remove_history(&mut self, link: u64, name: &str) -> RequestId {
        let request = self.request();
        let remove = RemoveHistory {
            request,
            slot: slot(name),
            channel: channel(name),
            time_left_ms: 4000,
        };
        self.say(link, ToNode::RemoveHistory(remove));
        request
    }

    pub(crate) fn request(&mut self) -> RequestId {
        self.next_request += 1;
        RequestId(self.next_request)
    }

    /// What was sent on a link since it was asked last.
    pub(crate) fn frames_to(&mut self, link: u64) -> Vec<ToEdge> {
        let (mine, others): (VecDeque<_>, VecDeque<_>) =
            self.frames.drain(..).partition(|(to, _, _)| *to == link);
        self.frames = others;
        mine.into_iter().map(|(_, _, frame)| frame).collect()
    }

    /// Offsets and texts pushed on a link since it was asked last; other frames are dropped.
    pub(crate) fn pushes_to(&mut self, link: u64) -> Vec<(u64, String)> {
        let pushed = |frame| {
            let ToEdge::Push(push) = frame else {
                return None;
            };
            Some((push.publication.offset.0, text(&push.publication)))
        };
        self.frames_to(link)
            .into_iter()
            .filter_map(pushed)
            .collect()
    }

    /// Offsets by which publishes of a link were answered since it was asked last; other frames are dropped.
    pub(crate) fn published_to(&mut self, link: u64) -> Vec<(u64, u64)> {
        let published = |frame| {
            let ToEdge::Published {
                request, position, ..
            } = frame
            else {
                return None;
            };
            Some((request.0, position.offset.0))
        };
        self.frames_to(link)
            .into_iter()
            .filter_map(published)
            .collect()
    }

    /// Refusals sent on a link since it was asked last; other frames are dropped.
    pub(crate) fn refusals_to(&mut self, link: u64) -> Vec<Refusal> {
        let refused = |frame| {
            if let ToEdge::Refused { refusal, .. } = frame {
                Some(refusal)
            } else {
                None
            }
        };
        self.frames_to(link)
            .into_iter()
            .filter_map(refused)
            .collect()
    }

    /// Reports everything on a stream as written.
    pub(crate) fn written(&mut self, link: u64, stream: StreamId, weight: usize) {
        self.input(Input::Sent {
            link: LinkId(link),
            stream,
            weight,
        });
    }

    /// The only request that the store has, taken out.
    pub(crate) fn asked(&mut self) -> (StoreTicket, StoreRequest) {
        let request = self.requests.pop_front().expect("the store is asked");
        assert!(
            self.requests.is_empty(),
            "the store is asked for more: {:?}",
            self.requests
        );
        request
    }

    pub(crate) fn answer(&mut self, ticket: StoreTicket, answer: StoreAnswer) {
        self.input(Input::Store(ticket, answer));
    }

    /// The only append that the store has, taken out.
    pub(crate) fn append(&mut self) -> (StoreTicket, SlotPart) {
        let (ticket, request) = self.asked();
        let StoreRequest::Append(part) = request else {
            panic!("an append is expected, not {request:?}")
        };
        (ticket, part)
    }

    /// The only claim that the store has, taken out: the view, and the slots.
    pub(crate) fn claim(&mut self) -> (StoreTicket, u64, Vec<Slot>) {
        let (ticket, request) = self.asked();
        let StoreRequest::Claim(claim) = request else {
            panic!("a claim is expected, not {request:?}")
        };
        let slots = claim.slots.iter().map(|(slot, _)| *slot).collect();
        (ticket, claim.view.number, slots)
    }

    pub(crate) fn outcome(&mut self, ticket: StoreTicket, outcome: PartOutcome) {
        self.answer(ticket, StoreAnswer::Appended(outcome));
    }

    /// Answers the only request to the store by the disk.
    pub(crate) fn serve(&mut self) -> StoreRequest {
        let (ticket, request) = self.asked();
        let answer = self.disk.answer(&request);
        self.answer(ticket, answer);
        request
    }

    /// Answers everything by the disk until nothing more is asked.
    pub(crate) fn settle(&mut self) {
        while let Some((ticket, request)) = self.requests.pop_front() {
            let answer = self.disk.answer(&request);
            self.answer(ticket, answer);
        }
    }

    /// Refuses everything until nothing more is asked.
    pub(crate) fn unplug(&mut self) {
        while let Some((ticket, request)) = self.requests.pop_front() {
            let answer = match request {
                StoreRequest::Append(_) => StoreAnswer::Appended(PartOutcome::Failed(away())),
                StoreRequest::Claim(_) => StoreAnswer::Claimed(Err(ClaimError::Store(away()))),
                StoreRequest::Heads(_) => StoreAnswer::Heads(Err(away())),
                StoreRequest::Range(_) => StoreAnswer::Range(Err(away())),
                StoreRequest::Find(_) => StoreAnswer::Found(Err(away())),
                StoreRequest::RaiseFloor(_) => {
                    StoreAnswer::FloorRaised(Err(FloorError::Store(away())))
                }
            };
            self.answer(ticket, answer);
        }
    }
}

/// A store that is always right.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) logs: BTreeMap<Channel, Vec<StoredMessage>>,
    pub(crate) claims: BTreeMap<Slot, (u64, Epoch)>,
    pub(crate) floors: BTreeMap<Channel, u64>,
    pub(crate) keys: BTreeMap<ChannelKey, (Offset, UnixMillis)>,
    /// The highest offset of heads that have gone, by slot.
    pub(crate) marks: BTreeMap<Slot, u64>,
}

impl Disk {
    /// Puts messages into a channel that somebody else has stored.
    pub(crate) fn store(&mut self, name: &str, edge: u8, texts: &[&str]) {
        let log = self.logs.entry(channel(name)).or_default();
        for text in texts {
            let last = log.last().map(|message| message.publication.offset);
            let offset = last.unwrap_or_default().next();
            let publication = Publication {
                offset,
                time: UnixMillis(1_000_000),
                ..publication(text)
            };
            log.push(StoredMessage {
                id: id(edge, offset.0),
                publication,
            });
        }
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.logs
            .get(&channel(name))
            .into_iter()
            .flatten()
            .map(|message| text(&message.publication))
            .collect()
    }

    /// Lets a channel's messages and head go, and raises its slot's mark.
    pub(crate) fn forget(&mut self, name: &str) {
        let head = self.head(&channel(name)).offset.0;
        self.logs.remove(&channel(name));
        self.raise_mark(name, head);
    }

    /// Another channel of the slot had a head at `mark`, which has gone.
    pub(crate) fn raise_mark(&mut self, name: &str, mark: u64) {
        let before = self.marks.entry(slot(name)).or_default();
        *before = mark.max(*before);
    }

    pub(crate) fn head(&self, channel: &Channel) -> Head {
        let floor = Offset(self.floors.get(channel).copied().unwrap_or(0));
        let last = self.logs.get(channel).and_then(|log| log.last());
        match last {
            Some(last) => Head {
                offset: last.publication.offset,
                floor,
            },
            None => Head::at_mark(self.mark(channel)),
        }
    }

    fn mark(&self, channel: &Channel) -> Offset {
        let slot = rules().slot_of(channel).expect("a known namespace");
        Offset(self.marks.get(&slot).copied().unwrap_or(0))
    }

    /// Takes a part if its heads are right, whoever claims the slot.
    pub(crate) fn take(&mut self, part: &SlotPart) -> PartOutcome {
        if part
            .channels
            .iter()
            .any(|append| self.head(&append.channel).offset != append.follows)
        {
            return PartOutcome::Refused(Refused::Head);
        }
        for append in &part.channels {
            for (key, message) in append.keyed() {
                let publication = &message.expect("a key of a message").publication;
                let (slot, channel) = (part.slot, append.channel.clone());
                let key = ChannelKey {
                    slot,
                    channel,
                    key: key.clone(),
                };
                let taken = (publication.offset, publication.time);
                self.keys.insert(key, taken);
            }
            if !self.logs.contains_key(&append.channel) {
                self.floors.insert(append.channel.clone(), append.follows.0);
            }
            self.logs
                .entry(append.channel.clone())
                .or_default()
                .extend(append.messages.iter().cloned());
        }
        PartOutcome::Committed
    }

    pub(crate) fn answer(&mut self, request: &StoreRequest) -> StoreAnswer {
        match request {
            StoreRequest::Append(part) => StoreAnswer::Appended(self.take(part)),
            StoreRequest::Claim(claim) => {
                let claimed = claim
                    .slots
                    .iter()
                    .map(|(slot, new_epoch)| self.claim(*slot, *new_epoch));
                StoreAnswer::Claimed(Ok(claimed.collect()))
            }
            StoreRequest::Heads(channels) => StoreAnswer::Heads(Ok(channels
                .iter()
                .map(|(_, channel)| self.head(channel))
                .collect())),
            StoreRequest::Range(range) => StoreAnswer::Range(Ok(self.range(range))),
            StoreRequest::Find(request) => StoreAnswer::Found(Ok(self.find(request))),
            StoreRequest::RaiseFloor(raise) => {
                StoreAnswer::FloorRaised(Ok(self.raise_floor(raise)))
            }
        }
    }

    fn raise_floor(&mut self, raise: &FloorRequest) -> Head {
        let head = self.head(&raise.channel).with_floor(raise.floor);
        self.floors.insert(raise.channel.clone(), head.floor.0);
        head
    }

    fn claim(&mut self, slot: Slot, new_epoch: bool) -> Claimed {
        let (generation, epoch) = self.claims.entry(slot).or_insert((0, EPOCH));
        *generation += 1;
        if new_epoch {
            epoch.id += 1;
        }
        Claimed {
            slot,
            generation: Generation(*generation),
            epoch: *epoch,
        }
    }

    fn range(&self, range: &RangeRequest) -> Vec<StoredMessage> {
        let log = self
            .logs
            .get(&range.channel)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let floor = self.head(&range.channel).floor;
        let wanted = |message: &&StoredMessage| {
            let publication = &message.publication;
            (range.from..=range.to).contains(&publication.offset)
                && publication.offset > floor
                && publication.time >= range.not_before
        };
        let mut found: Vec<_> = log.iter().filter(wanted).cloned().collect();
        if range.descending {
            found.reverse();
        }
        let mut bytes = 0;
        let fits = |message: &StoredMessage| {
            let first = bytes == 0;
            bytes += message.weight();
            first || bytes <= range.bytes_max
        };
        found
            .into_iter()
            .take(range.limit as usize)
            .take_while(fits)
            .collect()
    }

    fn find(&self, request: &FindRequest) -> AllFound {
        let all = || {
            self.logs
                .iter()
                .flat_map(|(channel, log)| log.iter().map(move |message| (channel, message)))
        };
        let find = |wanted: &PublishId| {
            let (channel, message) = all().find(|(_, message)| message.id == *wanted)?;
            Some(Found {
                id: *wanted,
                channel: channel.clone(),
                offset: message.publication.offset,
            })
        };
        let ids = request.ids.iter();
        AllFound {
            ids: ids.filter_map(|(_, wanted)| find(wanted)).collect(),
            keys: {
                let keys = request.keys.iter();
                let find = |key: &ChannelKey| {
                    let (offset, time) = self.keys.get(key).copied()?;
                    let key = key.clone();
                    (time >= request.keys_not_before).then_some(FoundKey { key, offset })
                };
                keys.filter_map(find).collect()
            },
        }
    }
}
