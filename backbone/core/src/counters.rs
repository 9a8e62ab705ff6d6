//! What a shard counts; shells fold it into metrics.

/// Events since the shard's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Publishes kept and delivered, durable and buffered.
    pub published: u64,
    /// Ephemeral publishes taken, those that skip history included.
    pub ephemeral_published: u64,
    /// Ephemeral publishes that were not taken: another's slot, no rules.
    pub ephemeral_refused: u64,
    /// Ephemeral publications that didn't fit a link's stream.
    pub ephemeral_dropped: u64,
    /// Copies of publications sent to edges.
    pub pushes: u64,
    /// Times that a push didn't fit and a channel began to lag for an edge.
    pub lags: u64,
    /// `Behind` frames sent.
    pub behinds: u64,
    /// Pulls answered with publications or a head.
    pub pulls: u64,
    /// Histories answered.
    pub histories: u64,
    /// Histories removed (`history_remove`).
    pub histories_removed: u64,
    /// Recoveries (the newest after a position) answered from memory.
    pub recoveries_from_ring: u64,
    /// Recoveries answered with what the store was read for.
    pub recoveries_from_store: u64,
    /// Ranges of messages asked of the store, for pulls and histories.
    pub reads: u64,
    /// Publishes that came marked as repeats.
    pub repeats: u64,
    /// Repeats that were found: kept or answered before.
    pub repeats_found: u64,
    /// Publishes that named an id which waits already.
    pub repeats_held: u64,
    /// Publishes answered as the first one with their idempotency key was.
    pub keys_found: u64,
    /// Publishes that waited behind one with the same idempotency key.
    pub keys_held: u64,
    /// Publishes with a key that weren't taken because too many keys are remembered.
    pub keys_refused_full: u64,
    /// First sendings under a view older than the slot's claim.
    pub stale_views: u64,
    /// Publishes refused because an older one of their slot, sent back to their edge before, hasn't come again.
    pub out_of_order: u64,
    /// Requests refused because the slot isn't owned.
    pub moved: u64,
    /// Requests refused because something was full or their time over.
    pub busy: u64,
    /// Requests refused because the store is away.
    pub store_away: u64,
    /// Frames whose slot isn't their channel's.
    pub wrong_slots: u64,
    /// Publishes whose time was over before an append could begin.
    pub out_of_time: u64,
    /// Appends asked of the store.
    pub appends: u64,
    /// Appends of which nobody knows whether they were taken.
    pub appends_unknown: u64,
    /// Appends refused for their generation or a head.
    pub appends_refused: u64,
    /// Appends that the store said it didn't take.
    pub appends_failed: u64,
    /// Publishes of unknown appends that turned out to be kept.
    pub unknown_kept: u64,
    /// Slots asked of the store.
    pub claims: u64,
    /// Slots given up because a later view gives them to another.
    pub given_up: u64,
    /// Publishes and subscribes that waited for a view that the node didn't have.
    pub parked: u64,
    /// Slots that got a new epoch.
    pub epochs_begun: u64,
    /// `Reset` frames sent.
    pub resets: u64,
    /// Channels dropped from memory because there were too many.
    pub evicted: u64,
    /// Joins and leaves sent to edges.
    pub presence_events: u64,
    /// Joins and leaves that didn't fit a lane.
    pub presence_events_dropped: u64,
    /// Connections not kept in presence because there were too many.
    pub presence_refused: u64,
    /// Presence answers cut because they were too long.
    pub presence_cut: u64,
    /// Frames of links that are down, and frames that name nothing known.
    pub ignored_frames: u64,
    /// Links closed because their edge broke the protocol.
    pub closed: u64,
}

/// What a shard holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Slots owned.
    pub slots: usize,
    /// Slots that are being claimed.
    pub claiming: usize,
    /// Slots that the present view moves to the node or from it, until they are claimed or their last append has ended.
    pub moving: usize,
    /// Lives of edges known.
    pub edges: usize,
    /// Links up.
    pub links: usize,
    /// Channels in memory.
    pub channels: usize,
    /// Channels in memory that could be dropped.
    pub idle_channels: usize,
    /// Subscriptions of edges.
    pub subscriptions: usize,
    /// Bytes of recent publications in memory.
    pub ring_bytes: usize,
    /// Bytes of publishes that wait.
    pub waiting_bytes: usize,
    /// Bytes of publishes and subscribes that wait for a view that the node doesn't have.
    pub parked_bytes: usize,
    /// Ids of buffered publishes kept.
    pub publish_ids: usize,
    /// Idempotency keys of buffered and ephemeral channels remembered.
    pub keys: usize,
    /// Bytes of them and of their channels' names.
    pub key_bytes: usize,
    /// Requests that wait for the store.
    pub requests: usize,
    /// Connections present.
    pub presence: usize,
    /// Bytes that wait for lanes of all links.
    pub queued_bytes: usize,
}
