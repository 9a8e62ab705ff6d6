//! Frames of RFC 6455, written by hand: a client library would refuse to send what isn't allowed.

use std::io::{self, Read};

/// First byte of a whole text message.
pub(super) const TEXT: u8 = 0x81;
/// First byte of a whole binary message.
pub(super) const BINARY: u8 = 0x82;
/// First byte of a Close frame.
pub(super) const CLOSE: u8 = 0x88;

/// A client's frame: masked, with the given first byte.
pub(super) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![first];
    match u16::try_from(payload.len()) {
        Ok(short @ 0..=125) => frame.push(0x80 | short.to_be_bytes()[1]),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    let mask = MASK.iter().cycle();
    frame.extend(payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Reads a server's frame: its first byte and its payload.
///
/// # Errors
/// When the connection ends.
///
/// # Panics
/// When the frame is masked, which a server's never is.
pub(super) fn read(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let [first, length] = bytes(stream)?;
    assert_eq!(length & 0x80, 0, "a server masks nothing");
    let length = match length {
        126 => u16::from_be_bytes(bytes(stream)?).into(),
        127 => u64::from_be_bytes(bytes(stream)?),
        short => short.into(),
    };
    let mut payload = vec![0; usize::try_from(length).expect("a length that fits")];
    stream.read_exact(&mut payload)?;
    Ok((first, payload))
}

fn bytes<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
