//! Publishers that go on whatever happens: each message is sent once, and what its publisher was told of it is noted.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use trunkline_protocol::{Reply, ReplyBody};

use super::book::{Book, Fate, NUMBERS};
use super::config::API_KEY;
use crate::api::{Api, Refused};
use crate::client::{Client, PATIENCE, replies_in};
use crate::payload::{self, Numbered};
use crate::scenario::publisher::request;
use crate::target::Target;

/// From one message of a publisher to the next.
const PERIOD: Duration = Duration::from_millis(4);

/// Messages of a client that are under way at the same time, at most.
const WINDOW: usize = 64;

/// Pause before a new connection after a lost one.
const RECONNECT_AFTER: Duration = Duration::from_millis(20);

/// Bytes of a payload.
const BYTES: usize = 100;

/// One publisher.
#[derive(Clone, Debug)]
pub(super) struct Publisher {
    /// Of all publishers of the run.
    pub(super) number: u64,
    /// Each gets a message in turn.
    pub(super) channels: Rc<[String]>,
    pub(super) book: Rc<Book>,
}

impl Publisher {
    /// Notes the next message; returns its place in the book, its channel and its payload.
    fn next(&self, count: &mut u64) -> (usize, &str, Vec<u8>) {
        let message = Numbered {
            time: payload::now(),
            number: self.number * NUMBERS + *count,
        };
        let channel = *count as usize % self.channels.len();
        *count += 1;
        let place = self.book.note(message.number, channel);
        (place, &self.channels[channel], message.encode(BYTES))
    }

    /// Publishes as a client, many messages at a time, until the book says stop.
    pub(super) async fn publish_as_client(self, to: Target) {
        let mut count = 0;
        while !self.book.is_stopping() {
            let connected = timeout(PATIENCE, Client::connect(&to, None)).await;
            if let Ok(Ok(client)) = connected {
                let mut session = Session {
                    publisher: &self,
                    client,
                    open: BTreeMap::new(),
                };
                let _ = session.publish(&mut count).await;
                session.cut_off();
            }
            sleep(RECONNECT_AFTER).await;
        }
    }

    /// Publishes by the server API, one message at a time, until the book says stop.
    pub(super) async fn publish_by_api(self, to: Target) {
        let mut count = 0;
        while !self.book.is_stopping() {
            if let Ok(mut api) = Api::connect_to(&to, API_KEY).await {
                while !self.book.is_stopping() && self.call(&mut api, &mut count).await {
                    sleep(PERIOD).await;
                }
            }
            sleep(RECONNECT_AFTER).await;
        }
    }

    /// Whether the connection still stands.
    async fn call(&self, api: &mut Api, count: &mut u64) -> bool {
        let (place, channel, payload) = self.next(count);
        let answer = api.publish(channel, &payload).await;
        let fate = match &answer {
            Ok(()) => Fate::Acked,
            Err(error) => match error.downcast_ref::<Refused>() {
                Some(refused) if refused.is_temporary() => Fate::Refused,
                Some(_) => Fate::RefusedForGood,
                None => Fate::CutOff,
            },
        };
        self.book.settle(place, fate);
        fate != Fate::CutOff
    }
}

/// A client's connection.
struct Session<'a> {
    publisher: &'a Publisher,
    client: Client,
    /// Places in the book by ids of commands that aren't answered.
    open: BTreeMap<u32, usize>,
}

impl Session<'_> {
    async fn publish(&mut self, count: &mut u64) -> Result<()> {
        let book = &*self.publisher.book;
        let mut pace = interval(PERIOD);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !(book.is_stopping() && self.open.is_empty()) {
            let may_send = !book.is_stopping() && self.open.len() < WINDOW;
            tokio::select! {
                messages = self.client.messages() => self.note(replies_in(messages?)),
                _ = pace.tick(), if may_send => self.send(count).await?,
                () = book.stopped(), if !book.is_stopping() => {}
            }
        }
        Ok(())
    }

    async fn send(&mut self, count: &mut u64) -> Result<()> {
        let (place, channel, payload) = self.publisher.next(count);
        let request = request(channel, &Bytes::from(payload));
        let ids = self.client.send_all([request]).await;
        match ids {
            Ok(ids) => {
                self.open.insert(ids.start, place);
                Ok(())
            }
            Err(error) => {
                self.publisher.book.settle(place, Fate::CutOff);
                Err(error)
            }
        }
    }

    fn note(&mut self, replies: Vec<Reply>) {
        for reply in replies {
            if let Some(place) = self.open.remove(&reply.id) {
                self.publisher.book.settle(place, fate(&reply.body));
            }
        }
    }

    /// The connection has ended: what isn't answered never will be.
    fn cut_off(&mut self) {
        for place in std::mem::take(&mut self.open).into_values() {
            self.publisher.book.settle(place, Fate::CutOff);
        }
    }
}

/// What an answer to a publish says of it.
fn fate(answer: &ReplyBody) -> Fate {
    if matches!(answer, ReplyBody::Publish) {
        Fate::Acked
    } else if matches!(answer, ReplyBody::Error(error) if error.temporary) {
        Fate::Refused
    } else {
        Fate::RefusedForGood
    }
}
