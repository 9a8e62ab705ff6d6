//! Names of metrics. `/metrics` shows no other; documents list the same.

pub mod backbone;
pub mod store;

/// What an edge's workers have and have done; sums over its workers, unless they say otherwise.
pub mod edge {
    use crate::Metric;

    /// Connections that have connected.
    pub const CLIENTS: Metric =
        Metric::new("trunkline_edge_clients", "Connections that have connected");
    /// Distinct users of a worker, added up over the workers.
    pub const USERS: Metric = Metric::new(
        "trunkline_edge_users",
        "Distinct users of a worker, added up over the workers",
    );
    /// WebSockets, also those that have not connected or are closing.
    pub const SOCKETS: Metric = Metric::new(
        "trunkline_edge_sockets",
        "WebSockets, also those that have not connected or are closing",
    );
    /// Channels with a subscription of a worker, added up over the workers.
    pub const CHANNELS: Metric = Metric::new(
        "trunkline_edge_channels",
        "Channels with a subscription of a worker, added up over the workers",
    );
    /// Subscriptions.
    pub const SUBSCRIPTIONS: Metric = Metric::new("trunkline_edge_subscriptions", "Subscriptions");
    /// Commands asked upstream and not answered.
    pub const COMMANDS_IN_FLIGHT: Metric = Metric::new(
        "trunkline_edge_commands_in_flight",
        "Commands asked upstream and not answered",
    );
    /// Bytes that sockets are still to take; a shared frame counts for each.
    pub const OUTBOX_BYTES: Metric = Metric::new(
        "trunkline_edge_outbox_bytes",
        "Bytes that sockets are still to take; a shared frame counts for each",
    );
    /// Timers that are set.
    pub const TIMERS: Metric = Metric::new("trunkline_edge_timers", "Timers that are set");
    /// How late a worker came when it was measured last, by worker.
    pub const LAG: Metric = Metric::new(
        "trunkline_edge_worker_lag_seconds",
        "How late a worker came when it was measured last, by worker",
    );
    /// WebSocket messages received.
    pub const MESSAGES_IN: Metric =
        Metric::new("trunkline_edge_messages_in", "WebSocket messages received");
    /// Commands received, pongs included.
    pub const COMMANDS: Metric = Metric::new(
        "trunkline_edge_commands",
        "Commands received, pongs included",
    );
    /// Frames queued for clients.
    pub const FRAMES_OUT: Metric =
        Metric::new("trunkline_edge_frames_out", "Frames queued for clients");
    /// Bytes of frames queued for clients.
    pub const BYTES_OUT: Metric = Metric::new(
        "trunkline_edge_bytes_out",
        "Bytes of frames queued for clients",
    );
    /// Publications queued for clients.
    pub const PUBLICATIONS_OUT: Metric = Metric::new(
        "trunkline_edge_publications_out",
        "Publications queued for clients",
    );
    /// Connections that have connected, ever.
    pub const CONNECTS: Metric = Metric::new(
        "trunkline_edge_connects",
        "Connections that have connected, ever",
    );
    /// Connections closed by the edge, by code.
    pub const CLOSES: Metric = Metric::new(
        "trunkline_edge_closes",
        "Connections closed by the edge, by code",
    );
    /// Commands answered with an error, by code.
    pub const ERRORS: Metric = Metric::new(
        "trunkline_edge_errors",
        "Commands answered with an error, by code",
    );
    /// Recoveries that missed nothing.
    pub const RECOVERED: Metric =
        Metric::new("trunkline_edge_recovered", "Recoveries that missed nothing");
    /// Recoveries that could not be given.
    pub const UNRECOVERED: Metric = Metric::new(
        "trunkline_edge_unrecovered",
        "Recoveries that could not be given",
    );
    /// Recoveries not given because their reply did not fit the send queue.
    pub const UNFIT_RECOVERIES: Metric = Metric::new(
        "trunkline_edge_unfit_recoveries",
        "Recoveries not given because their reply did not fit the send queue",
    );
    /// Subscriptions ended because something was missing.
    pub const INSUFFICIENT_STATES: Metric = Metric::new(
        "trunkline_edge_insufficient_states",
        "Subscriptions ended because something was missing",
    );
    /// Gaps told to workers.
    pub const GAPS: Metric = Metric::new("trunkline_edge_gaps", "Gaps told to workers");
    /// Epoch changes told to workers.
    pub const EPOCH_CHANGES: Metric = Metric::new(
        "trunkline_edge_epoch_changes",
        "Epoch changes told to workers",
    );
    /// Connections closed because their send queue was full.
    pub const OVERFLOWS: Metric = Metric::new(
        "trunkline_edge_overflows",
        "Connections closed because their send queue was full",
    );
    /// Publications of channels that nobody on the worker is subscribed to.
    pub const STRAY_PUBLICATIONS: Metric = Metric::new(
        "trunkline_edge_stray_publications",
        "Publications of channels that nobody on the worker is subscribed to",
    );
    /// Answers that nobody on the worker waits for.
    pub const UNKNOWN_ANSWERS: Metric = Metric::new(
        "trunkline_edge_unknown_answers",
        "Answers that nobody on the worker waits for",
    );
    /// WebSockets that count against edge.connection_limit.
    pub const WEBSOCKETS: Metric = Metric::new(
        "trunkline_edge_websockets",
        "WebSockets that count against edge.connection_limit",
    );
    /// Other connections, which count against edge.http_connection_limit.
    pub const HTTP_CONNECTIONS: Metric = Metric::new(
        "trunkline_edge_http_connections",
        "Other connections, which count against edge.http_connection_limit",
    );
    /// Connections accepted.
    pub const ACCEPTED: Metric = Metric::new("trunkline_edge_accepted", "Connections accepted");
    /// Connections that became WebSockets.
    pub const UPGRADED: Metric = Metric::new(
        "trunkline_edge_upgraded",
        "Connections that became WebSockets",
    );
    /// Connections and handshakes refused, by reason.
    pub const REFUSED: Metric = Metric::new(
        "trunkline_edge_refused",
        "Connections and handshakes refused, by reason",
    );
    /// Connections that could not be accepted.
    pub const ACCEPT_ERRORS: Metric = Metric::new(
        "trunkline_edge_accept_errors",
        "Connections that could not be accepted",
    );
    /// Calls of the server API, by method and outcome: 0, an error's code, or an HTTP status.
    pub const API_CALLS: Metric = Metric::new(
        "trunkline_edge_api_calls",
        "Calls of the server API, by method and outcome: 0, an error's code, or an HTTP status",
    );
    /// 1 when the edge is ready.
    pub const READY: Metric = Metric::new("trunkline_edge_ready", "1 when the edge is ready");
    /// 1 when a node says that the store can not be reached.
    pub const STORE_AWAY: Metric = Metric::new(
        "trunkline_edge_store_away",
        "1 when a node says that the store can not be reached",
    );

