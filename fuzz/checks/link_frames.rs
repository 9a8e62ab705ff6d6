//! What holds for whatever comes on a link: a frame or an error comes of it, and a frame survives being written again.

use bytes::Bytes;
use trunkline_shared::frame::{
    Frame, HEADER_BYTES, Header, Hello, Kind, ToEdge, ToNode, VERSION, decode, encode,
};

/// Reads a frame as it comes; and the bytes behind the header once more under a header that fits.
pub(crate) fn check(input: &[u8]) {
    let Some((head, body)) = input.split_first_chunk::<HEADER_BYTES>() else {
        return;
    };
    let body = Bytes::copy_from_slice(body);
    if let Ok(header) = Header::decode(*head)
        && header.body() <= body.len()
    {
        each(header, &body.slice(..header.body()));
    }
    let envelope = (usize::from(head[6]) * 8).min(body.len());
    for kind in [Kind::Hello, Kind::ToNode, Kind::ToEdge] {
        let version = if kind == Kind::Hello { 0 } else { VERSION };
        let payload = body.len() - envelope;
        each(
            Header {
                kind,
                version,
                envelope,
                payload,
            },
            &body,
        );
    }
}

fn each(header: Header, body: &Bytes) {
    match header.kind {
        Kind::Hello => one::<Hello>(header, body),
        Kind::ToNode => one::<ToNode>(header, body),
        Kind::ToEdge => one::<ToEdge>(header, body),
    }
}

fn one<F: Frame + PartialEq + std::fmt::Debug>(header: Header, body: &Bytes) {
    let Ok(frame) = decode::<F>(header, header.version, body) else {
        return;
    };
    let mut chunks = Vec::new();
    if encode(&frame, &mut chunks).is_err() {
        return;
    }
    let bytes = Bytes::from(chunks.concat());
    let head = bytes.first_chunk().expect("a header");
    let header = Header::decode(*head).expect("our own header");
    let again = decode::<F>(header, F::VERSION, &bytes.slice(HEADER_BYTES..));
    assert_eq!(again.expect("our own frame"), frame);
}
