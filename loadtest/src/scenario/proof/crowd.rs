//! Publishers and subscribers of a run together.

use std::rc::Rc;

use anyhow::{Context, Result};
use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::book::{Book, Fate, NUMBERS, Sent};
use super::witness::Witness;
use crate::api::Api;
use crate::client::PATIENCE;
use crate::payload::{self, Numbered};
use crate::scenario::follow::{self, Follower};

/// Numbers of the last messages, which none of the publishers has.
const LAST: u64 = u8::MAX as u64 * NUMBERS;

/// Publishers and subscribers at work.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) channels: Rc<[String]>,
    pub(crate) book: Rc<Book>,
    pub(crate) publishers: Vec<JoinHandle<()>>,
    /// One per edge.
    pub(crate) followers: Vec<Follower>,
}

impl Crowd {
    /// Lets publishers end and waits for their answers, puts one more message into each channel, and waits until subscribers
    /// have it. Returns what was sent and what each subscriber saw, by channel, under the names of `edges`.
    ///
    /// # Errors
    /// When the last messages aren't taken.
    pub(crate) async fn end(
        self,
        api: &mut Api,
        edges: &[&str],
    ) -> Result<(Vec<Sent>, Vec<Witness>)> {
        self.book.stop();
        // One that has no answer by then is found by the proof.
        let _ = timeout(PATIENCE, join_all(self.publishers)).await;
        for (place, channel) in self.channels.iter().enumerate() {
            let number = LAST + place as u64;
            let noted = self.book.note(number, place);
            let message = Numbered {
                time: payload::now(),
                number,
            };
            let published = api.publish(channel, &message.encode(0)).await;
            published.with_context(|| format!("the last message of {channel}"))?;
            self.book.settle(noted, Fate::Acked);
        }
        let has_last =
            |follower: &Follower, place| follower.log(place, |log| log.has(LAST + place as u64));
        let has_all = |follower| (0..self.channels.len()).all(|place| has_last(follower, place));
        follow::settle(&self.followers, || self.followers.iter().all(has_all)).await;
        let witnesses = edges.iter().zip(&self.followers);
        let witnesses = witnesses.map(|(name, follower)| Witness::of(name, follower));
        Ok((self.book.sent(), witnesses.collect()))
    }
}
