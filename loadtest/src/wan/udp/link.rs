//! What runs on a relay's thread: one task receives from clients, one per client receives its answers, one per direction
//! sends what has arrived.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use super::client::{Client, Clients};
use super::{CLIENT_IDLE_MAX, CLIENTS_MAX};
use crate::wan::alarm::Alarm;
use crate::wan::config::WanConfig;
use crate::wan::lock;
use crate::wan::way::Way;

/// Larger than any datagram.
const DATAGRAM_BYTES_MAX: usize = 64 << 10;

/// Datagrams received at once, so that sending gets its turn.
const BATCH_MAX: usize = 64;

/// What a relay does for its clients at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) clients: usize,
    pub(super) idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: CLIENTS_MAX,
            idle: CLIENT_IDLE_MAX,
        }
    }
}

/// The two directions and everyone who uses them.
#[derive(Debug)]
pub(super) struct Link {
    front: UdpSocket,
    target: SocketAddr,
    limits: Limits,
    pub(super) up: Way<Datagram>,
    pub(super) down: Way<Datagram>,
    pub(super) clients: Clients,
    pub(super) turned_away: AtomicU64,
}

/// A datagram on its way to or from a client.
#[derive(Debug)]
pub(super) struct Datagram {
    client: Arc<Client>,
    bytes: Box<[u8]>,
}

impl Datagram {
    fn new(client: Arc<Client>, bytes: &[u8], now: Instant) -> Self {
        client.touch(now);
        Self {
            client,
            bytes: bytes.into(),
        }
    }
}

impl Link {
    pub(super) fn new(
        front: UdpSocket,
        target: SocketAddr,
        config: WanConfig,
        seed: u64,
        limits: Limits,
    ) -> Self {
        Self {
            front,
            target,
            limits,
            up: Way::new(config.up, seed),
            // Another seed, so that the two directions don't lose the same datagrams.
            down: Way::new(config.down, !seed),
            clients: Clients::default(),
            turned_away: AtomicU64::new(0),
        }
    }

    /// Where clients dial.
    ///
    /// # Errors
    /// When the system doesn't know, which it does.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.front.local_addr()
    }

    /// Takes what clients have sent, at most a batch.
    fn receive(self: &Arc<Self>, buffer: &mut [u8]) {
        for _ in 0..BATCH_MAX {
            let Ok((count, address)) = self.front.try_recv_from(buffer) else {
                return;
            };
            let now = Instant::now();
            match self.client(address, now) {
                Some(client) if client.is_cut() => {}
                Some(client) => {
                    let datagram = Datagram::new(client, &buffer[..count], now);
                    self.up.send(now, count, datagram);
                }
                None => _ = self.turned_away.fetch_add(1, Ordering::Relaxed),
            }
        }
    }

    /// Takes what the target has answered to a client, at most a batch.
    fn receive_answers(&self, client: &Arc<Client>, buffer: &mut [u8]) {
        for _ in 0..BATCH_MAX {
            let Ok((count, from)) = client.socket.try_recv_from(buffer) else {
                return;
            };
            let now = Instant::now();
            if from == self.target && !client.is_cut() {
                let datagram = Datagram::new(Arc::clone(client), &buffer[..count], now);
                self.down.send(now, count, datagram);
            }
        }
    }

    /// The client at this address; nothing when it is one too many.
    fn client(self: &Arc<Self>, address: SocketAddr, now: Instant) -> Option<Arc<Client>> {
        let mut clients = lock(&self.clients);
        if let Some(client) = clients.get(&address) {
            return Some(Arc::clone(client));
        }
        if clients.len() >= self.limits.clients {
            return None;
        }
        let client = Arc::new(Client::open(address, self.target, now).ok()?);
        clients.insert(address, Arc::clone(&client));
        tokio::spawn(follow(Arc::clone(self), Arc::clone(&client)));
        Some(client)
    }
}

/// Runs for ever; the alarms are for the way up and the way down.
pub(super) async fn run(link: Arc<Link>, alarms: [Alarm; 2]) {
    let [up, down] = alarms;
    tokio::select! {
        () = receive(&link) => {}
        () = send_up(&link, up) => {}
        () = send_down(&link, down) => {}
    }
}

async fn receive(link: &Arc<Link>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    while link.front.readable().await.is_ok() {
        link.receive(&mut buffer);
        tokio::task::yield_now().await;
    }
}

/// Brings a client its answers until it is idle for too long.
async fn follow(link: Arc<Link>, client: Arc<Client>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        match tokio::time::timeout(link.limits.idle, client.socket.readable()).await {
            Ok(Ok(())) => link.receive_answers(&client, &mut buffer),
            Err(_) if client.idle(Instant::now()) < link.limits.idle => {}
            Ok(Err(_)) | Err(_) => break,
        }
        tokio::task::yield_now().await;
    }
    lock(&link.clients).remove(&client.address);
}

async fn send_up(link: &Link, alarm: Alarm) {
    let mut batch = Vec::new();
    loop {
        link.up.arrived(&alarm, &mut batch).await;
        for Datagram { client, bytes } in batch.drain(..) {
            // What the system refuses is as good as lost beyond the link.
            let _ = client.socket.send_to(&bytes, link.target).await;
        }
    }
}

async fn send_down(link: &Link, alarm: Alarm) {
    let mut batch = Vec::new();
    loop {
        link.down.arrived(&alarm, &mut batch).await;
        for Datagram { client, bytes } in batch.drain(..) {
            let _ = link.front.send_to(&bytes, client.address).await;
        }
    }
}
