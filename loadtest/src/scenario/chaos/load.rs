//! Publishers and subscribers of a run, on both edges.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use tokio::task::spawn_local;
use tokio::time::{Instant, timeout};

use super::config::{API_KEY, DURABLE};
use super::mesh::{EDGES, Mesh};
use crate::api::Api;
use crate::client::PATIENCE;
use crate::scenario::follow::Follower;
use crate::scenario::proof::{Crowd, Publisher, Sent, Witness, wait};

/// Channels of a run: slots of one shard and of another.
const CHANNELS: usize = 4;

/// Publishers of each edge that are clients, and that are backends.
const CLIENTS: u64 = 2;
const BACKENDS: u64 = 1;

/// From one message of a publisher to the next.
const PERIOD: Duration = Duration::from_millis(4);

/// Messages of a client that are under way at the same time, at most.
const WINDOW: usize = 64;

/// Acknowledgements that each publisher must have in each channel after the repair: the service is back for all of them.
const ACKS_AFTER: usize = 5;

/// Time within which it must be back, counted from the end of the repair.
const BACK_WITHIN: Duration = Duration::from_secs(15);

/// What publishes and follows in a run.
#[derive(Debug)]
pub(super) struct Load(pub(super) Crowd);

impl Load {
    /// Subscribes one subscriber per edge to all channels, then begins to publish on both.
    ///
    /// # Errors
    /// When an edge can't be reached or refuses.
    pub(super) async fn start(mesh: &Mesh<'_>) -> Result<Self> {
        let channels = (0..CHANNELS).map(|number| format!("{DURABLE}:chaos-{number}"));
        let channels: Rc<[String]> = channels.collect();
        let sockets = mesh.sockets()?;
        let followers = sockets.iter().map(|url| Follower::start(url, &channels));
        let followers = timeout(PATIENCE, try_join_all(followers)).await??;
        let mut load = Self(Crowd {
            channels,
            book: Rc::default(),
            publishers: Vec::new(),
            followers,
        });
        for (socket, api) in sockets.into_iter().zip(mesh.apis()?) {
            for _ in 0..CLIENTS {
                let publisher = load.publisher();
                let work = publisher.publish_as_client(vec![socket.clone()]);
                load.0.publishers.push(spawn_local(work));
            }
            for _ in 0..BACKENDS {
                let publisher = load.publisher();
                let work = publisher.publish_by_api(api.clone(), API_KEY);
                load.0.publishers.push(spawn_local(work));
            }
        }
        Ok(load)
    }

    fn publisher(&self) -> Publisher {
        Publisher {
            number: self.0.publishers.len() as u64,
            channels: Rc::clone(&self.0.channels),
            turn: 0..CHANNELS,
            period: PERIOD,
            window: WINDOW,
            book: Rc::clone(&self.0.book),
        }
    }

    /// Waits until some publish has been refused; returns when that was.
    ///
    /// # Errors
    /// When none is within [`PATIENCE`]: the fault has no effect.
    pub(super) async fn wait_until_refused(&self, since: Instant) -> Result<Instant> {
        let refused = wait(PATIENCE, || self.0.book.refused(since)).await;
        refused.with_context(|| format!("no publish was refused within {PATIENCE:?}"))
    }

    /// Waits until each publisher has been acknowledged some messages more in each channel; returns how long the first took.
    ///
    /// # Errors
    /// When one hasn't in time.
    pub(super) async fn wait_until_back(&self, since: Instant) -> Result<Duration> {
        let mut first = None;
        let all = || {
            let acked = self.0.book.acked(since);
            if first.is_none() && !acked.is_empty() {
                first = Some(since.elapsed());
            }
            let pairs = self.0.publishers.len() * self.0.channels.len();
            let is_back = acked.len() == pairs && acked.values().all(|count| *count >= ACKS_AFTER);
            is_back.then_some(())
        };
        if wait(BACK_WITHIN, all).await.is_none() {
            let acked = self.0.book.acked(since);
            bail!(
                "{BACK_WITHIN:?} after the repair acknowledgements by publisher and channel are {acked:?}"
            );
        }
        Ok(first.unwrap_or_default())
    }

    /// Ends it; returns what was sent and what each subscriber saw, by channel.
    ///
    /// # Errors
    /// When the last messages aren't taken.
    pub(super) async fn end(self, mesh: &Mesh<'_>) -> Result<(Vec<Sent>, Vec<Witness>)> {
        let mut api = Api::connect_to(&mesh.apis()?[0], API_KEY).await?;
        self.0.end(&mut api, &EDGES).await
    }
}
