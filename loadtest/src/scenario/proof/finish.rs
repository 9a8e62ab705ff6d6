//! The end of a run's load.

use anyhow::{Context, Result};
use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::book::{Book, Fate, NUMBERS};
use crate::api::Api;
use crate::client::PATIENCE;
use crate::payload::{self, Numbered};
use crate::scenario::follow::{self, Follower};

/// Numbers of the last messages, which none of the publishers has.
const LAST: u64 = u8::MAX as u64 * NUMBERS;

/// Lets publishers end and waits for their answers, puts one more message into each channel, and waits until subscribers
/// have it.
///
/// # Errors
/// When the last messages aren't taken.
pub(crate) async fn finish(
    publishers: Vec<JoinHandle<()>>,
    book: &Book,
    channels: &[String],
    api: &mut Api,
    followers: &[Follower],
) -> Result<()> {
    book.stop();
    // One that has no answer by then is found by the proof.
    let _ = timeout(PATIENCE, join_all(publishers)).await;
    for (place, channel) in channels.iter().enumerate() {
        let number = LAST + place as u64;
        let noted = book.note(number, place);
        let message = Numbered {
            time: payload::now(),
            number,
        };
        let published = api.publish(channel, &message.encode(0)).await;
        published.with_context(|| format!("the last message of {channel}"))?;
        book.settle(noted, Fate::Acked);
    }
    let has_last =
        |follower: &Follower, place| follower.log(place, |log| log.has(LAST + place as u64));
    let has_all = |follower| (0..channels.len()).all(|place| has_last(follower, place));
    follow::settle(followers, || followers.iter().all(has_all)).await;
    Ok(())
}
