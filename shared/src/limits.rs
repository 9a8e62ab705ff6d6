//! Every limit of the mesh that isn't configuration, in one place, with the relations between them asserted.

use std::time::Duration;

/// Slots of the channel space (fixed: it is on every wire and disk).
pub const SLOTS: u16 = 4096;

/// Bytes of a channel's name, by any road.
pub const CHANNEL_BYTES_MAX: usize = 255;

/// Bytes of an idempotency key, by any road; beyond it the publish is answered with error 107.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Time for which an idempotency key is remembered, by the clock of the channel's owner.
pub const IDEMPOTENCY_KEY_TTL: Duration = Duration::from_secs(300);

/// Idempotency keys of buffered and ephemeral channels that a shard remembers; beyond it a buffered publish with a key is
/// answered with error 100, and an ephemeral one is dropped.
pub const IDEMPOTENCY_KEYS_MAX: usize = 1_000_000;

/// Bytes of these keys and their channels' names; beyond it as above.
pub const IDEMPOTENCY_KEYS_BYTES_MAX: usize = 128 << 20;

/// Bytes of one client frame, and of one publication's payload by any road.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 10;

/// Channels that one connection may be subscribed to; the default of `client.channel_limit`.
pub const CHANNELS_PER_CONNECTION: usize = 128;

/// Time for TLS and the HTTP header, and again for the first command.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Publications that a connection's send queue holds.
pub const SEND_QUEUE_PUBLICATIONS_MAX: usize = 1000;

/// Bytes that a connection's send queue holds.
pub const SEND_QUEUE_BYTES_MAX: usize = 1 << 20;

/// Commands of one connection in flight; beyond it its socket isn't read.
pub const COMMANDS_IN_FLIGHT_MAX: usize = 256;

/// Publications that a worker gives one session between two writes to its socket.
pub const PUBLICATIONS_BETWEEN_WRITES: usize = 256;

/// Bytes of publications that a worker gives one session between two writes to its socket.
pub const BYTES_BETWEEN_WRITES: usize = 256 << 10;

/// Bytes of unanswered publishes that an edge keeps; beyond it a publish is answered with error 100 at once.
pub const UNANSWERED_BYTES_MAX: usize = 64 << 20;

/// Unanswered publishes that an edge keeps; beyond it a publish is answered with error 100 at once.
pub const UNANSWERED_MAX: usize = 65_536;

/// Bytes of one link frame: header, envelope and payloads.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Bytes of publications in one piece of a long answer.
pub const PIECE_BYTES_MAX: usize = 64 << 10;

/// Bytes of publications in all pieces of one answer together.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Bytes of one API request body; beyond it 413.
pub const API_BODY_BYTES_MAX: usize = 1 << 20;

/// Bytes of `info` in a token; beyond it the token is invalid.
pub const INFO_BYTES_MAX: usize = 4 << 10;

/// Tags of one publication.
pub const TAGS_MAX: usize = 16;

/// Bytes of all tags of one publication together.
pub const TAGS_BYTES_MAX: usize = 256;

/// Lanes of a link; a hello with another number is refused.
pub const LANES: u8 = 16;

/// Bytes that may wait for one lane of a link, before pushes go lagging and publishes are refused.
pub const LANE_QUEUE_BYTES_MAX: usize = 4 << 20;

/// Bytes that may wait for the ephemeral stream of a link, before its publications are dropped.
pub const EPHEMERAL_QUEUE_BYTES_MAX: usize = 256 << 10;

/// Bytes from links that may wait for one machine; beyond it the streams that feed it aren't read.
pub const INBOX_BYTES_MAX: usize = 32 << 20;

/// Bytes of one append call of the store.
pub const APPEND_BYTES_MAX: usize = 4 << 20;

/// Slots' parts that a store commits together.
pub const APPEND_PARTS_MAX: usize = 1024;

/// Bytes of writes that may wait for a store; beyond it they are answered "away" at once.
pub const STORE_WRITES_BYTES_MAX: usize = 64 << 20;

/// Reads that may wait for a store; beyond it they are answered "away" at once.
pub const STORE_READS_MAX: usize = 4096;

/// Time in which every client command is answered (`design.md` §3: the SDKs give up at 5 s).
pub const COMMAND_DEADLINE: Duration = Duration::from_secs(4);

