//! The streams of a link: the edge opens all of them, the node takes them in the same order.

use quinn::{Connection, ConnectionError, ReadExactError, RecvStream, SendStream, WriteError};
use trunkline_shared::StreamId;
use trunkline_shared::limits::LANES;

/// QUIC streams of one link.
pub(crate) const STREAMS: u32 = LANES as u32 + 3;

/// The streams that carry frames, in the order of their queues: control, the lanes, ephemeral.
pub(crate) fn ids() -> impl Iterator<Item = StreamId> {
    let lanes = (0..LANES).map(StreamId::Lane);
    std::iter::once(StreamId::Control)
        .chain(lanes)
        .chain([StreamId::Ephemeral])
}

/// Why a link's streams didn't come about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamsError {
    /// The connection ended before.
    #[error(transparent)]
    Lost(#[from] ConnectionError),
    /// A stream was ended before its first bytes, or refused.
    #[error("a stream ended at its beginning")]
    Ended,
    /// The first bytes name another stream than the next one due.
    #[error("stream begins with {got:?} instead of {wanted:?}")]
    OutOfOrder {
        /// The bytes due.
        wanted: [u8; 2],
        /// The bytes that came.
        got: [u8; 2],
    },
}

impl From<ReadExactError> for StreamsError {
    fn from(error: ReadExactError) -> Self {
        match error {
            ReadExactError::ReadError(quinn::ReadError::ConnectionLost(lost)) => Self::Lost(lost),
            ReadExactError::ReadError(_) | ReadExactError::FinishedEarly(_) => Self::Ended,
        }
    }
}

impl From<WriteError> for StreamsError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::ConnectionLost(lost) => Self::Lost(lost),
            WriteError::Stopped(_) | WriteError::ClosedStream | WriteError::ZeroRttRejected => {
                Self::Ended
            }
        }
    }
}

/// What a QUIC stream carries; its first two bytes say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Control,
    Lane(u8),
    /// Ephemeral frames from edge to node; the other half tells what the node has read.
    EphemeralUp,
    /// Ephemeral frames from node to edge; the other half tells what the edge has read.
    EphemeralDown,
}

impl Part {
    fn after_control() -> impl Iterator<Item = Self> {
        (0..LANES)
            .map(Self::Lane)
            .chain([Self::EphemeralUp, Self::EphemeralDown])
    }

    const fn preface(self) -> [u8; 2] {
        match self {
            Self::Control => [0, 0],
            Self::Lane(lane) => [1, lane],
            Self::EphemeralUp => [2, 0],
            Self::EphemeralDown => [2, 1],
        }
    }
}

/// One QUIC stream, both halves.
pub(crate) struct Pair {
    pub(crate) send: SendStream,
    pub(crate) receive: RecvStream,
}

/// All streams of a link but for control's, sorted by what they are for at this end.
pub(crate) struct Streams {
    /// Where frames leave.
    pub(crate) frames_out: Vec<(StreamId, SendStream)>,
    /// Where frames come.
    pub(crate) frames_in: Vec<(StreamId, RecvStream)>,
    /// Tells the peer how much of its ephemeral stream was read here.
    pub(crate) credit_out: SendStream,
    /// Where the peer tells the same of ours.
    pub(crate) credit_in: RecvStream,
}

/// Opens the control stream.
pub(crate) async fn open_control(connection: &Connection) -> Result<Pair, StreamsError> {
    open(connection, Part::Control).await
}

/// Waits for the control stream.
pub(crate) async fn accept_control(connection: &Connection) -> Result<Pair, StreamsError> {
    accept(connection, Part::Control).await
}

/// Opens the other streams, at an edge.
pub(crate) async fn open_others(
    connection: &Connection,
    control: Pair,
) -> Result<Streams, StreamsError> {
    let mut pairs = Vec::new();
    for part in Part::after_control() {
        pairs.push((part, open(connection, part).await?));
    }
    let (down, up) = (take_last(&mut pairs), take_last(&mut pairs));
    Ok(Streams::new(control, pairs, up, down))
}

/// Waits for the other streams, at a node.
pub(crate) async fn accept_others(
    connection: &Connection,
    control: Pair,
) -> Result<Streams, StreamsError> {
    let mut pairs = Vec::new();
    for part in Part::after_control() {
        pairs.push((part, accept(connection, part).await?));
    }
    let (down, up) = (take_last(&mut pairs), take_last(&mut pairs));
    Ok(Streams::new(control, pairs, down, up))
}

async fn open(connection: &Connection, part: Part) -> Result<Pair, StreamsError> {
    let (mut send, receive) = connection.open_bi().await?;
    send.write_all(&part.preface()).await?;
    Ok(Pair { send, receive })
}

async fn accept(connection: &Connection, part: Part) -> Result<Pair, StreamsError> {
    let (send, mut receive) = connection.accept_bi().await?;
    let (wanted, mut got) = (part.preface(), [0; 2]);
    receive.read_exact(&mut got).await?;
    if got == wanted {
        Ok(Pair { send, receive })
    } else {
        Err(StreamsError::OutOfOrder { wanted, got })
    }
}

fn take_last(pairs: &mut Vec<(Part, Pair)>) -> Pair {
    pairs
        .pop()
        .expect("the two ephemeral streams are the last ones")
        .1
}

impl Streams {
    /// Sorts them; `ours` carries ephemeral frames away from here, `theirs` towards here.
    fn new(control: Pair, lanes: Vec<(Part, Pair)>, ours: Pair, theirs: Pair) -> Self {
        let mut streams = Self {
            frames_out: Vec::new(),
            frames_in: Vec::new(),
            credit_out: theirs.send,
            credit_in: ours.receive,
        };
        streams.add(StreamId::Control, control.send, control.receive);
        for (lane, (_, pair)) in (0..LANES).zip(lanes) {
            streams.add(StreamId::Lane(lane), pair.send, pair.receive);
        }
        streams.add(StreamId::Ephemeral, ours.send, theirs.receive);
        streams.set_priorities();
        streams
    }

    fn add(&mut self, id: StreamId, send: SendStream, receive: RecvStream) {
        self.frames_out.push((id, send));
        self.frames_in.push((id, receive));
    }

    /// Control first, ephemeral last. A stream that is gone already shows at its first write.
    fn set_priorities(&self) {
        for (id, send) in &self.frames_out {
            let priority = match id {
                StreamId::Control => 1,
                StreamId::Lane(_) => 0,
                StreamId::Ephemeral => -1,
            };
            let _ = send.set_priority(priority);
        }
        let _ = self.credit_out.set_priority(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_of_streams_never_change() {
        let mut bytes = Part::Control.preface().to_vec();
        bytes.extend(Part::after_control().flat_map(Part::preface));
        let lanes = (0..16).flat_map(|lane| [1, lane]);
        let fixture: Vec<u8> = [0, 0]
            .into_iter()
            .chain(lanes)
            .chain([2, 0, 2, 1])
            .collect();
        assert_eq!(bytes, fixture);
        assert_eq!(bytes.len(), 2 * STREAMS as usize);
    }
}
