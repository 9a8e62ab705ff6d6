//! What happened in runs, counted: a set of runs in which a demanded event never happened proves nothing.

use std::collections::BTreeMap;

/// Events that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A client's publish was acknowledged.
    Acked,
    /// A client's publish was answered with an error.
    PublishError,
    /// A publish was sent marked as a repeat.
    RepeatSent,
    /// A repeat was found to be there already.
    RepeatFound,
    /// An owner answered that the view named is older than its claim.
    StaleView,
    /// A channel lagged for an edge.
    Lag,
    /// An owner said that there is room again.
    Behind,
    /// An edge pulled.
    Pull,
    /// A store call had no outcome.
    UnknownAppend,
    /// A store call without outcome had committed all the same.
    UnknownCommitted,
    /// The store refused a slot's part.
    AppendRefused,
    /// The store was away when asked.
    StoreAway,
    /// A client was told that it missed something.
    Unsubscribed2500,
    /// A client was closed because it read too slowly.
    Slow3008,
    /// A client was recovered.
    Recovered,
    /// A client was told that it can't be recovered.
    NotRecovered,
    /// A client met another numbering of a channel.
    EpochChange,
    /// An owner forgot what an edge subscribed, and said so.
    Reset,
    /// A backbone process began anew.
    NodeRestart,
    /// An edge began anew.
    EdgeRestart,
    /// A link broke, and only one side saw it.
    HalfOpen,
    /// A link came up.
    LinkUp,
    /// A worker's queue was full, so that a channel lagged inside of an edge.
    WorkerLag,
    /// A publication was dropped because the ephemeral stream was behind.
    EphemeralDropped,
    /// An edge restated presence.
    PresenceSnapshot,
    /// Somebody joined or left.
    PresenceEvent,
    /// A frame went through its bytes.
    Coded,
    /// An edge took part with two workers.
    TwoWorkers,
    /// A resume was answered by its edge.
    ResumedAtEdge,
    /// A resume was answered after a question to the owner.
    ResumedAtOwner,
    /// A channel's history was removed, and somebody was told so.
    HistoryRemoved,
    /// An owner told an edge that a history was removed.
    FloorPushed,
    /// A message was tried again under its key, through an edge that had it before.
    KeyTriedAgain,
    /// A message was tried again under its key, through another edge.
    KeyTriedElsewhere,
    /// A message was sent under its key through two edges at the same moment.
    KeyTriedAtOnce,
    /// An owner answered a publish as the first one with its key was.
    KeyFound,
    /// A publish waited behind another one with its key.
    KeyHeld,
    /// The store was asked for a key that it has.
    KeyInStore,
    /// A node gave up a slot that a later view gives to another.
    SlotGivenUp,
    /// A node held a view in which somebody joins.
    NodeJoins,
    /// A node left on purpose.
    NodeLeft,
    /// Two nodes left at the same time.
    LeavesTogether,
    /// The mesh went on without a node, which joined again.
    Rejoined,
    /// A node's lease ended.
    LeaseLost,
    /// A node's heartbeat came late.
    HeartbeatLate,
    /// A node changed the view, and another one had been faster.
    ViewOutrun,
    /// A node that couldn't read the view took it from an edge.
    ViewBelieved,
    /// A step of a join or leave was passed over.
    StepPassedOver,
    /// A claim was refused, because the slot was claimed under a later view.
    ClaimRefused,
    /// A claim waited for another node's append.
    ClaimWaited,
    /// A node was frozen for longer than its lease.
    Zombie,
    /// A node was cut from the store.
    StoreCut,
    /// A node was cut from some edges.
    EdgesCut,
    /// An edge dropped a push of another node than its channel's.
    PushForeign,
}

impl Event {
    /// All events, in order.
    pub const ALL: [Self; 54] = [
        Self::Acked,
        Self::PublishError,
        Self::RepeatSent,
        Self::RepeatFound,
        Self::StaleView,
        Self::Lag,
        Self::Behind,
        Self::Pull,
        Self::UnknownAppend,
        Self::UnknownCommitted,
        Self::AppendRefused,
        Self::StoreAway,
        Self::Unsubscribed2500,
        Self::Slow3008,
        Self::Recovered,
        Self::NotRecovered,
        Self::EpochChange,
        Self::Reset,
        Self::NodeRestart,
        Self::EdgeRestart,
        Self::HalfOpen,
        Self::LinkUp,
        Self::WorkerLag,
        Self::EphemeralDropped,
        Self::PresenceSnapshot,
        Self::PresenceEvent,
        Self::Coded,
        Self::TwoWorkers,
        Self::ResumedAtEdge,
        Self::ResumedAtOwner,
        Self::HistoryRemoved,
        Self::FloorPushed,
        Self::KeyTriedAgain,
        Self::KeyTriedElsewhere,
        Self::KeyTriedAtOnce,
        Self::KeyFound,
        Self::KeyHeld,
        Self::KeyInStore,
        Self::SlotGivenUp,
        Self::NodeJoins,
        Self::NodeLeft,
        Self::LeavesTogether,
        Self::Rejoined,
        Self::LeaseLost,
        Self::HeartbeatLate,
        Self::ViewOutrun,
        Self::ViewBelieved,
        Self::StepPassedOver,
        Self::ClaimRefused,
        Self::ClaimWaited,
        Self::Zombie,
        Self::StoreCut,
        Self::EdgesCut,
        Self::PushForeign,
    ];
}

/// How often each event happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<Event, u64>);

impl Coverage {
    /// Counts an event.
    pub fn count(&mut self, event: Event) {
        self.add(event, 1);
    }

    /// Counts an event that happened several times.
    pub fn add(&mut self, event: Event, times: u64) {
        *self.0.entry(event).or_default() += times;
    }

    /// How often an event happened.
    pub fn of(&self, event: Event) -> u64 {
        self.0.get(&event).copied().unwrap_or(0)
    }

    /// Adds what happened in another run.
    pub fn merge(&mut self, other: &Self) {
        for (event, times) in &other.0 {
            self.add(*event, *times);
        }
    }

    /// Events that never happened.
    pub fn missing(&self) -> Vec<Event> {
        Event::ALL
            .into_iter()
            .filter(|event| self.of(*event) == 0)
            .collect()
    }
}
