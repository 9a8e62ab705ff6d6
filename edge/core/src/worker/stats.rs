//! What a worker counts, for the shell to fold into metrics.

use std::collections::BTreeMap;

use trunkline_protocol::{DisconnectCode, ErrorCode};

/// How much there is of everything at the moment, and what has happened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerStats {
    /// Connections that have connected.
    pub clients: usize,
    /// Distinct users of them; the anonymous ones count as one.
    pub users: usize,
    /// Sockets, also of those that haven't connected or are closing.
    pub sockets: usize,
    /// Channels with at least one subscription here.
    pub channels: usize,
    /// Subscriptions.
    pub subscriptions: usize,
    /// Commands asked upstream and not answered.
    pub commands_in_flight: usize,
    /// Bytes that sockets are still to take; a frame shared by many counts for each.
    pub outbox_bytes: usize,
    /// Timers that are set.
    pub timers: usize,
    /// What has happened.
    pub counters: Counters,
}

/// What has happened since the worker began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// WebSocket messages received.
    pub messages_in: u64,
    /// Commands received, pongs included.
    pub commands: u64,
    /// Frames queued for clients.
    pub frames_out: u64,
    /// Bytes of them.
    pub bytes_out: u64,
    /// Publications queued for clients.
    pub publications_out: u64,
    /// Connections that have connected.
    pub connects: u64,
    /// Closes by us, by code.
    pub closes: BTreeMap<u16, u64>,
    /// Error replies, by code.
    pub errors: BTreeMap<u32, u64>,
    /// Recoveries that missed nothing.
    pub recovered: u64,
    /// Recoveries that couldn't be given.
    pub unrecovered: u64,
    /// Recoveries not given because their reply didn't fit the send queue.
    pub unfit_recoveries: u64,
    /// Subscriptions ended because something was missing (2500 and 3010).
    pub insufficient_states: u64,
    /// Gaps reported by the way upstream.
    pub gaps: u64,
    /// Epoch changes reported by the way upstream.
    pub epoch_changes: u64,
    /// Connections closed because their send queue was full (3008).
    pub overflows: u64,
    /// Publications of channels that nobody here is subscribed to.
    pub stray_publications: u64,
    /// Answers to tickets that aren't open.
    pub unknown_answers: u64,
}

impl Counters {
    /// We close a connection.
    pub(super) fn close(&mut self, code: &DisconnectCode) {
        *self.closes.entry(code.code()).or_default() += 1;
        self.overflows += u64::from(*code == DisconnectCode::Slow);
    }

    /// A command is answered with an error.
    pub(super) fn error(&mut self, code: ErrorCode) {
        *self.errors.entry(code.code()).or_default() += 1;
    }
}
