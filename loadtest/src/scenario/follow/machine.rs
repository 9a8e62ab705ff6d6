//! The subscriber without its connection: messages in, channels to subscribe to out.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use trunkline_protocol::client::ServerMessage;
use trunkline_protocol::message::{Publication, SubscribeRequest, SubscribeResult, Unsubscribe};
use trunkline_protocol::{Push, Reply, ReplyBody, Request, UnsubscribeCode};

use super::log::{Got, Log};
use crate::payload::Numbered;

/// Pause before a channel is asked for again after a temporary error; it doubles with each in a row.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// The longest of these pauses, which a measurement of how soon a subscriber is back contains.
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(2);

/// Time of nothing but temporary errors after which the subscriber gives up: longer than any cut that is measured.
const REFUSED_MAX: Duration = Duration::from_secs(300);

/// A subscriber's channels.
#[derive(Debug)]
pub(super) struct Machine {
    channels: Vec<Channel>,
    /// Channels by the ids of subscribes that aren't answered.
    asked: BTreeMap<u32, usize>,
    ends: Vec<String>,
}

/// A channel that must be subscribed to again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Again {
    pub(super) channel: usize,
    /// How long to wait first.
    pub(super) after: Duration,
}

#[derive(Debug)]
struct Channel {
    name: String,
    /// Offset and epoch of the last message, or of the head when it first subscribed.
    position: Option<(u64, String)>,
    refused: Option<Refused>,
    log: Log,
}

/// Temporary errors in a row.
#[derive(Clone, Copy, Debug)]
struct Refused {
    /// When the first came, in the clock of payloads.
    since: u64,
    /// Pause after the next.
    pause: Duration,
}

impl Machine {
    pub(super) fn new(names: &[String]) -> Self {
        let channel = |name: &String| Channel {
            name: name.clone(),
            position: None,
            refused: None,
            log: Log::default(),
        };
        Self {
            channels: names.iter().map(channel).collect(),
            asked: BTreeMap::new(),
            ends: Vec::new(),
        }
    }

    pub(super) const fn channels(&self) -> usize {
        self.channels.len()
    }

    pub(super) fn log(&self, channel: usize) -> &Log {
        &self.channels[channel].log
    }

    pub(super) fn logs(&self) -> impl Iterator<Item = &Log> {
        self.channels.iter().map(|channel| &channel.log)
    }

    pub(super) fn ends(&self) -> &[String] {
        &self.ends
    }

    /// Whether each channel has been subscribed to at least once.
    pub(super) fn is_subscribed(&self) -> bool {
        self.channels
            .iter()
            .all(|channel| channel.position.is_some())
    }

    /// The subscribe to a channel, from its position where there is one.
    pub(super) fn request(&self, channel: usize) -> Request {
        let channel = &self.channels[channel];
        let fresh = SubscribeRequest {
            channel: channel.name.clone(),
            positioned: true,
            recoverable: true,
            ..SubscribeRequest::default()
        };
        Request::Subscribe(match &channel.position {
            None => fresh,
            Some((offset, epoch)) => SubscribeRequest {
                recover: true,
                offset: *offset,
                epoch: epoch.clone(),
                ..fresh
            },
        })
    }

    /// Subscribes have been sent: ids and channels.
    pub(super) fn on_asked(&mut self, asked: impl Iterator<Item = (u32, usize)>) {
        self.asked.extend(asked);
    }

    /// The connection has ended, and with it what was asked on it.
    pub(super) fn on_end(&mut self, why: String) {
        self.asked.clear();
        self.ends.push(why);
    }

    /// Takes a message; returns the channel that must be subscribed to again, if one must.
    ///
    /// # Errors
    /// When a subscribe is refused for good, or something isn't of the protocol.
    pub(super) fn on_message(&mut self, message: ServerMessage, now: u64) -> Result<Option<Again>> {
        match message {
            ServerMessage::Reply(reply) => self.on_reply(reply, now),
            ServerMessage::Push { channel, push } => self.on_push(&channel, push, now),
            ServerMessage::Ping | ServerMessage::Unknown { .. } => Ok(None),
        }
    }

    fn on_reply(&mut self, reply: Reply, now: u64) -> Result<Option<Again>> {
        let Some(place) = self.asked.remove(&reply.id) else {
            return Ok(None);
        };
        let channel = &mut self.channels[place];
        if let ReplyBody::Subscribe(result) = reply.body {
            channel.refused = None;
            return channel.on_subscribed(result, now).map(|()| None);
        }
        let is_temporary = matches!(&reply.body, ReplyBody::Error(error) if error.temporary);
        let Some(after) = channel.on_refused(now).filter(|_| is_temporary) else {
            bail!("subscribe to {}: {:?}", channel.name, reply.body);
        };
        Ok(Some(Again {
            channel: place,
            after,
        }))
    }

    fn on_push(&mut self, name: &str, push: Push, now: u64) -> Result<Option<Again>> {
        let place = self
            .channels
            .iter()
            .position(|channel| channel.name == name);
        let Some(place) = place else { return Ok(None) };
        let channel = &mut self.channels[place];
        match push {
            Push::Publication(publication) => channel.on_publication(&publication, now)?,
            Push::Unsubscribe(unsubscribe) => {
                channel.on_unsubscribed(&unsubscribe)?;
                return Ok(Some(Again {
                    channel: place,
                    after: Duration::ZERO,
                }));
            }
            Push::Join(_)
            | Push::Leave(_)
            | Push::Message(_)
            | Push::Subscribe(_)
            | Push::Disconnect(_)
            | Push::Refresh(_) => {}
        }
        Ok(None)
    }
}

impl Channel {
    fn on_subscribed(&mut self, result: SubscribeResult, now: u64) -> Result<()> {
        match (&self.position, result.recovered) {
            (Some((offset, _)), true) => {
                self.position = Some((*offset, result.epoch));
                self.log.on_recovered();
                for publication in &result.publications {
                    self.on_publication(publication, now)?;
                }
            }
            (before, _) => {
                if before.is_some() {
                    self.log.on_unrecovered();
                }
                self.position = Some((result.offset, result.epoch));
            }
        }
        Ok(())
    }

    /// How long to wait before the next try; nothing when there have been enough.
    fn on_refused(&mut self, now: u64) -> Option<Duration> {
        let refused = self.refused.get_or_insert(Refused {
            since: now,
            pause: AGAIN_AFTER,
        });
        let lasts = Duration::from_nanos(now.saturating_sub(refused.since));
        let pause = refused.pause;
        refused.pause = (pause * 2).min(AGAIN_AFTER_MAX);
        (lasts < REFUSED_MAX).then_some(pause)
    }

    fn on_publication(&mut self, publication: &Publication, now: u64) -> Result<()> {
        let message = Numbered::decode(&publication.data)
            .with_context(|| format!("{}: a message that isn't ours", self.name))?;
        if let Some((offset, _)) = &mut self.position {
            *offset = publication.offset;
        }
        self.log.on_message(Got {
            number: message.number,
            offset: publication.offset,
            due: message.time,
            came: now,
        });
        Ok(())
    }

    fn on_unsubscribed(&mut self, unsubscribe: &Unsubscribe) -> Result<()> {
        if unsubscribe.code != u32::from(UnsubscribeCode::InsufficientState.code()) {
            bail!(
                "{}: unsubscribed, {} {}",
                self.name,
                unsubscribe.code,
                unsubscribe.reason
            );
        }
        self.log.on_unsubscribed();
        Ok(())
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