    /// All of them.
    pub const ALL: &[Metric] = &[
        CLIENTS,
        USERS,
        SOCKETS,
        CHANNELS,
        SUBSCRIPTIONS,
        COMMANDS_IN_FLIGHT,
        OUTBOX_BYTES,
        TIMERS,
        LAG,
        MESSAGES_IN,
        COMMANDS,
        FRAMES_OUT,
        BYTES_OUT,
        PUBLICATIONS_OUT,
        CONNECTS,
        CLOSES,
        ERRORS,
        RECOVERED,
        UNRECOVERED,
        UNFIT_RECOVERIES,
        INSUFFICIENT_STATES,
        GAPS,
        EPOCH_CHANGES,
        OVERFLOWS,
        STRAY_PUBLICATIONS,
        UNKNOWN_ANSWERS,
        WEBSOCKETS,
        HTTP_CONNECTIONS,
        ACCEPTED,
        UPGRADED,
        REFUSED,
        ACCEPT_ERRORS,
        API_CALLS,
        READY,
        STORE_AWAY,
    ];
}

/// What the way upstream of an edge holds and has done.
pub mod upstream {
    use crate::Metric;

    /// Links up.
    pub const LINKS: Metric = Metric::new("trunkline_upstream_links", "Links up");
    /// Channels known, lingering ones included.
    pub const CHANNELS: Metric = Metric::new(
        "trunkline_upstream_channels",
        "Channels known, lingering ones included",
    );
    /// Channels whose pushes come.
    pub const CHANNELS_LIVE: Metric = Metric::new(
        "trunkline_upstream_channels_live",
        "Channels whose pushes come",
    );
    /// Channels without a local subscriber.
    pub const CHANNELS_LINGERING: Metric = Metric::new(
        "trunkline_upstream_channels_lingering",
        "Channels without a local subscriber",
    );
    /// Bytes in all rings.
    pub const RINGS_BYTES: Metric =
        Metric::new("trunkline_upstream_rings_bytes", "Bytes in all rings");
    /// Publishes without an answer.
    pub const UNANSWERED: Metric = Metric::new(
        "trunkline_upstream_unanswered",
        "Publishes without an answer",
    );
    /// Bytes of publishes without an answer.
    pub const UNANSWERED_BYTES: Metric = Metric::new(
        "trunkline_upstream_unanswered_bytes",
        "Bytes of publishes without an answer",
    );
    /// Requests to owners without an answer.
    pub const REQUESTS_OPEN: Metric = Metric::new(
        "trunkline_upstream_requests_open",
        "Requests to owners without an answer",
    );
    /// Subscribes of workers without an answer.
    pub const WAITERS: Metric = Metric::new(
        "trunkline_upstream_waiters",
        "Subscribes of workers without an answer",
    );
    /// Requests that wait for rules.
    pub const PARKED: Metric =
        Metric::new("trunkline_upstream_parked", "Requests that wait for rules");
    /// Presences kept.
    pub const PRESENCES: Metric = Metric::new("trunkline_upstream_presences", "Presences kept");
    /// Bytes that wait for all lanes of all links.
    pub const LANES_BYTES: Metric = Metric::new(
        "trunkline_upstream_lanes_bytes",
        "Bytes that wait for all lanes of all links",
    );
    /// Bytes that wait for the ephemeral streams of all links.
    pub const EPHEMERAL_BYTES: Metric = Metric::new(
        "trunkline_upstream_ephemeral_bytes",
        "Bytes that wait for the ephemeral streams of all links",
    );
    /// Bytes that wait for the control streams of all links.
    pub const CONTROL_BYTES: Metric = Metric::new(
        "trunkline_upstream_control_bytes",
        "Bytes that wait for the control streams of all links",
    );
    /// Bytes of answers awaited on all links.
    pub const ANSWER_ROOM_BYTES: Metric = Metric::new(
        "trunkline_upstream_answer_room_bytes",
        "Bytes of answers awaited on all links",
    );
    /// Bytes from links that wait for the way upstream.
    pub const INBOX_BYTES: Metric = Metric::new(
        "trunkline_upstream_inbox_bytes",
        "Bytes from links that wait for the way upstream",
    );
    /// Bytes that wait for all workers.
    pub const WORKERS_BYTES: Metric = Metric::new(
        "trunkline_upstream_workers_bytes",
        "Bytes that wait for all workers",
    );
    /// Publishes taken from workers, ephemeral ones included.
    pub const PUBLISHES: Metric = Metric::new(
        "trunkline_upstream_publishes",
        "Publishes taken from workers, ephemeral ones included",
    );
    /// Publishes refused at once because a table or lane was full.
    pub const PUBLISHES_REFUSED_FULL: Metric = Metric::new(
        "trunkline_upstream_publishes_refused_full",
        "Publishes refused at once because a table or lane was full",
    );
    /// Publishes handed to a link again, marked as repeats.
    pub const REPEATS: Metric = Metric::new(
        "trunkline_upstream_repeats",
        "Publishes handed to a link again, marked as repeats",
    );
    /// Publishes whose deadline passed without an answer.
    pub const PUBLISHES_EXPIRED: Metric = Metric::new(
        "trunkline_upstream_publishes_expired",
        "Publishes whose deadline passed without an answer",
    );
    /// Ephemeral publishes dropped.
    pub const EPHEMERAL_DROPPED: Metric = Metric::new(
        "trunkline_upstream_ephemeral_dropped",
        "Ephemeral publishes dropped",
    );
    /// Other requests of workers.
    pub const REQUESTS: Metric =
        Metric::new("trunkline_upstream_requests", "Other requests of workers");
    /// Other requests refused at once because a table was full.
    pub const REQUESTS_REFUSED_FULL: Metric = Metric::new(
        "trunkline_upstream_requests_refused_full",
        "Other requests refused at once because a table was full",
    );
    /// Other requests whose deadline passed without an answer.
    pub const REQUESTS_EXPIRED: Metric = Metric::new(
        "trunkline_upstream_requests_expired",
        "Other requests whose deadline passed without an answer",
    );
    /// Questions of the edge's own asked again because no answer came in time.
    pub const ASKED_AGAIN: Metric = Metric::new(
        "trunkline_upstream_asked_again",
        "Questions of the edge's own asked again because no answer came in time",
    );
    /// Answers to requests that nobody waits for.
    pub const ANSWERS_UNKNOWN: Metric = Metric::new(
        "trunkline_upstream_answers_unknown",
        "Answers to requests that nobody waits for",
    );
    /// Frames of closed links, or that nothing can use.
    pub const FRAMES_IGNORED: Metric = Metric::new(
        "trunkline_upstream_frames_ignored",
        "Frames of closed links, or that nothing can use",
    );
    /// Views or rules that can not be used.
    pub const VIEWS_OR_RULES_INVALID: Metric = Metric::new(
        "trunkline_upstream_views_or_rules_invalid",
        "Views or rules that can not be used",
    );
    /// Statistics and shown views dropped because the control stream was behind.
    pub const CONTROL_DROPPED: Metric = Metric::new(
        "trunkline_upstream_control_dropped",
        "Statistics and shown views dropped because the control stream was behind",
    );
    /// Subscribes said to an owner.
    pub const SUBSCRIBES_SENT: Metric = Metric::new(
        "trunkline_upstream_subscribes_sent",
        "Subscribes said to an owner",
    );
    /// Publications taken from owners, pulled ones included.
    pub const PUBLICATIONS: Metric = Metric::new(
        "trunkline_upstream_publications",
        "Publications taken from owners, pulled ones included",
    );
    /// Pushes dropped: not from the link that answered the subscribe.
    pub const PUSHES_FOREIGN: Metric = Metric::new(
        "trunkline_upstream_pushes_foreign",
        "Pushes dropped: not from the link that answered the subscribe",
    );
    /// Pushes dropped: had before.
    pub const PUSHES_OLD: Metric = Metric::new(
        "trunkline_upstream_pushes_old",
        "Pushes dropped: had before",
    );
    /// Pushes that left a hole, which was then pulled.
    pub const PUSHES_BEYOND: Metric = Metric::new(
        "trunkline_upstream_pushes_beyond",
        "Pushes that left a hole, which was then pulled",
    );
    /// Ephemeral publications and presence events that a worker's queue had no room for.
    pub const WORKER_DROPPED: Metric = Metric::new(
        "trunkline_upstream_worker_dropped",
        "Ephemeral publications and presence events that a worker's queue had no room for",
    );
    /// Times that a channel began to lag for a worker.
    pub const WORKER_LAGS: Metric = Metric::new(
        "trunkline_upstream_worker_lags",
        "Times that a channel began to lag for a worker",
    );
    /// Times that an owner said that a channel lags.
    pub const LAGS: Metric = Metric::new(
        "trunkline_upstream_lags",
        "Times that an owner said that a channel lags",
    );
    /// Pulls sent.
    pub const PULLS: Metric = Metric::new("trunkline_upstream_pulls", "Pulls sent");
    /// Gaps told to workers.
    pub const GAPS: Metric = Metric::new("trunkline_upstream_gaps", "Gaps told to workers");
    /// Epoch changes told to workers.
    pub const EPOCH_CHANGES: Metric = Metric::new(
        "trunkline_upstream_epoch_changes",
        "Epoch changes told to workers",
    );
    /// Slots whose subscriptions an owner has forgotten.
    pub const RESETS: Metric = Metric::new(
        "trunkline_upstream_resets",
        "Slots whose subscriptions an owner has forgotten",
    );
    /// Subscribes that wanted to recover and did.
    pub const RECOVERED: Metric = Metric::new(
        "trunkline_upstream_recovered",
        "Subscribes that wanted to recover and did",
    );
    /// Subscribes that wanted to recover and could not.
    pub const NOT_RECOVERED: Metric = Metric::new(
        "trunkline_upstream_not_recovered",
        "Subscribes that wanted to recover and could not",
    );
    /// Rings emptied because all together were too large.
    pub const RINGS_EVICTED: Metric = Metric::new(
        "trunkline_upstream_rings_evicted",
        "Rings emptied because all together were too large",
    );
    /// Lingering channels ended early because too many lingered.
    pub const LINGERS_CUT: Metric = Metric::new(
        "trunkline_upstream_lingers_cut",
        "Lingering channels ended early because too many lingered",
    );
    /// Joins not kept because the table was full or the channel unknown.
    pub const PRESENCES_REFUSED: Metric = Metric::new(
        "trunkline_upstream_presences_refused",
        "Joins not kept because the table was full or the channel unknown",
    );
    /// Presence snapshots begun.
    pub const SNAPSHOTS: Metric =
        Metric::new("trunkline_upstream_snapshots", "Presence snapshots begun");
    /// Channels that a position check found behind or forgotten.
    pub const POSITIONS_HEALED: Metric = Metric::new(
        "trunkline_upstream_positions_healed",
        "Channels that a position check found behind or forgotten",
    );

