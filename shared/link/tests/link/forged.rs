//! Frames that keep to no rule end their link with a clear reason, and nothing else.

use trunkline_link::{CloseCode, LinkEnd};
use trunkline_shared::StreamId;
use trunkline_shared::frame::{FrameError, Kind, ToEdge, VERSION};

use crate::mesh::{Event, Mesh, channel_of_each_lane, control, publish, sink, within};
use crate::raw;

/// Sends `bytes` on a raw edge's stream of this place; the node ends the link with `end` and tells the edge why.
async fn check(mesh: &mut Mesh, place: usize, bytes: &[u8], end: LinkEnd) {
    let connection = raw::dial(mesh.addr, &mesh.authority.issue(crate::mesh::EDGE), true)
        .await
        .unwrap();
    let mut streams = raw::greet(&connection).await;
    let (events, mut seen) = sink();
    let _sender = within(mesh.server.accept())
        .await
        .unwrap()
        .start(|_| events);
    streams[place].0.write_all(bytes).await.unwrap();
    assert_eq!(
        raw::closed(&connection).await,
        (CloseCode::BadFrame, end.to_string())
    );
    let closed = std::iter::from_fn(|| seen.try_recv().ok()).last();
    let closed = if closed.is_some() {
        closed
    } else {
        within(seen.recv()).await
    };
    assert_eq!(closed, Some(Event::Closed(end)));
}

const CONTROL: usize = 0;
const LANE_3: usize = 4;
const EPHEMERAL_UP: usize = 17;
const EPHEMERAL_DOWN: usize = 18;

fn on(stream: StreamId, error: FrameError) -> LinkEnd {
    LinkEnd::BadFrame { stream, error }
}

#[tokio::test]
async fn bytes_that_are_no_frame_end_the_link() {
    let mut mesh = Mesh::new();
    let good = raw::bytes_of(&control(1)).to_vec();
    let with = |place: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[place] = value;
        bytes
    };
    let control = |error| on(StreamId::Control, error);
    check(
        &mut mesh,
        CONTROL,
        &with(4, 99),
        control(FrameError::UnknownKind(99)),
    )
    .await;
    check(
        &mut mesh,
        CONTROL,
        &with(5, 9),
        control(FrameError::WrongVersion(9)),
    )
    .await;
    let oversize = [0xff, 0xff, 0xff, 0x7f, 1, VERSION, 0, 0];
    check(
        &mut mesh,
        CONTROL,
        &oversize,
        control(FrameError::TooLarge { bytes: 0x7fff_ffff }),
    )
    .await;
    let hollow = [
        8, 0, 0, 0, 1, VERSION, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];
    check(&mut mesh, CONTROL, &hollow, control(FrameError::Malformed)).await;
    check(
        &mut mesh,
        LANE_3,
        &hollow,
        on(StreamId::Lane(3), FrameError::Malformed),
    )
    .await;
    check(
        &mut mesh,
        EPHEMERAL_UP,
        &hollow,
        on(StreamId::Ephemeral, FrameError::Malformed),
    )
    .await;
    mesh.pair(1).await;
}

#[tokio::test]
async fn a_frame_of_a_nodes_kind_from_an_edge_ends_the_link() {
    let mut mesh = Mesh::new();
    let bytes = raw::bytes_of(&ToEdge::Store { away: true });
    let error = FrameError::WrongKind {
        wanted: Kind::ToNode,
        got: Kind::ToEdge,
    };
    check(&mut mesh, CONTROL, &bytes, on(StreamId::Control, error)).await;
    mesh.pair(1).await;
}

#[tokio::test]
async fn a_frame_on_another_stream_than_its_slots_ends_the_link() {
    let mut mesh = Mesh::new();
    let channels = channel_of_each_lane();
    let of_lane_2 = raw::bytes_of(&publish(&channels[2].1, 1, 10));
    check(
        &mut mesh,
        LANE_3,
        &of_lane_2,
        LinkEnd::WrongStream {
            stream: StreamId::Lane(3),
        },
    )
    .await;
    check(
        &mut mesh,
        CONTROL,
        &of_lane_2,
        LinkEnd::WrongStream {
            stream: StreamId::Control,
        },
    )
    .await;
    let of_control = raw::bytes_of(&control(1));
    check(
        &mut mesh,
        LANE_3,
        &of_control,
        LinkEnd::WrongStream {
            stream: StreamId::Lane(3),
        },
    )
    .await;
    check(
        &mut mesh,
        EPHEMERAL_UP,
        &of_control,
        LinkEnd::WrongStream {
            stream: StreamId::Ephemeral,
        },
    )
    .await;
    mesh.pair(1).await;
}

#[tokio::test]
async fn a_peer_that_claims_to_have_read_what_was_never_sent_ends_the_link() {
    let mut mesh = Mesh::new();
    let end = LinkEnd::BrokenStream {
        stream: StreamId::Ephemeral,
    };
    check(&mut mesh, EPHEMERAL_DOWN, &1_000_000u64.to_le_bytes(), end).await;
    mesh.pair(1).await;
}

#[tokio::test]
async fn good_frames_before_a_bad_one_still_arrive() {
    let mut mesh = Mesh::new();
    let connection = raw::dial(mesh.addr, &mesh.authority.issue(crate::mesh::EDGE), true)
        .await
        .unwrap();
    let mut streams = raw::greet(&connection).await;
    let (events, mut seen) = sink();
    let _sender = within(mesh.server.accept())
        .await
        .unwrap()
        .start(|_| events);
    let mut bytes = raw::bytes_of(&control(5)).to_vec();
    bytes.extend_from_slice(&[0, 0, 0, 0, 99, 0, 0, 0]);
    streams[CONTROL].0.write_all(&bytes).await.unwrap();
    assert_eq!(
        within(seen.recv()).await,
        Some(Event::Frame(StreamId::Control, control(5)))
    );
    let end = on(StreamId::Control, FrameError::UnknownKind(99));
    assert_eq!(within(seen.recv()).await, Some(Event::Closed(end)));
}

#[tokio::test]
async fn a_stream_that_ends_while_the_link_goes_on_ends_the_link() {
    let mut mesh = Mesh::with(trunkline_link::LinkConfig {
        goodbye_timeout: std::time::Duration::from_millis(50),
        ..Default::default()
    });
    let connection = raw::dial(mesh.addr, &mesh.authority.issue(crate::mesh::EDGE), true)
        .await
        .unwrap();
    let mut streams = raw::greet(&connection).await;
    let (events, _seen) = sink();
    let _sender = within(mesh.server.accept())
        .await
        .unwrap()
        .start(|_| events);
    streams[LANE_3].0.finish().unwrap();
    let end = LinkEnd::BrokenStream {
        stream: StreamId::Lane(3),
    };
    assert_eq!(
        raw::closed(&connection).await,
        (CloseCode::BadFrame, end.to_string())
    );
}
