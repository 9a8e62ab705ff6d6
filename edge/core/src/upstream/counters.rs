//! Plain numbers that the shell folds into metrics.

/// What has happened since the start; every number only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Publishes taken from workers, ephemeral ones included.
    pub publishes: u64,
    /// Publishes refused at once, because a table or lane was full.
    pub publishes_refused_full: u64,
    /// Publishes handed to a link again, marked as repeats.
    pub repeats: u64,
    /// Publishes whose deadline passed without an answer.
    pub publishes_expired: u64,
    /// Ephemeral publishes dropped: no link, or its stream behind.
    pub ephemeral_dropped: u64,
    /// Other requests of workers.
    pub requests: u64,
    /// Other requests refused at once, because a table was full.
    pub requests_refused_full: u64,
    /// Other requests whose deadline passed without an answer.
    pub requests_expired: u64,
    /// Questions of the edge's own asked again, because no answer came in time.
    pub asked_again: u64,
    /// Answers to requests that nobody waits for any more.
    pub answers_unknown: u64,
    /// Frames of links that are closed, or that nothing here can use.
    pub frames_ignored: u64,
    /// Views or rules that can't be used.
    pub views_or_rules_invalid: u64,
    /// Statistics and shown views dropped, because the control stream was behind.
    pub control_dropped: u64,
    /// Subscribes said to an owner.
    pub subscribes_sent: u64,
    /// Publications taken from owners, pulled ones included.
    pub publications: u64,
    /// Pushes dropped: not from the link that answered the channel's subscribe.
    pub pushes_foreign: u64,
    /// Pushes dropped: had before.
    pub pushes_old: u64,
    /// Pushes that left a hole, which was then pulled.
    pub pushes_beyond: u64,
    /// Ephemeral publications and presence events that a worker's queue had no room for.
    pub worker_dropped: u64,
    /// Times that a channel began to lag for a worker.
    pub worker_lags: u64,
    /// Times that an owner said that a channel lags.
    pub lags: u64,
    /// Floors taken that were pushed: somebody removed a channel's history.
    pub floors: u64,
    /// Pulls sent.
    pub pulls: u64,
    /// Gaps told to workers.
    pub gaps: u64,
    /// Epoch changes told to workers.
    pub epoch_changes: u64,
    /// Slots whose subscriptions an owner has forgotten.
    pub resets: u64,
    /// Subscribes that wanted to recover and did.
    pub recovered: u64,
    /// Subscribes that wanted to recover and couldn't.
    pub not_recovered: u64,
    /// Subscribes that wanted to recover and were answered without a question to the owner.
    pub resumes_at_edge: u64,
    /// Subscribes that wanted to recover and were answered after a question to the owner.
    pub resumes_at_owner: u64,
    /// Rings emptied, because all together were too large.
    pub rings_evicted: u64,
    /// Lingering channels ended early, because too many lingered.
    pub lingers_cut: u64,
    /// Joins not kept, because the table was full or the channel unknown.
    pub presences_refused: u64,
    /// Presence snapshots begun.
    pub snapshots: u64,
    /// Channels that a position check found behind or forgotten.
    pub positions_healed: u64,
}

/// How full every table and queue is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Whether there has been no link to a node of the view for too long, or never one.
    pub isolated: bool,
    /// Links up.
    pub links: usize,
    /// Channels known, lingering ones included.
    pub channels: usize,
    /// Channels whose pushes come.
    pub channels_live: usize,
    /// Channels without a local subscriber.
    pub channels_lingering: usize,
    /// Rings that hold something.
    pub rings: usize,
    /// Bytes in all rings.
    pub rings_bytes: usize,
    /// Publishes without an answer.
    pub unanswered: usize,
    /// Bytes of publishes without an answer.
    pub unanswered_bytes: usize,
    /// Requests to owners without an answer.
    pub requests: usize,
    /// Subscribes of workers without an answer.
    pub waiters: usize,
    /// Requests that wait for rules.
    pub parked: usize,
    /// Presences kept.
    pub presences: usize,
    /// Bytes that wait for all lanes of all links.
    pub lanes_bytes: usize,
    /// Bytes that wait for the ephemeral streams of all links.
    pub ephemeral_bytes: usize,
    /// Bytes that wait for the control streams of all links.
    pub control_bytes: usize,
    /// Bytes of answers awaited on all links.
    pub answer_room_bytes: usize,
    /// Bytes that wait for all workers.
    pub workers_bytes: usize,
}
