//! The task of one connection: it reads, and waits for a socket that took too little.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use trunkline_protocol::DisconnectCode;

use crate::connection::{Connection, Event};
use crate::reader::Reader;
use crate::worker_thread::WorkerThread;

/// Bytes of the buffer that all connections of a thread read into.
const SCRATCH_BYTES: usize = 64 << 10;

/// Reads of one connection before others have their turn.
const READS_AT_ONCE: usize = 4;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH_BYTES]);
}

/// Serves a connection until it is over; `early` came behind the handshake.
pub(crate) async fn serve(thread: Rc<WorkerThread>, connection: Rc<Connection>, early: Bytes) {
    let mut reader = Reader::new();
    thread.on_bytes(&connection, &mut reader, &early);
    drop(early);
    poll_fn(|ctx| {
        SCRATCH.with_borrow_mut(|scratch| step(ctx, &thread, &connection, &mut reader, scratch))
    })
    .await;
    connection.say_end();
    thread.forget(connection.id);
}

fn step(
    ctx: &mut Context<'_>,
    thread: &WorkerThread,
    connection: &Rc<Connection>,
    reader: &mut Reader,
    scratch: &mut [u8],
) -> Poll<()> {
    for _ in 0..READS_AT_ONCE {
        match connection.poll_event(ctx, scratch) {
            Poll::Ready(Event::Read(count)) => {
                thread.on_bytes(connection, reader, &scratch[..count])
            }
            Poll::Ready(Event::Writable) => thread.write_later(connection.id),
            Poll::Ready(Event::Over) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
    }
    ctx.waker().wake_by_ref();
    Poll::Pending
}

/// Sends WebSocket pings to a client that asked for them (`cf_ws_frame_ping_pong`), and ends it when it is silent.
///
/// The reference's timings: a ping every `interval`, and something must be heard within `timeout` more. While it
/// sleeps it doesn't hold the connection, whose socket would stay open with it.
pub(crate) async fn ping(
    thread: Rc<WorkerThread>,
    connection: Weak<Connection>,
    interval: Duration,
    timeout: Duration,
) {
    const PING: &[u8] = b"\x89\0";
    loop {
        tokio::time::sleep(interval.saturating_sub(timeout)).await;
        let Some(pinged) = open(&connection) else {
            return;
        };
        pinged.take_heard();
        pinged.push_control(PING);
        thread.write_later(pinged.id);
        drop(pinged);
        tokio::time::sleep(timeout).await;
        let Some(silent) = open(&connection) else {
            return;
        };
        if !silent.take_heard() {
            return thread.hang_up(&silent, &DisconnectCode::NoPong);
        }
    }
}

/// The connection unless its end has begun.
fn open(connection: &Weak<Connection>) -> Option<Rc<Connection>> {
    connection
        .upgrade()
        .filter(|connection| connection.is_open())
}