/// Time after which an edge without a link is dead to a node.
pub const EDGE_LEASE: Duration = Duration::from_secs(10);

/// Time after an edge's death until its connections leave presence.
pub const OFFLINE_DEBOUNCE: Duration = Duration::from_secs(30);

/// Time over which an epoch change reaches the clients of an edge.
pub const EPOCH_SPREAD: Duration = Duration::from_secs(5);

/// Time in which a client that was told to subscribe again (2500) stays present; then it leaves.
pub const RESUBSCRIBE_GRACE: Duration = Duration::from_secs(10);

const _: () = {
    assert!(
        PAYLOAD_BYTES_MAX * 2 <= FRAME_BYTES_MAX,
        "a payload with its envelope fits a frame"
    );
    assert!(
        PIECE_BYTES_MAX + 2 * PAYLOAD_BYTES_MAX <= FRAME_BYTES_MAX,
        "a piece fits a frame"
    );
    assert!(
        FRAME_BYTES_MAX <= LANE_QUEUE_BYTES_MAX,
        "a lane's queue takes any frame"
    );
    assert!(
        FRAME_BYTES_MAX <= APPEND_BYTES_MAX,
        "an append takes any publication"
    );
};

/// Requests of workers (publishes apart) that an edge has no answer to; beyond it one is answered with error 100 at once.
pub const WAITING_REQUESTS_MAX: usize = 65_536;

/// Channels that an edge is subscribed to; beyond it, with none lingering, a subscribe is answered with error 100 at once.
pub const EDGE_CHANNELS_MAX: usize = 262_144;

/// Channels without a local subscriber that an edge stays subscribed to; beyond it the oldest one is ended.
pub const LINGER_CHANNELS_MAX: usize = 16_384;

/// Publications in the ring that an edge keeps per channel; beyond it the oldest leaves.
pub const RING_PUBLICATIONS_MAX: usize = 512;

/// Bytes of the ring that an edge keeps per channel; beyond it the oldest leaves.
pub const RING_BYTES_MAX: usize = 1 << 20;

/// Time that an edge stays subscribed to a channel after its last local subscriber.
pub const CHANNEL_LINGER: Duration = Duration::from_secs(60);

/// Bytes of all rings of an edge together; beyond it the ring that was used longest ago is emptied.
pub const RINGS_BYTES_MAX: usize = 256 << 20;

/// Bytes that may wait for one worker of an edge; beyond it its channels lag and are served from their rings later.
pub const WORKER_QUEUE_BYTES_MAX: usize = 8 << 20;

/// Bytes of answers that an edge may await on one link; beyond it requests wait in order.
pub const ANSWER_ROOM_BYTES_MAX: usize = 8 << 20;

/// Bytes that may wait for the control stream of a link, before statistics and shown views are dropped.
pub const CONTROL_QUEUE_BYTES_MAX: usize = 1 << 20;

/// Presences (connection in a channel) that an edge keeps; beyond it a join isn't kept.
pub const EDGE_PRESENCES_MAX: usize = 1 << 20;

/// Channels of one broadcast of the server API; beyond it the call is answered with error 107.
pub const BROADCAST_CHANNELS_MAX: usize = 10_000;

/// Bytes of payloads that one broadcast has under way at the same time; its other publishes wait.
pub const BROADCAST_BYTES_MAX: usize = 4 << 20;

/// Bytes of publications in one answer of the server API's history; beyond it the answer ends.
pub const API_HISTORY_BYTES_MAX: usize = 16 << 20;

/// Time from one heartbeat of a backbone node to the next.
pub const NODE_HEARTBEAT: Duration = Duration::from_millis(500);

/// Time after the last good heartbeat, counted from when that was sent, for which a node may write; one whose row hasn't
/// moved for as long is dead to the others (`design.md` §5).
pub const NODE_LEASE: Duration = Duration::from_secs(2);

/// Slots that one view moves when a node joins or leaves.
pub const STEP_SLOTS_MAX: usize = 64;

/// Time after which a step of a join or a leave is passed over if its receiver hasn't gone on.
pub const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Time that a node's planned leave may take; then it ends as a crash does.
pub const NODE_DRAIN: Duration = Duration::from_secs(20);
