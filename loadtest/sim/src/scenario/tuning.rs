//! Sizes, delays and odds of one run.

use std::time::Duration;

use crate::dice::Dice;

/// Sizes, delays and odds; queues are so small that every run fills them.
#[derive(Clone, Debug)]
pub(crate) struct Tuning {
    /// One way between an edge and the node: shortest and longest, in microseconds.
    pub(crate) link_delay: (u64, u64),
    /// Frames out of a thousand that are lost once and sent again.
    pub(crate) loss: u64,
    /// What sending again costs.
    pub(crate) retransmission: Duration,
    /// Bytes per second from an edge to the node.
    pub(crate) bandwidth_up: u64,
    /// Bytes per second from the node to an edge.
    pub(crate) bandwidth_down: u64,
    /// After how long without a sign of life a link is down.
    pub(crate) idle_timeout: Duration,
    /// One way between a client and its edge, in microseconds.
    pub(crate) client_delay: (u64, u64),
    /// From a request to the store to its answer, in microseconds.
    pub(crate) store_delay: (u64, u64),
    /// Append calls out of a thousand whose outcome stays unknown.
    pub(crate) unknown: u64,
    /// Bytes that may wait for a lane from the node.
    pub(crate) node_lane_bytes: usize,
    /// Bytes that may wait for a lane from an edge.
    pub(crate) edge_lane_bytes: usize,
    /// Bytes that may wait for the ephemeral stream.
    pub(crate) ephemeral_queue_bytes: usize,
    /// Bytes that may wait between an edge's way upstream and a worker.
    pub(crate) worker_queue_bytes: usize,
    /// Publications that an edge's ring of a channel holds.
    pub(crate) edge_ring: usize,
    /// Bytes that a connection's send queue holds.
    pub(crate) send_queue_bytes: usize,
    /// Publications that a connection's send queue holds.
    pub(crate) send_queue_publications: usize,
    /// Bytes that the system holds for a socket.
    pub(crate) socket_buffer: usize,
    /// Bytes per second that a slow reader takes.
    pub(crate) slow_reader: u64,
    /// How often clients are pinged.
    pub(crate) ping_interval: Duration,
    /// How far apart the clocks of two edges may be, in milliseconds.
    pub(crate) clock_skew: u64,
    /// How far apart the clocks of two nodes may be, in milliseconds.
    pub(crate) node_skew: u64,
    /// Slots that one step of a join or leave moves at most.
    pub(crate) step_slots: usize,
    /// Whether nodes are told when the view changes, or only read it now and then.
    pub(crate) notifies: bool,
}

impl Tuning {
    /// Draws the sizes, delays and odds of a run.
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let shortest = dice.pick(&[200, 2_000, 20_000, 60_000]);
        let store = dice.pick(&[300, 2_000, 8_000]);
        Self {
            link_delay: (shortest, shortest + dice.between(0, shortest)),
            loss: dice.pick(&[0, 0, 5, 30]),
            retransmission: dice.millis(10, 200),
            bandwidth_up: dice.between(400_000, 2_000_000),
            bandwidth_down: dice.between(50_000, 150_000),
            idle_timeout: dice.millis(2_000, 10_000),
            client_delay: (100, dice.between(200, 40_000)),
            store_delay: (store, store * dice.between(1, 8)),
            unknown: dice.pick(&[2, 5, 20]),
            node_lane_bytes: usize_of(dice.between(1_500, 4_000)),
            edge_lane_bytes: usize_of(dice.between(3_000, 20_000)),
            ephemeral_queue_bytes: usize_of(dice.between(1_000, 4_000)),
            worker_queue_bytes: usize_of(dice.between(3_000, 12_000)),
            edge_ring: usize_of(dice.between(8, 64)),
            send_queue_bytes: usize_of(dice.between(20_000, 60_000)),
            send_queue_publications: usize_of(dice.between(15, 40)),
            socket_buffer: usize_of(dice.between(1_500, 4_000)),
            slow_reader: dice.between(300, 1_500),
            ping_interval: Duration::from_secs(dice.between(5, 25)),
            clock_skew: dice.between(0, 800),
            node_skew: dice.pick(&[0, 800, 5_000]),
            step_slots: usize_of(dice.pick(&[64, 256, 1_024])),
            notifies: dice.permille(700),
        }
    }
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).expect("small")
}
