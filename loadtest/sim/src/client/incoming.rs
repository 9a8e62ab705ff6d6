//! What a client does with what its edge sends.

use bytes::Bytes;
use serde::Deserialize;
use trunkline_protocol::client::{ServerMessage, decode_messages};
use trunkline_protocol::message::{self, HistoryResult, PresenceResult, SubscribeResult};
use trunkline_protocol::{Reply, ReplyBody};
use trunkline_shared::Instant;

use super::commands::Kind;
use super::{Act, Around, Client, Conn, State};
use crate::coverage::Event;
use crate::record::{Known, Label, Message, Outcome, Seen, Subscribed, TryEnd};

impl Client {
    /// Takes bytes of its socket.
    pub(crate) fn on_bytes(&mut self, around: &mut Around<'_>, bytes: &Bytes) {
        self.heard = around.now;
        self.reader.push(bytes);
        while let Some(frame) = self.reader.next() {
            for item in decode_messages(self.plan.encoding, &frame) {
                match item {
                    Ok(item) => {
                        for item in around.tamper.client_message(self.number, item) {
                            around
                                .trace
                                .note(around.now, || format!("client {} ← {item:?}", self.number));
                            self.on_message(around, item);
                        }
                    }
                    Err(error) => self.odd(around, &format!("undecodable message: {error}")),
                }
            }
        }
    }

    fn on_message(&mut self, around: &mut Around<'_>, message: ServerMessage) {
        match message {
            ServerMessage::Reply(reply) => self.on_reply(around, reply),
            ServerMessage::Push { channel, push } => self.on_push(around, &channel, push),
            ServerMessage::Ping => {
                let pong = Bytes::from_static(self.plan.encoding.ping());
                self.acts.push(Act::Send(pong));
            }
            ServerMessage::Unknown { id } => self.odd(around, &format!("unknown message, id {id}")),
        }
    }

    fn on_reply(&mut self, around: &mut Around<'_>, reply: Reply) {
        let Some(kind) = self.answered(around, reply.id) else {
            return;
        };
        match (kind, reply.body) {
            (Kind::Connect, ReplyBody::Connect(result)) => self.on_connected(around, result),
            (Kind::Connect, ReplyBody::Error(_)) => self.hang_up(around),
            (
                Kind::Subscribe {
                    channel,
                    from,
                    sent,
                },
                ReplyBody::Subscribe(result),
            ) => {
                let reply_of = (reply.id, sent);
                self.on_subscribed(around, reply_of, channel, from, &result);
            }
            (Kind::Subscribe { channel, .. }, ReplyBody::Error(error)) => {
                self.on_subscribe_error(around, reply.id, channel, &error);
            }
            (Kind::Unsubscribe { channel }, ReplyBody::Unsubscribe) => {
                if let Some(subscription) = self.subscriptions.get_mut(&channel) {
                    subscription.leaving = subscription.leaving.saturating_sub(1);
                }
                around
                    .record
                    .see(around.now, self.number, channel, Seen::Left);
            }
            (Kind::Publish(label), ReplyBody::Publish) => {
                self.on_published(around, label, Outcome::Acked)
            }
            (Kind::Publish(label), ReplyBody::Error(error)) => {
                self.on_published(around, label, Outcome::Refused(error.code));
            }
            (Kind::Try(place), ReplyBody::Rpc(result)) => self.on_tried(around, place, &result),
            (Kind::Try(place), ReplyBody::Error(error)) => {
                around.ended_tries.push((place, TryEnd::Refused));
                if error.code != 100 {
                    self.odd(
                        around,
                        &format!("a publish by rpc was answered with {error:?}"),
                    );
                }
            }
            (Kind::History { channel }, ReplyBody::History(result)) => {
                self.on_history(around, channel, &result)
            }
            (Kind::Presence { channel }, ReplyBody::Presence(result)) => {
                on_presence(around, channel, &result)
            }
            (Kind::History { .. } | Kind::Presence { .. }, ReplyBody::Error(_)) => {}
            (kind, body) => self.odd(around, &format!("{kind:?} was answered with {body:?}")),
        }
    }

    fn on_connected(&mut self, around: &mut Around<'_>, result: message::ConnectResult) {
        self.conn = Conn::Connected;
        self.failures = 0;
        self.id = result.client;
        self.ping = std::time::Duration::from_secs(u64::from(result.ping));
        self.next_publish = around.now + self.plan.pace;
    }

