//! One direction of a connection: bytes are read, wait for their time, and are written.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc, watch};

use crate::wan::config::{PathConfig, WanConfig};
use crate::wan::schedule::Schedule;

/// Bytes read at once; they arrive together.
const CHUNK_BYTES_MAX: usize = 16 << 10;

/// Bytes of one direction under way at most, give or take a chunk; beyond them nothing is read. 200 Mbit/s at 150 ms.
const WINDOW_BYTES_MAX: usize = 4 << 20;

/// Bytes and when they arrive; none: the end.
type Chunk = (Instant, Box<[u8]>);

/// One direction.
#[derive(Debug)]
pub(super) struct Stream {
    config: watch::Receiver<WanConfig>,
    direction: fn(&WanConfig) -> PathConfig,
    seed: u64,
    under_way: AtomicUsize,
    written: Notify,
}

impl Stream {
    pub(super) fn new(
        config: watch::Receiver<WanConfig>,
        direction: fn(&WanConfig) -> PathConfig,
        seed: u64,
    ) -> Self {
        Self {
            config,
            direction,
            seed,
            under_way: AtomicUsize::new(0),
            written: Notify::new(),
        }
    }

    /// Carries bytes until the sender ends its half, then ends the receiver's.
    ///
    /// # Errors
    /// When one of them breaks.
    pub(super) async fn carry(
        self,
        from: OwnedReadHalf,
        to: OwnedWriteHalf,
        bytes: &AtomicU64,
    ) -> io::Result<()> {
        // The window bounds it.
        let (sender, chunks) = mpsc::unbounded_channel();
        tokio::try_join!(self.read(from, sender), self.write(to, chunks, bytes))?;
        Ok(())
    }

    async fn read(
        &self,
        mut from: OwnedReadHalf,
        chunks: mpsc::UnboundedSender<Chunk>,
    ) -> io::Result<()> {
        let mut schedule = Schedule::new(self.lossless(), self.seed);
        let mut buffer = vec![0; CHUNK_BYTES_MAX];
        loop {
            self.room().await;
            let count = from.read(&mut buffer).await?;
            schedule.configure(self.lossless());
            let due = schedule.due(Instant::now(), count);
            self.under_way.fetch_add(count, Ordering::Relaxed);
            // The writer has gone only when it broke, which ends this too.
            let _ = chunks.send((due, buffer[..count].into()));
            if count == 0 {
                return Ok(());
            }
        }
    }

    async fn write(
        &self,
        mut to: OwnedWriteHalf,
        mut chunks: mpsc::UnboundedReceiver<Chunk>,
        bytes: &AtomicU64,
    ) -> io::Result<()> {
        let mut config = self.config.clone();
        while let Some((due, chunk)) = chunks.recv().await {
            tokio::time::sleep_until(due.into()).await;
            let healed = config.wait_for(|config| !(self.direction)(config).cut);
            healed.await.map_err(io::Error::other)?;
            to.write_all(&chunk).await?;
            bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            self.under_way.fetch_sub(chunk.len(), Ordering::Relaxed);
            self.written.notify_one();
        }
        to.shutdown().await
    }

    /// Waits until less is under way than the link holds.
    async fn room(&self) {
        while self.under_way.load(Ordering::Relaxed) >= window(&self.lossless()) {
            self.written.notified().await;
        }
    }

    /// What the direction is like now, for bytes that can't get lost.
    fn lossless(&self) -> PathConfig {
        PathConfig {
            reorder: false,
            loss: 0.0,
            cut: false,
            ..(self.direction)(&self.config.borrow())
        }
    }
}

/// What a link holds: on the wire what it sends in its delay, before the wire its queue.
fn window(config: &PathConfig) -> usize {
    let Some(rate_bits) = config.rate_bits else {
        return WINDOW_BYTES_MAX;
    };
    let on_wire = rate_bits.get() as f64 / 8.0 * (config.delay + config.jitter).as_secs_f64();
    (on_wire as usize + config.queue_bytes_max as usize).clamp(1, WINDOW_BYTES_MAX)
}
