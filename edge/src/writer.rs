//! Writing to a client: complete frames that others may share, control frames only between them.

use std::io::{self, IoSlice};
use std::iter::Peekable;

use bytes::Bytes;

use crate::socket::TryWrite;

/// Slices of one vectored write.
const SLICES_MAX: usize = 64;

/// Bytes of control frames that may wait; pongs beyond it are dropped (RFC 6455 §5.5.3 lets the latest stand for all).
const CONTROL_BYTES_MAX: usize = 4096;

/// What a connection's writer remembers between two writes.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    /// The last write ended inside a data frame: its rest goes first.
    mid_frame: bool,
    /// Control frames that wait; what they begin with may be a frame's rest.
    control: Vec<u8>,
    /// The Close frame, which goes when nothing else is left.
    close: Vec<u8>,
    /// A Close frame was pushed: nothing of ours follows it.
    closing: bool,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Bytes of data frames that the socket has taken.
    pub(crate) bytes: usize,
    /// The socket took less than all of it.
    pub(crate) blocked: bool,
}

/// One slice of a write.
#[derive(Clone, Copy)]
struct Segment<'a> {
    bytes: &'a [u8],
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Data,
    Control,
    Close,
}

impl Writer {
    /// Adds control frames, unless too many wait already or a Close frame is to be the last one.
    pub(crate) fn push_control(&mut self, frames: &[u8]) {
        if !self.closing && self.control.len() + frames.len() <= CONTROL_BYTES_MAX {
            self.control.extend_from_slice(frames);
        }
    }

    /// Lets a Close frame follow when everything else is written; the first one stays.
    pub(crate) fn push_close(&mut self, code: u16, reason: &str) {
        if !self.closing {
            self.closing = true;
            self.close = close_frame(code, reason);
        }
    }

    /// Whether a data frame is partly written, so that nothing but its rest may follow.
    pub(crate) const fn is_mid_frame(&self) -> bool {
        self.mid_frame
    }

    /// Writes control frames, `frames`, and the Close frame, as much as the socket takes at once.
    ///
    /// # Errors
    /// When the socket is broken.
    pub(crate) fn write<'a>(
        &mut self,
        socket: &mut impl TryWrite,
        frames: impl Iterator<Item = &'a Bytes>,
    ) -> io::Result<Written> {
        let mut frames = frames.map(|frame| &frame[..]).peekable();
        let mut written = Written::default();
        loop {
            let round = self.write_some(socket, &mut frames)?;
            written.bytes += round.bytes;
            written.blocked = round.blocked;
            if round.blocked || frames.peek().is_none() {
                break;
            }
        }
        written.blocked |= !socket.try_flush()?;
        Ok(written)
    }

    /// One vectored write.
    fn write_some<'a>(
        &mut self,
        socket: &mut impl TryWrite,
        frames: &mut Peekable<impl Iterator<Item = &'a [u8]>>,
    ) -> io::Result<Written> {
        let control = std::mem::take(&mut self.control);
        let mut segments = self.gather(&control, frames);
        let is_last = frames.peek().is_none();
        let close = if is_last {
            std::mem::take(&mut self.close)
        } else {
            Vec::new()
        };
        segments.push(Segment {
            bytes: &close,
            kind: Kind::Close,
        });
        let offered = segments.iter().map(|segment| segment.bytes.len()).sum();
        let taken = if offered == 0 {
            0
        } else {
            try_write(socket, &segments)?
        };
        let bytes = self.account(&segments, taken);
        Ok(Written {
            bytes,
            blocked: taken < offered,
        })
    }

    /// Puts the next slices in order: the rest of a frame, then control frames, then whole frames.
    fn gather<'s, 'a: 's>(
        &self,
        control: &'s [u8],
        frames: &mut impl Iterator<Item = &'a [u8]>,
    ) -> Vec<Segment<'s>> {
        let data = |bytes: &'a [u8]| Segment {
            bytes,
            kind: Kind::Data,
        };
        let mut segments = Vec::new();
        if self.mid_frame {
            segments.extend(frames.next().map(data));
        }
        segments.push(Segment {
            bytes: control,
            kind: Kind::Control,
        });
        let room = SLICES_MAX - 1 - segments.len();
        segments.extend(frames.take(room).map(data));
        segments
    }

    /// Keeps what wasn't taken of our own frames, notes whether a data frame was cut, and returns the bytes of data.
    fn account(&mut self, segments: &[Segment<'_>], mut taken: usize) -> usize {
        let (mut data, was_mid_frame) = (0, self.mid_frame);
        self.mid_frame = false;
        for (place, segment) in segments.iter().enumerate() {
            let now = taken.min(segment.bytes.len());
            taken -= now;
            let rest = &segment.bytes[now..];
            match segment.kind {
                Kind::Data => {
                    // A rest stays a rest even if nothing of it was taken now.
                    let is_cut = now > 0 || (place == 0 && was_mid_frame);
                    self.mid_frame |= is_cut && !rest.is_empty();
                    data += now;
                }
                Kind::Control => self.control.extend_from_slice(rest),
                Kind::Close => self.close.extend_from_slice(rest),
            }
        }
        data
    }
}

/// Writes; a socket that would block takes nothing, which is no error.
fn try_write(socket: &mut impl TryWrite, segments: &[Segment<'_>]) -> io::Result<usize> {
    let slices: Vec<IoSlice<'_>> = segments
        .iter()
        .map(|segment| IoSlice::new(segment.bytes))
        .collect();
    match socket.try_write_vectored(&slices) {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}

/// A Close frame; a reason beyond 123 bytes is cut, since a control frame holds no more.
fn close_frame(code: u16, reason: &str) -> Vec<u8> {
    let reason = &reason[..reason.floor_char_boundary(123)];
    let length = u8::try_from(reason.len() + 2).expect("at most 125");
    let mut frame = vec![0x88, length];
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    frame
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
