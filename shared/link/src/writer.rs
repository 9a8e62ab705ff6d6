//! Writes one stream: all that has queued while the last write was in progress goes in one write.

use quinn::{SendStream, WriteError};

use crate::end::LinkEnd;
use crate::frames::LinkFrame;
use crate::link::LinkSink;
use crate::link_core::Core;
use crate::queue::{Batch, SendQueue};

/// Writes until the queue is closed and empty and the peer has all of it, or until the connection ends.
pub(crate) async fn run<In: LinkFrame>(
    core: &Core,
    queue: &SendQueue,
    mut stream: SendStream,
    sink: &dyn LinkSink<In>,
) {
    let ended = core.connection.closed();
    tokio::select! {
        result = write_all(core, queue, &mut stream, sink) => {
            if result.is_err() {
                core.fail(LinkEnd::BrokenStream { stream: queue.stream });
            }
        }
        _ = ended => {}
    }
}

/// The peer has stopped a stream that lives as long as the link.
struct Stopped;

async fn write_all<In: LinkFrame>(
    core: &Core,
    queue: &SendQueue,
    stream: &mut SendStream,
    sink: &dyn LinkSink<In>,
) -> Result<(), Stopped> {
    while let Some(batch) = queue.next().await {
        if !write_batch(core, queue, stream, sink, batch).await? {
            return Ok(());
        }
    }
    // An error means that the connection ended, which has its own reason.
    let _ = stream.finish();
    let _ = stream.stopped().await;
    Ok(())
}

/// False when the connection is gone.
async fn write_batch<In: LinkFrame>(
    core: &Core,
    queue: &SendQueue,
    stream: &mut SendStream,
    sink: &dyn LinkSink<In>,
    mut batch: Batch,
) -> Result<bool, Stopped> {
    let mut chunks = std::mem::take(&mut batch.chunks);
    let mut rest = chunks.as_mut_slice();
    while !rest.is_empty() {
        let written = match stream.write_chunks(rest).await {
            Ok(written) => written,
            Err(WriteError::ConnectionLost(_)) => return Ok(false),
            Err(
                WriteError::Stopped(_) | WriteError::ClosedStream | WriteError::ZeroRttRejected,
            ) => return Err(Stopped),
        };
        rest = &mut rest[written.chunks..];
        queue.on_written(written.bytes);
        core.counters.bytes_out.add(written.bytes);
        let (frames, weight) = batch.advance(written.bytes);
        if frames > 0 {
            core.counters.frames_out.add(frames);
            sink.sent(queue.stream, weight);
        }
    }
    Ok(true)
}
