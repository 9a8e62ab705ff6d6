//! What a shard may hold and how long it waits.

use std::time::Duration;

use trunkline_shared::limits;

/// A shard's share of the slots, its bounds and its times.
#[derive(Clone, Debug)]
pub struct ShardConfig {
    /// Which of the node's shards it is, below `shards`.
    pub index: usize,
    /// Shards of the node: a shard has the slots whose lane, modulo this number, is its index. 1 to the number of lanes.
    pub shards: usize,
    /// Bytes that may wait for one lane of a link; beyond it a push makes its channel lag. Default 4 MiB.
    pub lane_queue_bytes: usize,
    /// Bytes that may wait for the ephemeral stream of a link; beyond it publications are dropped. Default 256 KiB.
    pub ephemeral_queue_bytes: usize,
    /// Bytes of publishes that may wait in one slot, those in flight to the store included; beyond it `Busy`.
    /// Default 16 MiB.
    pub slot_waiting_bytes_max: usize,
    /// Bytes of publishes that may wait in all slots together; beyond it `Busy`. Default 256 MiB.
    pub waiting_bytes_max: usize,
    /// Bytes of publishes and subscribes that may wait for a view that the node doesn't have; beyond it `Busy`.
    /// Default 16 MiB.
    pub parked_bytes_max: usize,
    /// Bytes of one part of an append. Default 4 MiB.
    pub append_bytes_max: usize,
    /// Channels that are kept in memory; beyond it the one idle for longest goes, and when none is idle, `Busy`.
    /// Default 1,000,000.
    pub channels_max: usize,
    /// Bytes of recent publications kept per channel. Default 4 MiB.
    pub ring_bytes_max: usize,
    /// Bytes of recent publications kept in all channels; beyond it idle channels go, and when none is idle, a buffered
    /// publish is `Busy` and a durable one isn't cached. Default 1 GiB.
    pub ring_bytes_max_total: usize,
    /// Ids of buffered publishes that are kept; beyond it `Busy`. Default 1,000,000.
    pub publish_ids_max: usize,
    /// Idempotency keys of buffered and ephemeral channels that are remembered; beyond it a buffered publish with a key is
    /// `Busy`, and an ephemeral one is dropped. Default 1,000,000.
    pub keys_max: usize,
    /// Bytes of these keys and their channels' names; beyond it as above. Default 128 MiB.
    pub key_bytes_max: usize,
    /// Requests that may wait for the store; beyond it `Busy`. Default 100,000.
    pub requests_max: usize,
    /// Connections that may be present in one channel; those beyond it aren't kept. Default 100,000.
    pub presence_per_channel_max: usize,
    /// Connections that may be present in all channels together; those beyond it aren't kept. Default 2,000,000.
    pub presence_max: usize,
    /// Lives of edges that are known at a time; a link of one more is closed. Default 4096.
    pub edges_max: usize,
    /// Time after which an edge without a link is dead. Default 10 s.
    pub edge_lease: Duration,
    /// Time from an edge's death until its connections leave presence. Default 30 s.
    pub offline_debounce: Duration,
    /// The first wait before the store is asked again for what it couldn't do. Default 50 ms, doubling.
    pub retry_min: Duration,
    /// The longest such wait. Default 2 s.
    pub retry_max: Duration,
}

impl Default for ShardConfig {
    fn default() -> Self {
        Self {
            index: 0,
            shards: 1,
            lane_queue_bytes: limits::LANE_QUEUE_BYTES_MAX,
            ephemeral_queue_bytes: limits::EPHEMERAL_QUEUE_BYTES_MAX,
            slot_waiting_bytes_max: 16 << 20,
            waiting_bytes_max: 256 << 20,
            parked_bytes_max: 16 << 20,
            append_bytes_max: limits::APPEND_BYTES_MAX,
            channels_max: 1_000_000,
            ring_bytes_max: 4 << 20,
            ring_bytes_max_total: 1 << 30,
            publish_ids_max: 1_000_000,
            keys_max: limits::IDEMPOTENCY_KEYS_MAX,
            key_bytes_max: limits::IDEMPOTENCY_KEYS_BYTES_MAX,
            requests_max: 100_000,
            presence_per_channel_max: 100_000,
            presence_max: 2_000_000,
            edges_max: 4096,
            edge_lease: limits::EDGE_LEASE,
            offline_debounce: limits::OFFLINE_DEBOUNCE,
            retry_min: Duration::from_millis(50),
            retry_max: Duration::from_secs(2),
        }
    }
}
