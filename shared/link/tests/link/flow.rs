//! How frames flow: order, weights, the ephemeral stream, and reading that never waits for writing.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytesize::ByteSize;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use trunkline_link::{Inbox, LinkConfig, LinkEnd, LinkFrame, LinkSink, Sent};
use trunkline_shared::frame::{ToEdge, ToNode};
use trunkline_shared::{RequestId, StreamId};

use crate::mesh::{
    self, Event, Mesh, channel_of_each_lane, control, encode, publish, push, sink, within,
};
use crate::raw;

#[tokio::test]
async fn frames_cross_unchanged_in_both_directions() {
    let mut mesh = Mesh::new();
    let (mut edge, mut node) = mesh.started(1).await;
    for (stream, channel) in channel_of_each_lane() {
        for size in [0, 1, 1023, 1024, 65_536] {
            let up = publish(&channel, size as u64, size);
            assert_eq!(edge.sender.send(stream, &encode(&up)), Sent::Queued);
            assert_eq!(node.frame().await, (stream, up));
            let down = push(&channel, size as u64, size);
            assert_eq!(node.sender.send(stream, &encode(&down)), Sent::Queued);
            assert_eq!(edge.frame().await, (stream, down));
        }
    }
    let up = publish("cursors:1", 1, 99);
    assert_eq!(
        edge.sender.send(StreamId::Ephemeral, &encode(&up)),
        Sent::Queued
    );
    assert_eq!(node.frame().await, (StreamId::Ephemeral, up));
    assert_eq!(
        edge.sender.send(StreamId::Control, &encode(&control(3))),
        Sent::Queued
    );
    assert_eq!(node.frame().await, (StreamId::Control, control(3)));
}

