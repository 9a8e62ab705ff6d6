//! What goes into a node's membership and what comes out of it.

use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;
use trunkline_shared::rules::Rules;
use trunkline_shared::{Incarnation, NodeId, RingView, UnixMillis, ViewVersion, limits};
use trunkline_store_core::{
    HeartbeatError, JoinRequest, MemberRow, StoreError, ViewChange, ViewRow,
};

use super::kept_rules::KeptRules;

/// Who a node is, and its times.
#[derive(Clone, Debug)]
pub struct MembershipConfig {
    /// Its name, by its certificate.
    pub name: NodeId,
    /// Where edges reach it: `host:port`.
    pub address: SmolStr,
    /// Time from one heartbeat to the next. Default 0.5 s.
    pub heartbeat: Duration,
    /// Time without a heartbeat after which a node writes nothing, and another one's slots are given to others.
    /// Default 2 s.
    pub lease: Duration,
    /// Slots that one view moves when a node joins or leaves. Default 64.
    pub step_slots: usize,
    /// Time after which such a step is passed over if whoever received its slots hasn't gone on. Default 10 s, and a
    /// random part of a fifth, so that nodes don't all go on at once.
    pub step_timeout: Duration,
    /// Time that a planned leave may take; then it ends as a crash does. Default 20 s.
    pub drain: Duration,
    /// The store has no other member, and its lock is the lease: no rows, no heartbeats.
    pub alone: bool,
    /// What it brings to the rules of the mesh. Default a configuration without namespaces.
    pub rules: OwnRules,
}

/// The rules that a life brings along.
#[derive(Clone, Debug)]
pub enum OwnRules {
    /// Those of its process's configuration: they become the mesh's, if they may, before the life enters the view. Then it follows
    /// the mesh's, whoever changes them.
    Configured(Rules),
    /// Those that the life before it in the same process was given: it follows the mesh's, and writes these only where the store
    /// has none, or has lost them.
    Held(Arc<KeptRules>),
}

impl Default for OwnRules {
    fn default() -> Self {
        Self::Configured(Rules::default())
    }
}

impl MembershipConfig {
    /// A member of a store that several nodes share, by the defaults.
    pub fn new(name: NodeId, address: SmolStr) -> Self {
        Self {
            name,
            address,
            heartbeat: limits::NODE_HEARTBEAT,
            lease: limits::NODE_LEASE,
            step_slots: limits::STEP_SLOTS_MAX,
            step_timeout: limits::STEP_TIMEOUT,
            drain: limits::NODE_DRAIN,
            alone: false,
            rules: OwnRules::default(),
        }
    }
}

/// One life of a node, as far as it is known when it begins.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// Names it; drawn at random.
    pub incarnation: Incarnation,
    /// The life of this same process before it, which has ended: its row is taken over without a wait.
    pub former: Option<Incarnation>,
    /// The version of the view that this process holds already; what this life writes is later.
    pub seen: Option<ViewVersion>,
    /// What leads the versions of the views that it writes.
    pub store: StoreIdentity,
}

/// What leads a view's version: which store it is, and which of its servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreIdentity {
    /// When the store was created, or its epochs were begun anew.
    pub birth: UnixMillis,
    /// The server's timeline where a fail-over may lose commits, else 0.
    pub timeline: u32,
}

/// Names a request of one membership to the store; its answer carries the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MembershipTicket(pub u64);

/// Into the machine.
#[derive(Clone, Debug)]
pub enum MembershipInput {
    /// The store has answered.
    Answer(MembershipTicket, MembershipAnswer),
    /// The store says by itself that the view's row has changed.
    Notified,
    /// An edge has shown a newer view than the node's.
    ViewShown(Box<RingView>),
    /// A frame named a view that the node doesn't have.
    NeedView(ViewVersion),
    /// All slots that the view of this version gives to this life are claimed, and what it gave up is done with.
    Settled(ViewVersion),
    /// The store has another birth or timeline than before.
    Store(StoreIdentity),
    /// The node shall stop: it hands its slots over first.
    Leave,
}

/// What the machine asks the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MembershipRequest {
    /// Read all members' rows.
    Members,
    /// Put this life's row.
    Join(JoinRequest),
    /// Raise the counter of this life's row and read all rows.
    Heartbeat,
    /// Read the view and the rules.
    View,
    /// Say which of these namespaces have heads.
    HaveHeads(Vec<SmolStr>),
    /// Replace the view, and the rules with it where there are new ones.
    ChangeView(ViewChange),
    /// Remove this life's row.
    Resign,
}

/// What the store answers.
#[derive(Clone, Debug)]
pub enum MembershipAnswer {
    /// To a read of the rows.
    Members(Result<Vec<MemberRow>, StoreError>),
    /// To a join: whether the row was put.
    Joined(Result<bool, StoreError>),
    /// To a heartbeat: all rows.
    Heartbeat(Result<Vec<MemberRow>, HeartbeatError>),
    /// To a read of the view.
    View(Result<Option<ViewRow>, StoreError>),
    /// Which namespaces have heads, in the order asked.
    HaveHeads(Result<Vec<bool>, StoreError>),
    /// To a change of the view: whether it was the one expected.
    ViewChanged(Result<bool, StoreError>),
    /// To a removal of the row.
    Resigned(Result<bool, StoreError>),
}

/// Out of the machine. After [`Rejoin`](Self::Rejoin), [`NameTaken`](Self::NameTaken), [`RulesRefused`](Self::RulesRefused)
/// and [`Left`](Self::Left) it does nothing more.
#[derive(Clone, Debug)]
pub enum MembershipOutput {
    /// Ask the store.
    Ask(MembershipTicket, MembershipRequest),
    /// The rules that hold in the mesh from now on, for its shards and its edges; before the view that names them.
    Rules(Arc<KeptRules>),
    /// The view that the node holds from now on, for its shards and its edges.
    View(Arc<RingView>),
    /// Whether the node may write; it isn't said before it may for the first time.
    Lease {
        /// It may.
        held: bool,
    },
    /// For the first time the node is in the view and has claimed what that gives it.
    Ready,
    /// This life is over, because the view or the rows are without it: drop everything and begin another one.
    Rejoin,
    /// Another process lives under this name, as this line for people says: stop.
    NameTaken(String),
    /// The process's configuration can't become the rules of the mesh, as these lines for people say, one for each thing that is
    /// in the way: stop.
    RulesRefused(String),
    /// A planned leave is done: stop.
    Left,
}
