//! WebSocket frames (RFC 6455 §5.2) as a client reads and writes them.

/// Opcode of a text frame.
pub(crate) const TEXT: u8 = 1;
/// Opcode of a Close frame.
pub(crate) const CLOSE: u8 = 8;

/// A frame of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
    /// Bytes of the frame, header included.
    pub(crate) size: usize,
}

/// The frame that `bytes` begin with, if all of it is there. Mesh servers don't mask and don't fragment.
pub(crate) fn first(bytes: &[u8]) -> Option<Frame<'_>> {
    let (&[kind, short], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match short & 0x7f {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*length), rest)
        }
        short => (u64::from(short), rest),
    };
    let payload = rest.get(..usize::try_from(length).ok()?)?;
    Some(Frame {
        opcode: kind & 0x0f,
        payload,
        size: bytes.len() - rest.len() + payload.len(),
    })
}

/// Appends a client's text frame.
///
/// Its mask is zero: a mask is for proxies, which aren't here, and a load driver must be cheap.
pub(crate) fn push_text(payload: &[u8], out: &mut Vec<u8>) {
    push_header(payload.len(), 0x80, out);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// Appends a server's text frame.
pub(crate) fn push_server_text(payload: &[u8], out: &mut Vec<u8>) {
    push_header(payload.len(), 0, out);
    out.extend_from_slice(payload);
}

fn push_header(length: usize, mask: u8, out: &mut Vec<u8>) {
    out.push(0x80 | TEXT);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => out.push(mask | short),
        (_, Ok(medium)) => {
            out.push(mask | 126);
            out.extend(medium.to_be_bytes());
        }
        (_, Err(_)) => {
            out.push(mask | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_any_length_is_read_as_written() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut bytes = Vec::new();
            push_server_text(&payload, &mut bytes);
            let size = bytes.len();
            bytes.extend_from_slice(b"more");
            let frame = first(&bytes).expect("all of it is there");
            assert_eq!(
                (frame.opcode, frame.payload, frame.size),
                (TEXT, &*payload, size)
            );
        }
    }

    #[test]
    fn a_part_of_a_frame_is_none() {
        let mut bytes = Vec::new();
        push_server_text(&[b'x'; 300], &mut bytes);
        for length in 0..bytes.len() {
            assert_eq!(first(&bytes[..length]), None);
        }
    }

    #[test]
    fn a_client_masks() {
        let mut bytes = Vec::new();
        push_text(b"{}", &mut bytes);
        assert_eq!(bytes, b"\x81\x82\0\0\0\0{}");
    }
}