fn number_of(frame: &ToNode) -> u64 {
    if let ToNode::Publish(publish) = frame {
        return publish.request.0;
    }
    let ToNode::Info {
        request: RequestId(number),
    } = frame
    else {
        panic!("never sent: {frame:?}")
    };
    *number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_stream_keeps_its_order_while_all_are_busy() {
    const EACH: u64 = 300;
    let mut mesh = Mesh::new();
    let (edge, mut node) = mesh.started(1).await;
    let lanes = channel_of_each_lane();
    for number in 0..EACH {
        for (stream, channel) in &lanes {
            let size = [10, 300, 2000, 20_000][usize::try_from(number).unwrap() % 4];
            assert_eq!(
                edge.sender
                    .send(*stream, &encode(&publish(channel, number, size))),
                Sent::Queued
            );
        }
        assert_eq!(
            edge.sender
                .send(StreamId::Control, &encode(&control(number))),
            Sent::Queued
        );
    }
    let mut next = BTreeMap::<StreamId, u64>::new();
    for _ in 0..EACH * 17 {
        let (stream, frame) = node.frame().await;
        let expected = next.entry(stream).or_default();
        assert_eq!(number_of(&frame), *expected, "on {stream:?}");
        *expected += 1;
    }
    assert!(next.len() == 17 && next.values().all(|count| *count == EACH));
}

#[tokio::test]
async fn every_weight_comes_back_exactly_once() {
    let mut mesh = Mesh::new();
    let (mut edge, node) = mesh.started(1).await;
    let (stream, channel) = channel_of_each_lane().swap_remove(5);
    let frames: Vec<ToNode> = (0..200)
        .map(|number| publish(&channel, number, 3000))
        .collect();
    let mut outstanding: usize = frames.iter().map(LinkFrame::weight).sum();
    for frame in &frames {
        assert_eq!(edge.sender.send(stream, &encode(frame)), Sent::Queued);
    }
    while outstanding > 0 {
        let event = edge.event().await;
        let Event::Sent(on, weight) = event else {
            panic!("{event:?}")
        };
        assert_eq!(on, stream);
        outstanding = outstanding
            .checked_sub(weight)
            .expect("not more than was taken");
    }
    let counters = edge.sender.counters();
    assert_eq!((counters.frames_out, counters.queued_bytes), (200, 0));
    assert!(counters.bytes_out > 600_000 && !counters.rtt.is_zero());
    drop(node);
}

/// Sends on the control stream and waits for the arrival: everything that was under way has had a round trip.
async fn round_trip(
    edge: &mesh::Side<ToNode, ToEdge>,
    node: &mut mesh::Side<ToEdge, ToNode>,
) -> Vec<ToNode> {
    assert_eq!(
        edge.sender.send(StreamId::Control, &encode(&control(0))),
        Sent::Queued
    );
    let mut before = Vec::new();
    loop {
        match node.frame().await {
            (StreamId::Control, _) => return before,
            (StreamId::Lane(_) | StreamId::Ephemeral, frame) => before.push(frame),
        }
    }
}

#[tokio::test]
async fn the_ephemeral_stream_drops_when_it_is_behind_while_lanes_go_on() {
    const TRIED: usize = 1000;
    let mut mesh = Mesh::with(LinkConfig {
        ephemeral_bytes_max: ByteSize::kib(256),
        ..LinkConfig::default()
    });
    let (edge, mut node) = mesh.started(1).await;
    let (lane, channel) = channel_of_each_lane().swap_remove(7);
    let ephemeral = encode(&publish("cursors:1", 0, 4096));
    // Nothing is awaited here: the stream gets behind for certain.
    let outcomes: Vec<Sent> = (0..TRIED)
        .map(|_| edge.sender.send(StreamId::Ephemeral, &ephemeral))
        .collect();
    let queued = outcomes
        .iter()
        .filter(|outcome| **outcome == Sent::Queued)
        .count();
    let dropped = outcomes
        .iter()
        .filter(|outcome| **outcome == Sent::Dropped)
        .count();
    assert!(
        queued > 0 && queued * ephemeral.bytes() <= 256 << 10,
        "{queued} queued"
    );
    assert_eq!(queued + dropped, TRIED);
    assert_eq!(edge.sender.counters().ephemeral_dropped, dropped as u64);
    for number in 0..TRIED as u64 {
        assert_eq!(
            edge.sender
                .send(lane, &encode(&publish(&channel, number, 4096))),
            Sent::Queued
        );
    }
    let mut arrived = BTreeMap::<StreamId, usize>::new();
    for _ in 0..TRIED + queued {
        *arrived.entry(node.frame().await.0).or_default() += 1;
    }
    assert_eq!(
        arrived,
        BTreeMap::from([(lane, TRIED), (StreamId::Ephemeral, queued)])
    );
    // The reader has told what it read: there is room again, after some round trips.
    for _ in 0..1000 {
        if edge.sender.send(StreamId::Ephemeral, &ephemeral) == Sent::Queued {
            return;
        }
        round_trip(&edge, &mut node).await;
    }
    panic!("the stream stays behind");
}

#[tokio::test]
async fn a_reader_that_keeps_up_gets_every_ephemeral_frame() {
    let mut mesh = Mesh::with(LinkConfig {
        ephemeral_bytes_max: ByteSize::kib(64),
        ..LinkConfig::default()
    });
    let (edge, mut node) = mesh.started(1).await;
    // Far more than the limit in all, one at a time.
    for number in 0..500 {
        let frame = publish("cursors:1", number, 1000);
        assert_eq!(
            edge.sender.send(StreamId::Ephemeral, &encode(&frame)),
            Sent::Queued,
            "{number}"
        );
        assert_eq!(node.frame().await, (StreamId::Ephemeral, frame));
        round_trip(&edge, &mut node).await;
    }
}

#[tokio::test]
async fn reading_goes_on_while_the_peer_does_not_read() {
    let mut mesh = Mesh::with(LinkConfig {
        send_window: ByteSize::mib(1),
        ..LinkConfig::default()
    });
    let connection = raw::dial(mesh.addr, &mesh.authority.issue(mesh::EDGE), true)
        .await
        .unwrap();
    // The raw edge holds its streams and never reads one.
    let mut streams = raw::greet(&connection).await;
    let (events, mut seen) = sink();
    let node = within(mesh.server.accept())
        .await
        .unwrap()
        .start(|_| events);
    let (lane, channel) = channel_of_each_lane().swap_remove(0);
    for number in 0..800 {
        assert_eq!(
            node.send(lane, &encode(&push(&channel, number, 60_000))),
            Sent::Queued
        );
    }
    for number in 0..300 {
        let frame = publish(&channel, number, 30_000);
        within(streams[1].0.write_all(&raw::bytes_of(&frame)))
            .await
            .unwrap();
        let got = loop {
            match within(seen.recv()).await.unwrap() {
                Event::Frame(_, got) => break got,
                Event::Sent(..) => {}
                Event::Closed(end) => panic!("{end}"),
            }
        };
        assert_eq!(got, frame);
    }
    let counters = node.counters();
    assert!(
        counters.queued_bytes > 40 << 20,
        "the node's own writing is stuck: {counters:?}"
    );
}

/// Hands frames to a machine that works only when the test says so.
struct Slow {
    frames: UnboundedSender<ToNode>,
    inbox: Arc<Inbox>,
}

impl LinkSink<ToNode> for Slow {
    fn deliver(&self, _: StreamId, frames: Vec<ToNode>) {
        for frame in frames {
            self.inbox.add(frame.weight());
            let _ = self.frames.send(frame);
        }
    }

    fn sent(&self, _: StreamId, _: usize) {}

    fn closed(&self, _: LinkEnd) {}

    fn full(&self, _: StreamId) -> Option<&Inbox> {
        self.inbox.is_full().then_some(&*self.inbox)
    }
}

#[tokio::test]
async fn a_machine_that_is_behind_is_given_no_more_until_it_has_room() {
    const FRAMES: u64 = 500;
    let small = LinkConfig {
        stream_window: ByteSize::mib(1),
        receive_window: ByteSize::mib(1),
        ..LinkConfig::default()
    };
    let mut mesh = Mesh::with(small);
    let (edge, node) = mesh.pair(1).await;
    let (events, _seen) = sink();
    let edge = edge.start(|_| events);
    let (frames, mut handed) = unbounded_channel();
    let inbox = Arc::new(Inbox::new(1 << 20));
    let slow = Slow {
        frames,
        inbox: Arc::clone(&inbox),
    };
    let _node = node.start(|_| Arc::new(slow));
    let (lane, channel) = channel_of_each_lane().swap_remove(0);
    for number in 0..FRAMES {
        let frame = encode(&publish(&channel, number, 60_000));
        assert_eq!(edge.send(lane, &frame), Sent::Queued);
    }
    for number in 0..FRAMES {
        let frame = within(handed.recv()).await.unwrap();
        assert_eq!(frame, publish(&channel, number, 60_000));
        // The limit, and the batch that was being read when it was reached.
        assert!(inbox.bytes() < 3 << 20, "{}", inbox.bytes());
        inbox.taken(frame.weight());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_directions_full_at_once_come_to_an_end() {
    const EACH: u64 = 600;
    let small = LinkConfig {
        stream_window: ByteSize::mib(1),
        receive_window: ByteSize::mib(1),
        send_window: ByteSize::mib(1),
        ..LinkConfig::default()
    };
    let mut mesh = Mesh::with(small);
    let (mut edge, mut node) = mesh.started(1).await;
    let lanes = channel_of_each_lane();
    for number in 0..EACH {
        let (stream, channel) = &lanes[usize::try_from(number).unwrap() % 3];
        assert_eq!(
            edge.sender
                .send(*stream, &encode(&publish(channel, number, 60_000))),
            Sent::Queued
        );
        assert_eq!(
            node.sender
                .send(*stream, &encode(&push(channel, number, 60_000))),
            Sent::Queued
        );
    }
    for _ in 0..EACH {
        node.frame().await;
    }
    for _ in 0..EACH {
        edge.frame().await;
    }
}

#[tokio::test]
async fn a_queue_over_its_cap_ends_the_link() {
    let mut mesh = Mesh::with(LinkConfig {
        queue_bytes_max: ByteSize::mib(1),
        ..LinkConfig::default()
    });
    let (mut edge, mut node) = mesh.started(1).await;
    let (lane, channel) = channel_of_each_lane().swap_remove(0);
    let frame = encode(&publish(&channel, 1, 60_000));
    let outcomes: Vec<Sent> = (0..20).map(|_| edge.sender.send(lane, &frame)).collect();
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| **outcome == Sent::Queued)
            .count(),
        17
    );
    assert!(
        outcomes[17..]
            .iter()
            .all(|outcome| *outcome == Sent::Closed)
    );
    assert_eq!(edge.end().await, LinkEnd::QueueFull { stream: lane });
    let end = node.end().await;
    assert!(
        matches!(
            &end,
            LinkEnd::ClosedByPeer {
                code: trunkline_link::CloseCode::QueueFull,
                ..
            }
        ),
        "{end}"
    );
}
