//! Which sessions of this worker get which channel.
//!
//! The only table of it: the worker's interest upstream follows from it, and so does every delivery.

use std::collections::BTreeMap;

use trunkline_shared::{Channel, Instant, Position};

use super::ConnId;
use super::sessions::ByConn;
use super::subscription::Subscription;

/// The subscribers of one channel.
#[derive(Debug, Default)]
pub(super) struct ChannelSubscribers {
    /// Each session's subscription.
    pub(super) members: ByConn<Subscription>,
    /// Subscribes that upstream hasn't answered.
    asked: usize,
    /// Upstream has answered one, and sends the channel's publications.
    is_registered: bool,
    /// The newest publication that was delivered, and when.
    newest: Option<(Position, Instant)>,
}

impl ChannelSubscribers {
    /// A publication is delivered; a repeated one changes nothing.
    pub(super) fn advance(&mut self, now: Instant, position: Position) {
        let known = self
            .newest
            .filter(|(newest, _)| newest.epoch == position.epoch);
        if known.is_none_or(|(newest, _)| newest.offset < position.offset) {
            self.newest = Some((position, now));
        }
    }

    /// The newest publication that was delivered, and when.
    pub(super) const fn newest(&self) -> Option<(Position, Instant)> {
        self.newest
    }
}

/// The subscribers of all channels.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    channels: BTreeMap<Channel, ChannelSubscribers>,
}

impl Subscribers {
    /// A channel that somebody has, or wants.
    pub(super) fn channel(&mut self, channel: &Channel) -> Option<&mut ChannelSubscribers> {
        self.channels.get_mut(channel)
    }

    /// One session's subscription.
    pub(super) fn get(&mut self, channel: &Channel, conn: ConnId) -> Option<&mut Subscription> {
        self.channels.get_mut(channel)?.members.get_mut(&conn)
    }

    /// A subscribe goes upstream.
    pub(super) fn ask(&mut self, channel: &Channel) {
        self.channels.entry(channel.clone()).or_default().asked += 1;
    }

    /// Upstream has answered a subscribe.
    pub(super) fn answered(&mut self, channel: &Channel, is_registered: bool) {
        let entry = self.channels.entry(channel.clone()).or_default();
        entry.asked = entry.asked.saturating_sub(1);
        entry.is_registered |= is_registered;
    }

    /// A session's subscription begins.
    pub(super) fn add(&mut self, channel: &Channel, conn: ConnId, subscription: Subscription) {
        let entry = self.channels.entry(channel.clone()).or_default();
        entry.members.insert(conn, subscription);
    }

    /// A session's subscription ends.
    pub(super) fn remove(&mut self, channel: &Channel, conn: ConnId) -> Option<Subscription> {
        self.channels.get_mut(channel)?.members.swap_remove(&conn)
    }

    /// Forgets a channel that nobody has or wants; true if upstream must hear of it.
    pub(super) fn release(&mut self, channel: &Channel) -> bool {
        let unused = |entry: &&ChannelSubscribers| entry.members.is_empty() && entry.asked == 0;
        let Some(entry) = self.channels.get(channel).filter(unused) else {
            return false;
        };
        let is_registered = entry.is_registered;
        self.channels.remove(channel);
        is_registered
    }

    /// All channels, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Channel, &ChannelSubscribers)> {
        self.channels.iter()
    }

    /// Whether a channel's entry has a reason to exist.
    pub(super) fn all_are_used(&self) -> bool {
        self.channels
            .values()
            .all(|entry| entry.asked > 0 || !entry.members.is_empty())
    }

    /// Subscribes that upstream hasn't answered.
    pub(super) fn asked(&self) -> usize {
        self.channels.values().map(|entry| entry.asked).sum()
    }
}

#[cfg(test)]
mod tests {
    use trunkline_shared::{Epoch, Offset};

    use super::*;
    use crate::worker::subscription::Side;

    const fn subscription() -> Subscription {
        Subscription {
            side: Side::Client,
            positioned: false,
            position: None,
            join_leave: false,
            is_present: false,
            expire_at: None,
            awaits_telling: false,
        }
    }

    #[test]
    fn upstream_hears_when_the_last_one_has_left() {
        let mut subscribers = Subscribers::default();
        let channel = Channel::parse("chat:1").expect("a valid name");
        for conn in [ConnId(1), ConnId(2)] {
            subscribers.ask(&channel);
            subscribers.answered(&channel, true);
            subscribers.add(&channel, conn, subscription());
        }
        assert!(subscribers.remove(&channel, ConnId(1)).is_some());
        assert!(!subscribers.release(&channel));
        assert!(subscribers.remove(&channel, ConnId(2)).is_some());
        assert!(subscribers.release(&channel));
        assert!(!subscribers.release(&channel));
    }

    #[test]
    fn a_channel_that_is_still_asked_for_is_kept() {
        let mut subscribers = Subscribers::default();
        let channel = Channel::parse("chat:1").expect("a valid name");
        subscribers.ask(&channel);
        assert!(!subscribers.release(&channel));
        assert!(subscribers.channel(&channel).is_some());
    }

    #[test]
    fn the_newest_position_only_grows_within_an_epoch() {
        let mut entry = ChannelSubscribers::default();
        let at = |epoch, offset| Position {
            epoch: Epoch::new(epoch),
            offset: Offset(offset),
        };
        entry.advance(Instant::ZERO, at(1, 5));
        entry.advance(Instant::from_micros(1), at(1, 4));
        assert_eq!(entry.newest(), Some((at(1, 5), Instant::ZERO)));
        entry.advance(Instant::from_micros(2), at(2, 1));
        assert_eq!(entry.newest(), Some((at(2, 1), Instant::from_micros(2))));
    }
}