    fn on_subscribed(
        &mut self,
        around: &mut Around<'_>,
        (id, sent): (u32, Instant),
        channel: usize,
        asked: Option<Known>,
        result: &SubscribeResult,
    ) {
        let publications = result
            .publications
            .iter()
            .filter_map(|publication| self.read(around, publication));
        let publications = publications.collect();
        let reply = Subscribed {
            asked,
            recovered: result.recovered,
            positioned: result.recoverable,
            epoch: result.epoch.clone(),
            offset: result.offset,
            publications,
            edge: self.edge,
            sent,
        };
        count_recovery(around, &reply);
        let subscription = self
            .subscriptions
            .get_mut(&channel)
            .expect("it was asked for");
        if subscription.state == (State::Asked { command: id }) {
            subscription.on_subscribed(&reply);
            around
                .record
                .see(around.now, self.number, channel, Seen::Subscribed(reply));
        }
    }

    fn on_subscribe_error(
        &mut self,
        around: &mut Around<'_>,
        id: u32,
        channel: usize,
        error: &message::Error,
    ) {
        around.record.see(
            around.now,
            self.number,
            channel,
            Seen::Refused { code: error.code },
        );
        let subscription = self
            .subscriptions
            .get_mut(&channel)
            .expect("it was asked for");
        if subscription.state != (State::Asked { command: id }) {
            return;
        }
        let pause = self.dice.millis(20, 200 << subscription.failures.min(4));
        subscription.failures += 1;
        subscription.state = State::Wanted {
            at: around.now + pause,
        };
        if !error.temporary {
            self.odd(around, &format!("a subscription ended for good: {error:?}"));
        }
    }

    fn on_published(&self, around: &mut Around<'_>, label: Label, outcome: Outcome) {
        around.coverage.count(match outcome {
            Outcome::Acked => Event::Acked,
            Outcome::Refused(_) => Event::PublishError,
        });
        let publish = around
            .record
            .publishes
            .get_mut(&label)
            .expect("it was sent");
        publish.answer = Some((around.now, outcome));
        if outcome != Outcome::Acked && outcome != Outcome::Refused(100) {
            self.odd(around, &format!("a publish was answered with {outcome:?}"));
        }
    }

    fn on_tried(&self, around: &mut Around<'_>, place: usize, result: &message::RpcResult) {
        match serde_json::from_slice(&result.data) {
            Ok(known) => around.ended_tries.push((place, TryEnd::Acked(known))),
            Err(error) => self.odd(around, &format!("an rpc's answer without a place: {error}")),
        }
    }

    fn on_history(&mut self, around: &mut Around<'_>, channel: usize, result: &HistoryResult) {
        let messages: Vec<Message> = result
            .publications
            .iter()
            .filter_map(|publication| self.read(around, publication))
            .collect();
        let log = around.record.histories.entry(channel).or_default();
        log.epoch.clone_from(&result.epoch);
        log.head = result.offset;
        let last = messages.last().map(|message| message.offset);
        log.messages.extend(messages);
        if let Some(offset) = last.filter(|last| *last < result.offset) {
            self.ask_history(
                around,
                channel,
                Some(&Known {
                    epoch: result.epoch.clone(),
                    offset,
                }),
            );
        }
    }

    pub(super) fn read(
        &self,
        around: &mut Around<'_>,
        publication: &message::Publication,
    ) -> Option<Message> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(flatten)]
            label: Label,
        }
        match serde_json::from_slice::<Data>(&publication.data) {
            Ok(Data { label }) => Some(Message {
                offset: publication.offset,
                label,
            }),
            Err(error) => {
                self.odd(around, &format!("a payload that nobody sent: {error}"));
                None
            }
        }
    }

    pub(super) fn odd(&self, around: &mut Around<'_>, what: &str) {
        around
            .record
            .oddities
            .push((around.now, format!("client {}: {what}", self.number)));
    }
}

fn count_recovery(around: &mut Around<'_>, reply: &Subscribed) {
    let Some(asked) = &reply.asked else { return };
    around.coverage.count(if reply.recovered {
        Event::Recovered
    } else {
        Event::NotRecovered
    });
    if asked.epoch != reply.epoch {
        around.coverage.count(Event::EpochChange);
    }
}

fn on_presence(around: &mut Around<'_>, channel: usize, result: &PresenceResult) {
    let named = result.presence.keys().cloned().collect();
    around.record.presences.push(crate::record::Presence {
        channel,
        named,
        expected: Vec::new(),
    });
}
