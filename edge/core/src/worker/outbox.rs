//! What a session's socket is still to take: complete frames, some of them shared with other sessions.
//!
//! Bounded by policy, not by refusing: between two writes it takes whatever its worker has for it, which is bounded by
//! what may wait for a worker. It is *full* only when the socket has just taken less than all of it; the connection is
//! then too slow and ends.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// A frame that waits, and whether it is a publication.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) bytes: Bytes,
    pub(super) is_publication: bool,
}

impl Frame {
    /// A reply, or a push that isn't a publication.
    pub(super) const fn other(bytes: Bytes) -> Self {
        Self {
            bytes,
            is_publication: false,
        }
    }
}

/// The frames of one session that its socket hasn't taken.
#[derive(Debug)]
pub(super) struct Outbox {
    frames: VecDeque<Frame>,
    bytes: usize,
    publications: usize,
    bytes_max: usize,
    publications_max: usize,
    blocked: bool,
}

impl Outbox {
    /// Makes an empty outbox with its limits.
    pub(super) const fn new(bytes_max: usize, publications_max: usize) -> Self {
        let frames = VecDeque::new();
        Self {
            frames,
            bytes: 0,
            publications: 0,
            bytes_max,
            publications_max,
            blocked: false,
        }
    }

    /// Puts a frame behind the others.
    pub(super) fn push(&mut self, frame: Frame) {
        self.bytes += frame.bytes.len();
        self.publications += usize::from(frame.is_publication);
        self.frames.push_back(frame);
    }

    /// The bytes to write, in order.
    pub(super) fn frames(&self) -> impl Iterator<Item = &Bytes> {
        self.frames.iter().map(|frame| &frame.bytes)
    }

    /// Takes out what the socket has taken; `blocked` says that it didn't take everything offered.
    ///
    /// More bytes than there are empty it: a shell's mistake costs one client a broken stream, not the edge.
    pub(super) fn written(&mut self, bytes: usize, blocked: bool) {
        self.blocked = blocked;
        let mut left = bytes.min(self.bytes);
        self.bytes -= left;
        while let Some(front) = self.frames.front_mut() {
            if left < front.bytes.len() {
                front.bytes.advance(left);
                break;
            }
            left -= front.bytes.len();
            self.publications -= usize::from(front.is_publication);
            self.frames.pop_front();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.bytes_max, self.publications_max);
    }

    /// Whether the connection is too slow: over its limits although a write was just tried.
    pub(super) const fn is_full(&self) -> bool {
        self.blocked && (self.bytes > self.bytes_max || self.publications > self.publications_max)
    }

    /// Whether the shell waits for the socket to take more.
    pub(super) const fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Bytes that a reply may have to fit behind what waits.
    pub(super) const fn room(&self) -> usize {
        self.bytes_max.saturating_sub(self.bytes)
    }

    /// Bytes that a single reply may have at all.
    pub(super) const fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Bytes that wait.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn publication(bytes: Bytes) -> Frame {
        Frame {
            bytes,
            is_publication: true,
        }
    }

    fn outbox() -> Outbox {
        let mut outbox = Outbox::new(10, 2);
        outbox.push(Frame::other(Bytes::from_static(b"abcd")));
        outbox.push(publication(Bytes::from_static(b"efgh")));
        outbox
    }

    fn waiting(outbox: &Outbox) -> Vec<&[u8]> {
        outbox.frames().map(|bytes| &bytes[..]).collect()
    }

    #[test]
    fn a_write_may_end_inside_a_frame() {
        let mut outbox = outbox();
        outbox.written(6, true);
        assert_eq!(waiting(&outbox), [b"gh"]);
        assert_eq!((outbox.bytes(), outbox.room()), (2, 8));
        outbox.written(2, false);
        assert!(outbox.is_empty());
    }

    #[test]
    fn it_is_full_only_when_a_write_was_just_tried() {
        let mut outbox = outbox();
        outbox.push(publication(Bytes::from_static(b"ijkl")));
        assert!(!outbox.is_full());
        outbox.written(1, true);
        assert!(outbox.is_full());
        outbox.written(3, true);
        assert!(!outbox.is_full());
    }

    #[test]
    fn too_many_publications_fill_it_too() {
        let mut outbox = outbox();
        outbox.written(4, true);
        outbox.push(publication(Bytes::from_static(b"i")));
        assert!(!outbox.is_full());
        outbox.push(publication(Bytes::from_static(b"j")));
        assert!(outbox.is_full());
    }

    #[test]
    fn more_written_than_there_was_only_empties_it() {
        let mut outbox = outbox();
        outbox.written(100, false);
        assert!(outbox.is_empty());
        assert_eq!(outbox.bytes(), 0);
    }
}
