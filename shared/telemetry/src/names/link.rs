//! What links carry, by peer: the same on both ends.

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
