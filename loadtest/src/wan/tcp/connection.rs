//! One connection through a relay: a stream each way.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::Interest;
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
    let Some(client) = healed(&relay, client).await? else {
        return Ok(());
    };
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

/// Waits until there is no cut; nothing when the client has ended its half until then.
async fn healed(relay: &Relay, client: TcpStream) -> io::Result<Option<TcpStream>> {
    let mut config = relay.config.clone();
    let healed = config.wait_for(|config| !config.up.cut && !config.down.cut);
    tokio::select! {
        biased;
        healed = healed => drop(healed.map_err(io::Error::other)?),
        ended = end_of(&client) => return ended.map(|()| None),
    }
    // Registered anew: the waiting has used up the news of bytes that are still unread.
    TcpStream::from_std(client.into_std()?).map(Some)
}

/// Resolves when a client ends its half or breaks; what it has sent stays unread.
async fn end_of(client: &TcpStream) -> io::Result<()> {
    while !client.ready(Interest::READABLE).await?.is_read_closed() {
        let later = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        // Said to be unreadable, it wakes at the next news only.
        let _ = client.try_io(Interest::READABLE, later);
    }
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
