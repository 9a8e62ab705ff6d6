//! Publishing by the clock into several channels without waiting for answers: a mesh that is slow to answer gets no fewer
//! messages for it, as from users. What was answered is noted, because only an acknowledged message may be asked for later.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use tokio::runtime::Runtime;
use trunkline_protocol::{Reply, ReplyBody};

use super::publisher::request;
use crate::client::{Client, PATIENCE, replies_in};
use crate::payload::{self, Numbered};
use crate::target::Target;
use crate::thread;

/// Time before a message is due in which no answers are read: the runtime's timer is a millisecond coarse, the thread's isn't.
const ALONE: Duration = Duration::from_millis(2);

/// Readings of both clocks, of which the closest pair counts.
const READINGS: usize = 5;

/// What one connection publishes.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub(crate) url: Target,
    /// Each gets a message in turn.
    pub(crate) channels: Vec<String>,
    /// When the first message is due.
    pub(crate) start: Instant,
    /// From one message to the next.
    pub(crate) period: Duration,
    pub(crate) count: u32,
    /// Bytes of a payload.
    pub(crate) bytes: usize,
    /// Number of the first message, and from one to the next: feeds of one run share the numbers out.
    pub(crate) first_number: u64,
    pub(crate) number_step: u64,
}

/// A message of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) number: u64,
    /// Place of its channel in the feed's.
    pub(crate) channel: usize,
    pub(crate) outcome: Outcome,
}

/// What the mesh said of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is taken, and may be asked for.
    Acked,
    /// It is answered with an error: nobody knows whether it arrives.
    Refused,
    /// There is no answer: nobody knows either.
    Unanswered,
}

impl Sent {
    pub(crate) fn is_acked(&self) -> bool {
        self.outcome == Outcome::Acked
    }
}

impl Feed {
    /// Publishes everything, on a thread of its own, and waits for the answers.
    ///
    /// # Errors
    /// When the connection ends.
    pub(crate) async fn publish(self) -> Result<Vec<Sent>> {
        thread::run("feed", move |runtime| {
            let client = runtime.block_on(Client::connect(&self.url, None))?;
            Publisher::new(self, client).publish_all(runtime)
        })
        .await
    }
}

/// A feed at work.
struct Publisher {
    feed: Feed,
    client: Client,
    /// What time it was at the feed's start, in the clock of payloads.
    start_time: u64,
    sent: Vec<Sent>,
    /// Places in `sent` by the ids of commands.
    unanswered: BTreeMap<u32, usize>,
}

impl Publisher {
    fn new(feed: Feed, client: Client) -> Self {
        Self {
            start_time: time_of(feed.start),
            feed,
            client,
            sent: Vec::new(),
            unanswered: BTreeMap::new(),
        }
    }

    fn publish_all(mut self, runtime: &Runtime) -> Result<Vec<Sent>> {
        for place in 0..self.feed.count {
            let due = self.feed.start + self.feed.period * place;
            let read_until = due.checked_sub(ALONE).unwrap_or(due);
            runtime.block_on(self.read_until(read_until))?;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            runtime.block_on(self.publish(place))?;
        }
        runtime.block_on(self.read_until(Instant::now() + PATIENCE))?;
        Ok(self.sent)
    }

    async fn publish(&mut self, place: u32) -> Result<()> {
        let feed = &self.feed;
        let channel = place as usize % feed.channels.len();
        let message = Numbered {
            time: self.start_time + nanos(feed.period * place),
            number: feed.first_number + u64::from(place) * feed.number_step,
        };
        let payload = Bytes::from(message.encode(feed.bytes));
        let request = request(&feed.channels[channel], &payload);
        let id = self.client.send_all([request]).await?.start;
        self.unanswered.insert(id, self.sent.len());
        self.sent.push(Sent {
            number: message.number,
            channel,
            outcome: Outcome::Unanswered,
        });
        Ok(())
    }

    /// Notes answers until that moment, or until there are none to wait for after the last message.
    async fn read_until(&mut self, moment: Instant) -> Result<()> {
        let all_sent = self.sent.len() == self.feed.count as usize;
        let until = tokio::time::sleep_until(moment.into());
        tokio::pin!(until);
        while !(all_sent && self.unanswered.is_empty()) {
            tokio::select! {
                messages = self.client.messages() => self.note(replies_in(messages?))?,
                () = &mut until => break,
            }
        }
        Ok(())
    }

    fn note(&mut self, replies: Vec<Reply>) -> Result<()> {
        for reply in replies {
            let place = self.unanswered.remove(&reply.id);
            let place = place.with_context(|| format!("an answer to nothing: {reply:?}"))?;
            self.sent[place].outcome = if matches!(reply.body, ReplyBody::Publish) {
                Outcome::Acked
            } else {
                Outcome::Refused
            };
        }
        Ok(())
    }
}

/// A moment in the clock of payloads.
///
/// That clock is read first: a pause before the other is read makes the moment too early and deliveries too long, never
/// shorter than their floor. Of several readings the latest has the shortest pause.
fn time_of(moment: Instant) -> u64 {
    let reading = |_| time_at(moment, payload::now(), Instant::now());
    (0..READINGS).map(reading).max().unwrap_or_default()
}

/// A moment in the clock of payloads, when that says `time` at `now`.
fn time_at(moment: Instant, time: u64, now: Instant) -> u64 {
    let late = nanos(now.saturating_duration_since(moment));
    let early = nanos(moment.saturating_duration_since(now));
    time + early - late
}

/// The last acknowledged message of each feed in each channel, of what each feed has sent.
pub(crate) fn last_acked(sent: &[Vec<Sent>]) -> Vec<Sent> {
    let of_feed = |sent: &Vec<Sent>| {
        let acked = sent.iter().filter(|sent| sent.is_acked());
        let last: BTreeMap<usize, Sent> = acked.map(|sent| (sent.channel, *sent)).collect();
        last.into_values()
    };
    sent.iter().flat_map(of_feed).collect()
}

/// A duration in the unit of payloads' times.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_moment_has_the_same_distance_in_both_clocks() {
        let now = Instant::now();
        let time = 10 * nanos(SECOND);
        assert_eq!(time_at(now + SECOND, time, now), 11 * nanos(SECOND));
        assert_eq!(time_at(now, time, now + SECOND), 9 * nanos(SECOND));
    }

    #[test]
    fn a_pause_between_the_readings_makes_a_moment_earlier_never_later() {
        let now = Instant::now();
        let time = 10 * nanos(SECOND);
        for moment in [now, now + SECOND / 2, now + SECOND * 2] {
            let exact = time_at(moment, time, now);
            assert_eq!(time_at(moment, time, now + SECOND), exact - nanos(SECOND));
        }
    }

    #[test]
    fn the_time_of_a_moment_is_not_after_it() {
        for _ in 0..100 {
            let moment = Instant::now();
            assert!(time_of(moment) <= payload::now());
        }
    }
}