    /// All of them.
    pub const ALL: &[Metric] = &[
        LINKS,
        CHANNELS,
        CHANNELS_LIVE,
        CHANNELS_LINGERING,
        RINGS_BYTES,
        UNANSWERED,
        UNANSWERED_BYTES,
        REQUESTS_OPEN,
        WAITERS,
        PARKED,
        PRESENCES,
        LANES_BYTES,
        EPHEMERAL_BYTES,
        CONTROL_BYTES,
        ANSWER_ROOM_BYTES,
        INBOX_BYTES,
        WORKERS_BYTES,
        PUBLISHES,
        PUBLISHES_REFUSED_FULL,
        REPEATS,
        PUBLISHES_EXPIRED,
        EPHEMERAL_DROPPED,
        REQUESTS,
        REQUESTS_REFUSED_FULL,
        REQUESTS_EXPIRED,
        ASKED_AGAIN,
        ANSWERS_UNKNOWN,
        FRAMES_IGNORED,
        VIEWS_OR_RULES_INVALID,
        CONTROL_DROPPED,
        SUBSCRIBES_SENT,
        PUBLICATIONS,
        PUSHES_FOREIGN,
        PUSHES_OLD,
        PUSHES_BEYOND,
        WORKER_DROPPED,
        WORKER_LAGS,
        LAGS,
        PULLS,
        GAPS,
        EPOCH_CHANGES,
        RESETS,
        RECOVERED,
        NOT_RECOVERED,
        RINGS_EVICTED,
        LINGERS_CUT,
        PRESENCES_REFUSED,
        SNAPSHOTS,
        POSITIONS_HEALED,
    ];
}

