//! Small chunks into few larger ones, before they go to QUIC.

use bytes::{Bytes, BytesMut};

/// Chunks from this size on go to QUIC as they are; smaller ones are joined.
///
/// quinn walks its list of unacknowledged chunks for each packet: many small ones make a long fat link crawl.
const UNJOINED_FROM: usize = 16 << 10;
/// Size that joined chunks grow to.
const JOINED_TO: usize = 64 << 10;

/// Joins runs of small chunks, in order.
pub(crate) fn join(chunks: Vec<Bytes>) -> Vec<Bytes> {
    if chunks.len() < 2 {
        return chunks;
    }
    let mut joined = Vec::new();
    let mut run = BytesMut::new();
    for chunk in chunks {
        if chunk.len() >= UNJOINED_FROM || run.len() + chunk.len() > JOINED_TO {
            flush(&mut run, &mut joined);
        }
        if chunk.len() >= UNJOINED_FROM {
            joined.push(chunk);
        } else {
            run.extend_from_slice(&chunk);
        }
    }
    flush(&mut run, &mut joined);
    joined
}

fn flush(run: &mut BytesMut, joined: &mut Vec<Bytes>) {
    if !run.is_empty() {
        joined.push(std::mem::take(run).freeze());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_keeps_every_byte_in_order() {
        let sizes = [
            1, 20_000, 300, 300, 70_000, 5, 15_000, 16_000, 15_000, 15_000, 15_000, 1,
        ];
        let chunks: Vec<Bytes> = sizes
            .iter()
            .zip(0u8..)
            .map(|(size, fill)| Bytes::from(vec![fill; *size]))
            .collect();
        let joined = join(chunks.clone());
        assert_eq!(joined.concat(), chunks.concat());
        assert!(joined.len() < chunks.len());
        assert!(
            joined
                .iter()
                .all(|chunk| chunk.len() <= JOINED_TO || chunk.len() == 70_000)
        );
    }
}
