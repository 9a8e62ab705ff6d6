//! What an edge's workers have and have done; sums over its workers, unless they say otherwise.

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
/// TLS handshakes of clients, by outcome.
pub const TLS_HANDSHAKES: Metric = Metric::new(
    "trunkline_edge_tls_handshakes",
    "TLS handshakes of clients, by outcome",
);
/// Calls of the server API, by method and outcome: 0, an error's code, or an HTTP status.
pub const API_CALLS: Metric = Metric::new(
    "trunkline_edge_api_calls",
    "Calls of the server API, by method and outcome: 0, an error's code, or an HTTP status",
);
/// Requests for history pages, by the class of their status.
pub const HISTORY_REQUESTS: Metric = Metric::new(
    "trunkline_edge_history_requests",
    "Requests for history pages, by the class of their status",
);
/// History pages looked for in the cache, by outcome.
pub const HISTORY_CACHE: Metric = Metric::new(
    "trunkline_edge_history_cache",
    "History pages looked for in the cache, by outcome",
);
/// Bytes of the cache of history pages.
pub const HISTORY_CACHE_BYTES: Metric = Metric::new(
    "trunkline_edge_history_cache_bytes",
    "Bytes of the cache of history pages",
);
/// Questions for history pages that owners were asked, by what: a channel's position, or a page's messages.
pub const HISTORY_QUESTIONS: Metric = Metric::new(
    "trunkline_edge_history_questions",
    "Questions for history pages that owners were asked, by what: a channel's position, or a page's messages",
);
/// Requests for history pages that waited for the question of another one.
pub const HISTORY_WAITS: Metric = Metric::new(
    "trunkline_edge_history_waits",
    "Requests for history pages that waited for the question of another one",
);
/// 1 when the edge is ready.
pub const READY: Metric = Metric::new("trunkline_edge_ready", "1 when the edge is ready");
/// 1 when a node says that the store can not be reached.
pub const STORE_AWAY: Metric = Metric::new(
    "trunkline_edge_store_away",
    "1 when a node says that the store can not be reached",
);
/// 1 when there has been no link to a node of the view for edge.isolation_tolerance, or none yet.
pub const ISOLATED: Metric = Metric::new(
    "trunkline_edge_isolated",
    "1 when there has been no link to a node of the view for edge.isolation_tolerance, or none yet",
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
    TLS_HANDSHAKES,
    API_CALLS,
    HISTORY_REQUESTS,
    HISTORY_CACHE,
    HISTORY_CACHE_BYTES,
    HISTORY_QUESTIONS,
    HISTORY_WAITS,
    READY,
    STORE_AWAY,
    ISOLATED,
];
