//! Keeps the answers of one connection in order where they must be: channel by channel.
//!
//! An answer that is ready before an earlier one of its channel waits here. What is pushed after a waiting subscribe
//! reply waits with it: clients must not see anything of a channel before that.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use trunkline_shared::Channel;

use super::outbox::Frame;
use crate::exchange::Ticket;

/// An answer of a channel, in the order of the commands.
#[derive(Debug)]
enum Place {
    /// Asked upstream.
    Asked(Ticket),
    /// Ready, behind one that isn't.
    Ready {
        frames: Vec<Frame>,
        opens_channel: bool,
    },
}

/// The answers of one connection that haven't left.
#[derive(Debug, Default)]
pub(super) struct ReplyOrder {
    channels: BTreeMap<Channel, VecDeque<Place>>,
    bytes: usize,
}

impl ReplyOrder {
    /// Whether every answer has left.
    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// Commands that aren't answered.
    pub(super) fn in_flight(&self) -> usize {
        self.channels.values().map(VecDeque::len).sum()
    }

    /// Bytes that are held back.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The tickets that are waited for.
    pub(super) fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.channels
            .values()
            .flatten()
            .filter_map(|place| match place {
                Place::Asked(ticket) => Some(*ticket),
                Place::Ready { .. } => None,
            })
    }

    /// A command of a channel was asked upstream.
    pub(super) fn ask(&mut self, channel: Channel, ticket: Ticket) {
        self.channels
            .entry(channel)
            .or_default()
            .push_back(Place::Asked(ticket));
    }

    /// A command of a channel is answered at once; gives the answer back if it may leave.
    pub(super) fn answer_now(&mut self, channel: &Channel, frame: Frame) -> Option<Frame> {
        let Some(places) = self.channels.get_mut(channel) else {
            return Some(frame);
        };
        self.bytes += frame.bytes.len();
        places.push_back(Place::Ready {
            frames: vec![frame],
            opens_channel: false,
        });
        None
    }

    /// A command that was asked upstream is answered; returns what may leave now, in order.
    ///
    /// `opens_channel` marks the reply of a subscription that is made.
    pub(super) fn answer(
        &mut self,
        channel: &Channel,
        ticket: Ticket,
        frame: Frame,
        opens_channel: bool,
    ) -> Vec<Frame> {
        let Some(places) = self.channels.get_mut(channel) else {
            return Vec::new();
        };
        let asked = |place: &Place| matches!(place, Place::Asked(other) if *other == ticket);
        if let Some(index) = places.iter().position(asked) {
            self.bytes += frame.bytes.len();
            places[index] = Place::Ready {
                frames: vec![frame],
                opens_channel,
            };
        }
        self.leave(channel)
    }

    /// Holds a push of a channel back if a subscribe reply of it hasn't left; else gives it back.
    pub(super) fn hold(&mut self, channel: &Channel, frame: Frame) -> Option<Frame> {
        let places = self.channels.get_mut(channel).into_iter().flatten().rev();
        for place in places {
            if let Place::Ready {
                frames,
                opens_channel: true,
            } = place
            {
                self.bytes += frame.bytes.len();
                frames.push(frame);
                return None;
            }
        }
        Some(frame)
    }

    /// Takes what is ready from the front.
    fn leave(&mut self, channel: &Channel) -> Vec<Frame> {
        let mut leaving = Vec::new();
        let Some(places) = self.channels.get_mut(channel) else {
            return leaving;
        };
        while let Some(Place::Ready { frames, .. }) = places.front_mut() {
            leaving.append(frames);
            places.pop_front();
        }
        if places.is_empty() {
            self.channels.remove(channel);
        }
        self.bytes -= leaving
            .iter()
            .map(|frame| Bytes::len(&frame.bytes))
            .sum::<usize>();
        leaving
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(text: &str) -> Channel {
        Channel::parse(text).expect("a valid name")
    }

    const fn frame(text: &'static str) -> Frame {
        Frame::other(Bytes::from_static(text.as_bytes()))
    }

    fn texts(frames: Vec<Frame>) -> Vec<Bytes> {
        frames.into_iter().map(|frame| frame.bytes).collect()
    }

    #[test]
    fn answers_of_one_channel_keep_the_order_of_their_commands() {
        let mut order = ReplyOrder::default();
        let a = channel("a");
        order.ask(a.clone(), Ticket(1));
        order.ask(a.clone(), Ticket(2));
        assert!(order.answer(&a, Ticket(2), frame("two"), false).is_empty());
        assert!(order.answer_now(&a, frame("three")).is_none());
        assert_eq!((order.in_flight(), order.bytes()), (3, 8));
        let left = order.answer(&a, Ticket(1), frame("one"), false);
        assert_eq!(texts(left), ["one", "two", "three"]);
        assert!(order.is_empty());
        assert_eq!(order.bytes(), 0);
    }

    #[test]
    fn answers_of_different_channels_overtake_each_other() {
        let mut order = ReplyOrder::default();
        order.ask(channel("a"), Ticket(1));
        order.ask(channel("b"), Ticket(2));
        assert_eq!(
            texts(order.answer(&channel("b"), Ticket(2), frame("b"), false)),
            ["b"]
        );
        assert!(order.answer_now(&channel("c"), frame("c")).is_some());
    }

    #[test]
    fn a_push_stays_behind_a_subscribe_reply_that_is_held_back() {
        let mut order = ReplyOrder::default();
        let a = channel("a");
        order.ask(a.clone(), Ticket(1));
        order.ask(a.clone(), Ticket(2));
        order.ask(a.clone(), Ticket(3));
        assert!(order.hold(&a, frame("too early")).is_some());
        assert!(
            order
                .answer(&a, Ticket(2), frame("subscribed"), true)
                .is_empty()
        );
        assert!(order.hold(&a, frame("push")).is_none());
        let left = order.answer(&a, Ticket(1), frame("published"), false);
        assert_eq!(texts(left), ["published", "subscribed", "push"]);
        assert!(order.hold(&a, frame("later")).is_some());
    }

    #[test]
    fn an_answer_nobody_waits_for_leaves_nothing() {
        let mut order = ReplyOrder::default();
        assert!(
            order
                .answer(&channel("a"), Ticket(9), frame("x"), false)
                .is_empty()
        );
    }
}
