//! Frames as this crate sees them: something with a weight that belongs on a stream.

use std::marker::PhantomData;

use bytes::Bytes;
use trunkline_shared::frame::{self, Frame, FrameError, ToEdge, ToNode};
use trunkline_shared::{Slot, StreamId};

/// A frame that may travel on a started link.
pub trait LinkFrame: Frame + Send + 'static {
    /// What it counts for in its core's account of the queue.
    fn weight(&self) -> usize;
    /// The slot that it names; `None` belongs on the control stream.
    fn slot(&self) -> Option<Slot>;
}

impl LinkFrame for ToNode {
    fn weight(&self) -> usize {
        self.weight()
    }

    fn slot(&self) -> Option<Slot> {
        self.slot()
    }
}

impl LinkFrame for ToEdge {
    fn weight(&self) -> usize {
        self.weight()
    }

    fn slot(&self) -> Option<Slot> {
        self.slot()
    }
}

/// Whether `frame` may be on `stream`: the order of a channel depends on it.
pub(crate) fn belongs(frame: &impl LinkFrame, stream: StreamId) -> bool {
    match stream {
        StreamId::Control => frame.slot().is_none(),
        StreamId::Lane(_) => frame
            .slot()
            .is_some_and(|slot| StreamId::of(slot) == stream),
        StreamId::Ephemeral => frame.slot().is_some(),
    }
}

/// A frame's bytes, made once; clones share them, so that one push to many edges is encoded once.
#[derive(Debug)]
pub struct Outgoing<F> {
    pub(crate) chunks: Vec<Bytes>,
    pub(crate) bytes: usize,
    pub(crate) weight: usize,
    frame: PhantomData<fn(F)>,
}

impl<F: LinkFrame> Outgoing<F> {
    /// Encodes a frame.
    ///
    /// # Errors
    /// When it is larger than 1 MiB.
    pub fn encode(frame: &F) -> Result<Self, FrameError> {
        let mut chunks = Vec::with_capacity(1);
        let bytes = frame::encode(frame, &mut chunks)?;
        Ok(Self {
            chunks,
            bytes,
            weight: frame.weight(),
            frame: PhantomData,
        })
    }

    /// Bytes on the wire.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl<F> Clone for Outgoing<F> {
    fn clone(&self) -> Self {
        Self {
            chunks: self.chunks.clone(),
            bytes: self.bytes,
            weight: self.weight,
            frame: PhantomData,
        }
    }
}
