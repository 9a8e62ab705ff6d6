//! Reads one stream: what was read is handed over at once, and nothing here waits for a write. Only a machine that is
//! behind makes it wait.

use bytes::Bytes;
use quinn::{ReadError, RecvStream};
use tokio::sync::watch;
use trunkline_shared::StreamId;

use crate::assemble::Assembler;
use crate::end::LinkEnd;
use crate::frames::{LinkFrame, belongs};
use crate::link::LinkSink;
use crate::link_core::Core;

/// Chunks taken in one go; each is at most a packet, so that a batch is about 45 KB.
const CHUNKS: usize = 32;

/// Reads until the stream or the connection ends.
///
/// `read_total` is told how many bytes were read, for the ephemeral stream's credit.
pub(crate) async fn run<In: LinkFrame>(
    core: &Core,
    id: StreamId,
    mut stream: RecvStream,
    sink: &dyn LinkSink<In>,
    read_total: Option<watch::Sender<u64>>,
) {
    let mut assembler = Assembler::new(core.version);
    let mut chunks = [const { Bytes::new() }; CHUNKS];
    loop {
        let count = match stream.read_chunks(&mut chunks).await {
            Ok(Some(count)) => count,
            Ok(None) => return wait_for_end(core, id).await,
            Err(ReadError::ConnectionLost(_)) => return,
            Err(
                ReadError::Reset(_)
                | ReadError::ClosedStream
                | ReadError::IllegalOrderedRead
                | ReadError::ZeroRttRejected,
            ) => return core.fail(LinkEnd::BrokenStream { stream: id }),
        };
        let bytes: usize = chunks[..count].iter().map(Bytes::len).sum();
        if let Err(end) = take(core, id, &mut assembler, &mut chunks[..count], sink) {
            return core.fail(end);
        }
        core.counters.bytes_in.add(bytes);
        if !wait_for_room(core, id, sink).await {
            return;
        }
        if let Some(total) = &read_total {
            total.send_modify(|total| *total += bytes as u64);
        }
        // A stream that always has data must not keep its thread from everybody else.
        tokio::task::consume_budget().await;
    }
}

/// Hands over what the chunks complete; good frames before a bad one still arrive.
fn take<In: LinkFrame>(
    core: &Core,
    id: StreamId,
    assembler: &mut Assembler,
    chunks: &mut [Bytes],
    sink: &dyn LinkSink<In>,
) -> Result<(), LinkEnd> {
    let mut frames = Vec::new();
    let mut result = Ok(());
    for chunk in chunks {
        let chunk = std::mem::take(chunk);
        result = assembler
            .push(chunk, &mut frames)
            .map_err(|error| LinkEnd::BadFrame { stream: id, error });
        if result.is_err() {
            break;
        }
    }
    if let Some(stray) = frames.iter().position(|frame| !belongs(frame, id)) {
        frames.truncate(stray);
        result = Err(LinkEnd::WrongStream { stream: id });
    }
    if !frames.is_empty() {
        core.counters.frames_in.add(frames.len());
        sink.deliver(id, frames);
    }
    result
}

/// Waits until the machine behind `sink` has room; false when the connection ended meanwhile.
async fn wait_for_room<In: LinkFrame>(core: &Core, id: StreamId, sink: &dyn LinkSink<In>) -> bool {
    while let Some(inbox) = sink.full(id) {
        tokio::select! {
            () = inbox.wait_for_room() => {}
            _ = core.connection.closed() => return false,
        }
    }
    true
}

/// A peer that says goodbye ends its streams, then the connection; one that only ends a stream breaks the link.
async fn wait_for_end(core: &Core, id: StreamId) {
    if tokio::time::timeout(core.goodbye_timeout, core.connection.closed())
        .await
        .is_err()
    {
        core.fail(LinkEnd::BrokenStream { stream: id });
    }
}
