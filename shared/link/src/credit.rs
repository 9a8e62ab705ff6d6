//! How much of the ephemeral stream was read, told to its sender.
//!
//! QUIC tells a sender nothing about one stream's progress, and takes 48 MiB before it pushes back: without this a
//! thin path would fill with stale cursors, which then also keep lanes from writing. So the reader tells the total
//! of bytes read, eight bytes little-endian each time, and the sender keeps the difference under a limit.

use quinn::{ReadExactError, RecvStream, SendStream};
use tokio::sync::watch;
use trunkline_shared::StreamId;

use crate::end::LinkEnd;
use crate::link_core::Core;
use crate::queue::SendQueue;

/// Bytes read between two tellings; a quarter of the smallest `ephemeral_bytes_max`.
const STEP: u64 = 16 << 10;

/// Tells the peer how much was read, until the connection ends.
pub(crate) async fn tell(
    core: &Core,
    mut read_total: watch::Receiver<u64>,
    mut stream: SendStream,
) {
    let mut told = 0;
    while let Ok(total) = read_total
        .wait_for(|total| *total >= told + STEP)
        .await
        .map(|total| *total)
    {
        if stream.write_all(&total.to_le_bytes()).await.is_err() {
            return;
        }
        told = total;
    }
    core.connection.closed().await;
}

/// Listens to what the peer tells, until the connection ends.
pub(crate) async fn listen(core: &Core, queue: &SendQueue, mut stream: RecvStream) {
    let mut total = [0; 8];
    loop {
        match stream.read_exact(&mut total).await {
            Ok(()) => {}
            Err(ReadExactError::ReadError(quinn::ReadError::ConnectionLost(_))) => return,
            Err(ReadExactError::ReadError(_) | ReadExactError::FinishedEarly(_)) => break,
        }
        if queue.on_read_by_peer(u64::from_le_bytes(total)).is_err() {
            break;
        }
    }
    core.fail(LinkEnd::BrokenStream {
        stream: StreamId::Ephemeral,
    });
}
