//! Publishers that go on whatever happens: each message is sent once, and what its publisher was told of it is noted.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use trunkline_protocol::{Reply, ReplyBody};

use super::book::{Book, Fate, NUMBERS};
use crate::api::{Api, Refused};
use crate::client::{Client, PATIENCE, replies_in};
use crate::payload::{self, Numbered};
use crate::scenario::publisher::request;
use crate::target::Target;

/// Pause before a new connection after a lost one.
const RECONNECT_AFTER: Duration = Duration::from_millis(20);

/// Bytes of a payload.
const BYTES: usize = 100;

/// One publisher.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    /// Of all publishers of the run.
    pub(crate) number: u64,
    /// Channels of the run.
    pub(crate) channels: Rc<[String]>,
    /// Places of those that get a message in turn; not empty.
    pub(crate) turn: Range<usize>,
    /// From one message to the next.
    pub(crate) period: Duration,
    /// Messages of a client that are under way at the same time, at most.
    pub(crate) window: usize,
    pub(crate) book: Rc<Book>,
}

impl Publisher {
    /// Notes the next message; returns its place in the book, its channel and its payload.
    fn next(&self, count: &mut u64) -> (usize, &str, Vec<u8>) {
        let message = Numbered {
            time: payload::now(),
            number: self.number * NUMBERS + *count,
        };
        let channel = self.turn.start + *count as usize % self.turn.len();
        *count += 1;
        let place = self.book.note(message.number, channel);
        (place, &self.channels[channel], message.encode(BYTES))
    }

    /// Publishes as a client, many messages at a time, until the book says stop. After the end of a connection it tries the
    /// next of its edges, and after the last the first.
    pub(crate) async fn publish_as_client(self, edges: Vec<Target>) {
        let mut count = 0;
        for to in edges.iter().cycle() {
            if self.book.is_stopping() {
                return;
            }
            let connected = timeout(PATIENCE, Client::connect(to, None)).await;
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
    pub(crate) async fn publish_by_api(self, to: Target, key: &str) {
        let mut count = 0;
        while !self.book.is_stopping() {
            if let Ok(mut api) = Api::connect_to(&to, key).await {
                while !self.book.is_stopping() && self.call(&mut api, &mut count).await {
                    sleep(self.period).await;
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
        let mut pace = interval(self.publisher.period);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !(book.is_stopping() && self.open.is_empty()) {
            let may_send = !book.is_stopping() && self.open.len() < self.publisher.window;
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
