//! One connection through a relay: a stream each way.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpStream;

use super::Relay;
use super::stream::Stream;
use crate::wan::config::WanConfig;

/// Carries a connection until both directions have ended or one breaks.
///
/// # Errors
/// When the target can't be reached or an end breaks.
pub(super) async fn carry(relay: Relay, client: TcpStream, seed: u64) -> io::Result<()> {
    let _open = Open::new(&relay.counts.connections);
    let mut config = relay.config.clone();
    let healed = config.wait_for(|config| !config.up.cut && !config.down.cut);
    healed.await.map_err(io::Error::other)?;
    let target = TcpStream::connect(relay.target).await?;
    for socket in [&client, &target] {
        // What a client wrote at once is passed on at once.
        socket.set_nodelay(true)?;
    }
    let (from_client, to_client) = client.into_split();
    let (from_target, to_target) = target.into_split();
    let up = Stream::new(relay.config.clone(), |config: &WanConfig| config.up, seed);
    // Another seed, so that the two directions don't have the same jitter.
    let down = Stream::new(relay.config, |config: &WanConfig| config.down, !seed);
    tokio::try_join!(
        up.carry(from_client, to_target, &relay.counts.up_bytes),
        down.carry(from_target, to_client, &relay.counts.down_bytes),
    )?;
    Ok(())
}

/// Counts a connection while it is open.
struct Open<'a>(&'a AtomicUsize);

impl<'a> Open<'a> {
    fn new(connections: &'a AtomicUsize) -> Self {
        connections.fetch_add(1, Ordering::Relaxed);
        Self(connections)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
