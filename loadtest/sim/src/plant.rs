//! Bugs planted outside of the cores, to see that the checks find them.
//!
//! Each is made in the simulator's own network, store, or the way between an edge and its clients.

mod disguise;

pub(crate) use disguise::{disguise, undisguised};

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plant {
    /// The network takes the mark off a repeat.
    RepeatUnmarked,
    /// The network gives a repeat another publish id.
    RepeatRenamed,
    /// A publish is answered with an earlier publish's answer, under its own id.
    OldAnswerNewId,
    /// The network makes an owner forget where an edge stands, and the store loses what it acknowledged: offsets are used
    /// twice in one epoch.
    EpochKept,
    /// A restarted node draws the same numbers again, and so the same epochs.
    SeedReused,
    /// The store acknowledges before it has synced, and a crash loses it.
    AckBeforeCommit,
    /// The store says that an append of unknown outcome was committed.
    UnknownAsCommitted,
    /// The store doesn't check the generation: a fenced owner's append arrives after all.
    GenerationUnchecked,
    /// The store doesn't check heads, and reads them from a replica that lags.
    HeadUnchecked,
    /// The store finds no publish id.
    FindBlind,
    /// A publication is lost between an edge and its client.
    PushSwallowed,
    /// A publication is lost from a recovery.
    RecoverySwallowed,
    /// A publication reaches a client twice.
    PushTwice,
    /// Two publications reach a client in the wrong order.
    PushesSwapped,
    /// An ephemeral publication arrives twice at an edge.
    EphemeralTwice,
    /// Leaves are lost between an edge and the owner.
    LeavesSwallowed,
    /// Replies to publishes are lost between an edge and its client.
    RepliesSwallowed,
    /// Resubscribes are lost between an edge and the owner, and so is every check of positions.
    ResubscribesSwallowed,
    /// An edge's ring keeps what it has when a channel gets another numbering.
    RingAcrossEpochs,
    /// The network tells edges that namespaces keep far more than they do: their rings answer beyond the history size.
    RingBeyondSize,
    /// A client that can't be recovered is told that it was.
    UnrecoveredAsRecovered,
    /// The store says that it has raised a floor, and hasn't.
    FloorForgotten,
    /// An edge that removes a history is told so, and what it heard of the floor is lost: its ring keeps what was removed.
    RingBelowFloor,
    /// The network takes the idempotency keys off publishes: the owner numbers each.
    KeyIgnored,
    /// The store finds no idempotency key that an earlier life of the node has written, as if only memory were asked.
    KeyOnlyInMemory,
    /// The owner sees another idempotency key in each publish, and the store doesn't: a publish isn't made to wait for the
    /// one before it with the same key.
    KeyPendingUnseen,
    /// The store looks idempotency keys up as they were before a claim: those of appends that ended with it are missed.
    KeySoughtBeforeClaim,
    /// The store finds an idempotency key at the message before its own.
    KeyMisplaced,
    /// The store takes an append of an older generation as if it were the present one's.
    NoFence,
    /// Some nodes read the view with its members in another order: there are two views of one version.
    TwoViews,
    /// The store takes nothing of an append of which it refuses a part, and says so only of that part.
    MixedBatchDropped,
    /// The store grants a claim under an older view than the slot was claimed under.
    LateClaimTaken,
    /// The store looks publish ids up as they were before a claim: those of appends that ended with it are missed.
    SoughtBeforeClaim,
    /// The network says of every buffered publish that its edge has nothing older without an answer.
    AnsweredForgotten,
}

impl Plant {
    /// All of them, in order.
    pub const ALL: [Self; 34] = [
        Self::RepeatUnmarked,
        Self::RepeatRenamed,
        Self::OldAnswerNewId,
        Self::EpochKept,
        Self::SeedReused,
        Self::AckBeforeCommit,
        Self::UnknownAsCommitted,
        Self::GenerationUnchecked,
        Self::HeadUnchecked,
        Self::FindBlind,
        Self::PushSwallowed,
        Self::RecoverySwallowed,
        Self::PushTwice,
        Self::PushesSwapped,
        Self::EphemeralTwice,
        Self::LeavesSwallowed,
        Self::RepliesSwallowed,
        Self::ResubscribesSwallowed,
        Self::RingAcrossEpochs,
        Self::RingBeyondSize,
        Self::UnrecoveredAsRecovered,
        Self::FloorForgotten,
        Self::RingBelowFloor,
        Self::KeyIgnored,
        Self::KeyOnlyInMemory,
        Self::KeyPendingUnseen,
        Self::KeySoughtBeforeClaim,
        Self::KeyMisplaced,
        Self::NoFence,
        Self::TwoViews,
        Self::MixedBatchDropped,
        Self::LateClaimTaken,
        Self::SoughtBeforeClaim,
        Self::AnsweredForgotten,
    ];
}