/// What links carry, by peer: the same on both ends.
pub mod link {
    use crate::Metric;

    /// Frames received.
    pub const FRAMES_IN: Metric = Metric::new("trunkline_link_frames_in", "Frames received");
    /// Frames written.
    pub const FRAMES_OUT: Metric = Metric::new("trunkline_link_frames_out", "Frames written");
    /// Bytes received.
    pub const BYTES_IN: Metric = Metric::new("trunkline_link_bytes_in", "Bytes received");
    /// Bytes written.
    pub const BYTES_OUT: Metric = Metric::new("trunkline_link_bytes_out", "Bytes written");
    /// Bytes queued and not yet written.
    pub const QUEUED_BYTES: Metric = Metric::new(
        "trunkline_link_queued_bytes",
        "Bytes queued and not yet written",
    );
    /// Ephemeral frames dropped because their stream was behind.
    pub const EPHEMERAL_DROPPED: Metric = Metric::new(
        "trunkline_link_ephemeral_dropped",
        "Ephemeral frames dropped because their stream was behind",
    );
    /// Round trip, as QUIC estimates it.
    pub const RTT: Metric = Metric::new(
        "trunkline_link_rtt_seconds",
        "Round trip, as QUIC estimates it",
    );
    /// Packets that count as lost.
    pub const LOST_PACKETS: Metric =
        Metric::new("trunkline_link_lost_packets", "Packets that count as lost");
    /// Bytes that the congestion controller allows under way.
    pub const CONGESTION_WINDOW: Metric = Metric::new(
        "trunkline_link_congestion_window_bytes",
        "Bytes that the congestion controller allows under way",
    );

    /// All of them.
    pub const ALL: &[Metric] = &[
        FRAMES_IN,
        FRAMES_OUT,
        BYTES_IN,
        BYTES_OUT,
        QUEUED_BYTES,
        EPHEMERAL_DROPPED,
        RTT,
        LOST_PACKETS,
        CONGESTION_WINDOW,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_well_formed() {
        let mut names: Vec<&str> = [
            backbone::ALL,
            edge::ALL,
            upstream::ALL,
            link::ALL,
            store::ALL,
        ]
        .concat()
        .iter()
        .map(|metric| metric.name)
        .collect();
        let good = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        assert!(
            names.iter().all(|name| name.starts_with("trunkline_")
                && good(name)
                && !name.ends_with("_total"))
        );
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
