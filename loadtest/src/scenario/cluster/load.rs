//! Publishers and subscribers of a run, on all edges.

use std::collections::BTreeSet;
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
use crate::scenario::proof::{Book, Crowd, Publisher, Sent, Witness, wait};

/// Channels of a run.
const CHANNELS: usize = 200;

/// Publishers of each edge; each has its share of the channels, and one on every other edge has the same.
const PUBLISHERS: usize = 4;

/// From one message of a publisher to the next: together they send 1,000 per second, five into each channel.
const PERIOD: Duration = Duration::from_millis(12);

/// Messages of a publisher that are under way at the same time, at most: as many as an edge takes of a connection.
const WINDOW: usize = 250;

/// Acknowledgements that each publisher must have in each of its channels after the repair.
const ACKS_AFTER: usize = 2;

/// Time within which it must have them.
const BACK_WITHIN: Duration = Duration::from_secs(20);

/// What publishes and follows in a run. A subscriber goes to the next edge when its own stops.
#[derive(Debug)]
pub(super) struct Load(pub(super) Crowd);

impl Load {
    /// Subscribes one subscriber per edge to all channels, then begins to publish.
    ///
    /// # Errors
    /// When an edge can't be reached or refuses.
    pub(super) async fn start(mesh: &Mesh<'_>, run: &str) -> Result<Self> {
        let channels = (0..CHANNELS).map(|number| format!("{DURABLE}:{run}-{number}"));
        let channels: Rc<[String]> = channels.collect();
        let edges = (0..EDGES.len()).map(|first| mesh.sockets_from(first));
        let edges = edges.collect::<Result<Vec<_>>>()?;
        let followers = edges.iter();
        let followers = followers.map(|edges| Follower::start_at(edges.clone(), &channels));
        let followers = timeout(PATIENCE, try_join_all(followers)).await??;
        let book = Rc::<Book>::default();
        let mut publishers = Vec::new();
        for edges in edges {
            for share in 0..PUBLISHERS {
                let size = CHANNELS / PUBLISHERS;
                let publisher = Publisher {
                    number: publishers.len() as u64,
                    channels: Rc::clone(&channels),
                    turn: share * size..(share + 1) * size,
                    period: PERIOD,
                    window: WINDOW,
                    book: Rc::clone(&book),
                };
                let work = publisher.publish_as_client(edges.clone());
                publishers.push(spawn_local(work));
            }
        }
        Ok(Self(Crowd {
            channels,
            book,
            publishers,
            followers,
        }))
    }

    /// Waits until every channel has a message.
    ///
    /// # Errors
    /// When one has none for long.
    pub(super) async fn wait_until_everywhere(&self, since: Instant) -> Result<()> {
        let is_everywhere = || {
            let acked = self.0.book.acked(since);
            let channels: BTreeSet<usize> = acked.keys().map(|(_, channel)| *channel).collect();
            (channels.len() == CHANNELS).then_some(())
        };
        let waited = wait(BACK_WITHIN, is_everywhere).await;
        waited.context("a channel into which nothing was published")
    }

    /// Waits until each publisher has been acknowledged some messages more in each of its channels.
    ///
    /// # Errors
    /// When one hasn't in time.
    pub(super) async fn wait_until_back(&self) -> Result<()> {
        let since = Instant::now();
        let pairs = self.0.publishers.len() * CHANNELS / PUBLISHERS;
        let mut missing = pairs;
        let all = || {
            let acked = self.0.book.acked(since);
            let back = acked.values().filter(|count| **count >= ACKS_AFTER);
            missing = pairs - back.count();
            (missing == 0).then_some(())
        };
        if wait(BACK_WITHIN, all).await.is_none() {
            bail!(
                "{BACK_WITHIN:?} after the repair {missing} of {pairs} publishers' channels have no \
                 {ACKS_AFTER} acknowledgements"
            );
        }
        Ok(())
    }

    /// Ends it; returns what was sent and what each subscriber saw, by channel.
    ///
    /// # Errors
    /// When the last messages aren't taken.
    pub(super) async fn end(self, mesh: &Mesh<'_>) -> Result<(Vec<Sent>, Vec<Witness>)> {
        let mut api = Api::connect_to(&mesh.edges[0].api()?, API_KEY).await?;
        self.0.end(&mut api, &EDGES).await
    }
}
