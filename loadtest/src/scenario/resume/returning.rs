//! One connection that comes back: connects, subscribes with its positions, and checks that it gets all that it missed.
//!
//! It says both in one frame, as the JavaScript SDK does, so that a round trip is enough once its socket is open.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use trunkline_protocol::message::{SubscribeRequest, SubscribeResult};
use trunkline_protocol::{ReplyBody, Request};

use crate::client::{Client, connect_request};
use crate::target::Target;

/// Where a channel stood when it was last heard of; without an epoch it never was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    epoch: String,
    offset: u64,
}

/// What a connection comes back to.
#[derive(Debug)]
pub(super) struct Returning {
    pub(super) url: Target,
    pub(super) channels: Vec<String>,
    /// The channels' places among the known ones.
    pub(super) places: Vec<usize>,
    /// Messages that each channel has had since.
    pub(super) missed: usize,
}

/// A connection that has come back.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) client: Client,
    /// From before its socket was opened until everything was there.
    pub(super) took: Duration,
    /// The part of it after its socket was open.
    pub(super) resumed_in: Duration,
    /// Where its channels stand now, by place.
    pub(super) known: Vec<(usize, Known)>,
}

impl Returning {
    /// Comes back.
    ///
    /// # Errors
    /// When anything is refused or missing.
    pub(super) async fn come(self, known: Rc<[Known]>) -> Result<Came> {
        let start = Instant::now();
        let mut client = Client::open(&self.url, None).await?;
        let opened = Instant::now();
        let channels = self.channels.iter().zip(&self.places);
        let subscribes = channels.map(|(channel, place)| subscribe(channel, &known[*place]));
        let requests = std::iter::once(connect_request()).chain(subscribes);
        let ids = client.send_all(requests).await?;
        let mut now = Vec::new();
        while now.len() < self.channels.len() {
            for reply in client.replies().await? {
                let index = reply.id.checked_sub(ids.start).map(usize::try_from);
                match index.context("an answer to nothing")?? {
                    0 => is_connected(&reply.body)?,
                    index => {
                        let place = self.places.get(index - 1);
                        let place = *place.context("an answer to nothing")?;
                        now.push((place, caught_up(&known[place], reply.body, self.missed)?));
                    }
                }
            }
        }
        Ok(Came {
            client,
            took: start.elapsed(),
            resumed_in: opened.elapsed(),
            known: now,
        })
    }
}

fn subscribe(channel: &str, known: &Known) -> Request {
    Request::Subscribe(SubscribeRequest {
        channel: channel.to_owned(),
        recover: !known.epoch.is_empty(),
        epoch: known.epoch.clone(),
        offset: known.offset,
        ..SubscribeRequest::default()
    })
}

fn is_connected(reply: &ReplyBody) -> Result<()> {
    ensure!(
        matches!(reply, ReplyBody::Connect(_)),
        "connect was answered with {reply:?}"
    );
    Ok(())
}

/// Where a channel stands after a reply, which must bring all that was missed.
fn caught_up(before: &Known, reply: ReplyBody, missed: usize) -> Result<Known> {
    let ReplyBody::Subscribe(result) = reply else {
        bail!("subscribe was answered with {reply:?}");
    };
    let SubscribeResult {
        recovered,
        was_recovering,
        publications,
        epoch,
        offset,
        ..
    } = result;
    ensure!(
        !was_recovering || recovered && publications.len() == missed,
        "{} of {missed} messages came, recovered: {recovered}",
        publications.len()
    );
    let offsets = publications.iter().map(|publication| publication.offset);
    ensure!(
        offsets.eq((before.offset..).skip(1).take(publications.len())),
        "what came doesn't follow {before:?}"
    );
    let offset = publications.last().map_or(offset, |last| last.offset);
    Ok(Known { epoch, offset })
}

#[cfg(test)]
mod tests {
    use trunkline_protocol::message::Publication;

    use super::*;

    fn reply(recovered: bool, offsets: &[u64]) -> ReplyBody {
        let publication = |offset: &u64| Publication {
            offset: *offset,
            ..Publication::default()
        };
        ReplyBody::Subscribe(SubscribeResult {
            recovered,
            was_recovering: true,
            publications: offsets.iter().map(publication).collect(),
            epoch: "e".to_owned(),
            offset: 4,
            ..SubscribeResult::default()
        })
    }

    fn known(offset: u64) -> Known {
        Known {
            epoch: "e".to_owned(),
            offset,
        }
    }

    #[test]
    fn a_position_follows_what_came() {
        let now = caught_up(&known(4), reply(true, &[5, 6]), 2).expect("all came");
        assert_eq!(now, known(6));
    }

    #[test]
    fn what_is_missing_or_has_a_hole_is_a_failure() {
        for (recovered, offsets) in [(true, &[5][..]), (true, &[5, 7]), (false, &[])] {
            assert!(caught_up(&known(4), reply(recovered, offsets), 2).is_err());
        }
    }
}
