//! Frames of the link: round trips, the bytes of version 2, and what is refused.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use trunkline_shared::frame::{
    Frame, FrameError, HEADER_BYTES, Header, Hello, Kind, ToEdge, ToNode, VERSION, decode, encode,
};

fn bytes_of<F: Frame>(frame: &F) -> Bytes {
    let mut chunks = Vec::new();
    let total = encode(frame, &mut chunks).unwrap();
    let mut joined = BytesMut::new();
    chunks
        .iter()
        .for_each(|chunk| joined.extend_from_slice(chunk));
    assert_eq!(joined.len(), total);
    joined.freeze()
}

fn read<F: Frame>(bytes: &Bytes, version: u8) -> Result<F, FrameError> {
    let header: [u8; HEADER_BYTES] = bytes
        .get(..HEADER_BYTES)
        .ok_or(FrameError::Malformed)?
        .try_into()
        .unwrap();
    decode(
        Header::decode(header)?,
        version,
        &bytes.slice(HEADER_BYTES..),
    )
}

#[test]
fn every_frame_to_a_node_reads_back() {
    for frame in common::to_node() {
        assert_eq!(read::<ToNode>(&bytes_of(&frame), VERSION), Ok(frame));
    }
}

#[test]
fn every_frame_to_an_edge_reads_back() {
    for frame in common::to_edge() {
        assert_eq!(read::<ToEdge>(&bytes_of(&frame), VERSION), Ok(frame));
    }
}

#[test]
fn the_hello_is_of_version_zero_whatever_is_settled_later() {
    let bytes = bytes_of(&common::hello());
    assert_eq!(read::<Hello>(&bytes, 0), Ok(common::hello()));
    assert_eq!(
        Header::decode(bytes[..HEADER_BYTES].try_into().unwrap())
            .unwrap()
            .version,
        0
    );
}

#[test]
fn a_large_payload_is_not_copied() {
    let data = Bytes::from(vec![7; 8192]);
    let mut chunks = Vec::new();
    encode(&common::publish(data.clone()), &mut chunks).unwrap();
    assert!(chunks.iter().any(|chunk| chunk.as_ptr() == data.as_ptr()));
}

#[test]
fn a_frame_over_one_mebibyte_is_refused_by_its_sender() {
    let frame = common::publish(Bytes::from(vec![0; 1 << 20]));
    let mut chunks = Vec::new();
    assert!(matches!(
        encode(&frame, &mut chunks),
        Err(FrameError::TooLarge { .. })
    ));
    assert!(chunks.is_empty());
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_anything_is_allocated() {
    let header = [0xff, 0xff, 0xff, 0x7f, 1, VERSION, 0, 0];
    assert_eq!(
        Header::decode(header),
        Err(FrameError::TooLarge { bytes: 0x7fff_ffff })
    );
}

#[test]
fn kind_version_and_lengths_are_checked() {
    let mut bytes = bytes_of(&ToNode::Goodbye).to_vec();
    assert_eq!(
        read::<ToEdge>(&bytes.clone().into(), VERSION),
        Err(FrameError::WrongKind {
            wanted: Kind::ToEdge,
            got: Kind::ToNode
        })
    );
    bytes[5] = 9;
    assert_eq!(
        read::<ToNode>(&bytes.clone().into(), VERSION),
        Err(FrameError::WrongVersion(9))
    );
    bytes[4] = 77;
    assert_eq!(
        read::<ToNode>(&bytes.clone().into(), VERSION),
        Err(FrameError::UnknownKind(77))
    );
    assert_eq!(
        Header::decode([8, 0, 0, 0, 1, 1, 2, 0]),
        Err(FrameError::Malformed)
    );
}

#[test]
fn payload_bytes_that_no_envelope_names_are_refused() {
    let mut bytes = bytes_of(&common::publish(Bytes::from_static(b"{}"))).to_vec();
    bytes.push(0);
    bytes[0] += 1;
    assert_eq!(
        read::<ToNode>(&bytes.into(), VERSION),
        Err(FrameError::Malformed)
    );
}

#[test]
fn every_shortened_frame_is_refused() {
    let bytes = bytes_of(&common::publish(Bytes::from_static(b"{\"a\":1}")));
    for length in 0..bytes.len() {
        assert!(read::<ToNode>(&bytes.slice(..length), VERSION).is_err());
    }
}

/// Every frame as hex, one a line: what version 2 puts on the wire.
#[test]
fn the_bytes_of_version_2_never_change() {
    let mut lines = format!("hello {}\n", hex::encode(bytes_of(&common::hello())));
    for (index, frame) in common::to_node().iter().enumerate() {
        lines += &format!("to_node[{index}] {}\n", hex::encode(bytes_of(frame)));
    }
    for (index, frame) in common::to_edge().iter().enumerate() {
        lines += &format!("to_edge[{index}] {}\n", hex::encode(bytes_of(frame)));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixture/link-v2.txt");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if kept != lines {
        let made = concat!(env!("CARGO_TARGET_TMPDIR"), "/link-v2.txt");
        std::fs::write(made, &lines).unwrap();
        panic!("frames of version 2 differ from {path}; what they are now is in {made}");
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(kind in 0_u8..4, body in prop::collection::vec(any::<u8>(), 0..400)) {
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        let words = u8::try_from(body.len() / 8).unwrap();
        let header = [length[0], length[1], length[2], length[3], kind, VERSION, words, 0];
        if let Ok(header) = Header::decode(header) {
            let body = Bytes::from(body);
            let _ = decode::<ToNode>(header, VERSION, &body);
            let _ = decode::<ToEdge>(header, VERSION, &body);
            let _ = decode::<Hello>(header, VERSION, &body);
        }
    }

    #[test]
    fn a_flipped_byte_never_panics(frame in 0_usize..30, at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let frames = common::to_edge();
        let mut bytes = bytes_of(&frames[frame % frames.len()]).to_vec();
        let index = at.index(bytes.len());
        bytes[index] = to;
        let _ = read::<ToEdge>(&bytes.into(), VERSION);
    }
}
