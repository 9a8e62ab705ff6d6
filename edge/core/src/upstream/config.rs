//! What the way upstream may use and how long it waits.

use std::time::Duration;

use smol_str::SmolStr;
use trunkline_shared::limits;

/// The settings of an [`Upstream`](super::Upstream); the defaults are those of `limits.rs` and `names.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamConfig {
    /// Addresses of nodes to begin with, `host:port`; later ones come with the view. Default empty.
    pub contacts: Vec<SmolStr>,
    /// Dials the members of the view by the addresses that they advertise. Default true; false: the contacts only, where
    /// something stands in the way that members don't know of.
    pub follow_view: bool,
    /// Publishes without an answer; beyond it one is refused at once. Default 65,536.
    pub unanswered_max: usize,
    /// Bytes of publishes without an answer; beyond it one is refused at once. Default 64 MiB.
    pub unanswered_bytes_max: usize,
    /// Other requests of workers without an answer; beyond it one is refused at once. Default 65,536.
    pub waiting_max: usize,
    /// Bytes that may wait for one lane of a link. Default 4 MiB.
    pub lane_queue_bytes: usize,
    /// Bytes that may wait for the ephemeral stream of a link; beyond it publications are dropped. Default 256 KiB.
    pub ephemeral_queue_bytes: usize,
    /// Bytes that may wait for the control stream of a link. Default 1 MiB.
    pub control_queue_bytes: usize,
    /// Bytes that may wait for one worker; beyond it channels lag. Default 8 MiB.
    pub worker_queue_bytes: usize,
    /// Bytes of answers that may be awaited on one link; beyond it requests wait in order. Default 8 MiB.
    pub answer_room_bytes: usize,
    /// Channels subscribed to, lingering ones included. Default 262,144.
    pub channels_max: usize,
    /// Publications kept per channel. Default 512.
    pub ring_publications_max: usize,
    /// Bytes of publications kept per channel. Default 1 MiB.
    pub ring_bytes_max: usize,
    /// Bytes of publications kept in all channels together. Default 256 MiB.
    pub rings_bytes_max: usize,
    /// How long a channel stays subscribed after its last local subscriber. Default 60 s.
    pub linger: Duration,
    /// Channels that linger; beyond it the oldest one ends. Default 16,384.
    pub linger_channels_max: usize,
    /// Subscribes that are said again at once on a link; the next ones follow their answers. Default 256.
    pub resubscribe_batch: usize,
    /// Time after which something refused for now is asked again, when no view is waited for. Default 200 ms.
    pub retry_delay: Duration,
    /// Time after which a question of the edge's own is asked again. Default 5 s.
    pub ask_timeout: Duration,
    /// Bytes of publications that one recovery asks for. Default 1 MiB.
    pub recovery_bytes_max: u32,
    /// Presences kept; beyond it a join isn't kept. Default 1,048,576.
    pub presences_max: usize,
    /// Time between two checks of a lane's positions against the owner, give or take a quarter. Default 25 s.
    pub position_check_interval: Duration,
    /// Channels in one check. Default 500.
    pub position_check_batch: usize,
    /// Time without a link to any node of the view after which the edge isn't ready. Default 60 s.
    pub isolation_tolerance: Duration,
    /// Tells the workers then, which send their clients elsewhere. Default false.
    pub close_when_isolated: bool,
    /// Time over which an epoch change reaches clients. Default 5 s.
    pub epoch_spread: Duration,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self {
            contacts: Vec::new(),
            follow_view: true,
            unanswered_max: limits::UNANSWERED_MAX,
            unanswered_bytes_max: limits::UNANSWERED_BYTES_MAX,
            waiting_max: limits::WAITING_REQUESTS_MAX,
            lane_queue_bytes: limits::LANE_QUEUE_BYTES_MAX,
            ephemeral_queue_bytes: limits::EPHEMERAL_QUEUE_BYTES_MAX,
            control_queue_bytes: limits::CONTROL_QUEUE_BYTES_MAX,
            worker_queue_bytes: limits::WORKER_QUEUE_BYTES_MAX,
            answer_room_bytes: limits::ANSWER_ROOM_BYTES_MAX,
            channels_max: limits::EDGE_CHANNELS_MAX,
            ring_publications_max: limits::RING_PUBLICATIONS_MAX,
            ring_bytes_max: limits::RING_BYTES_MAX,
            rings_bytes_max: limits::RINGS_BYTES_MAX,
            linger: limits::CHANNEL_LINGER,
            linger_channels_max: limits::LINGER_CHANNELS_MAX,
            resubscribe_batch: 256,
            retry_delay: Duration::from_millis(200),
            ask_timeout: Duration::from_secs(5),
            recovery_bytes_max: 1 << 20,
            presences_max: limits::EDGE_PRESENCES_MAX,
            position_check_interval: Duration::from_secs(25),
            position_check_batch: 500,
            isolation_tolerance: Duration::from_secs(60),
            close_when_isolated: false,
            epoch_spread: limits::EPOCH_SPREAD,
        }
    }
}
