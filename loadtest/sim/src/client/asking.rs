//! What a client asks its edge.

use trunkline_protocol::message::{
    ConnectRequest, HistoryRequest, PresenceRequest, PublishRequest, RpcRequest, StreamPosition,
    SubscribeRequest, UnsubscribeRequest,
};
use trunkline_protocol::{Command, Request};

use super::commands::Kind;
use super::{Around, Client, Conn, State};
use crate::publisher::Attempt;
use crate::record::{Known, Label, Published};
use crate::scenario::CHANNELS;

fn name(channel: usize) -> String {
    CHANNELS[channel].name.to_owned()
}

impl Client {
    /// Sends `connect` and every wanted `subscribe` in one message, as the SDKs do.
    pub(super) fn connect(&mut self, around: &mut Around<'_>) {
        let connect = ConnectRequest {
            name: "sim".to_owned(),
            ..ConnectRequest::default()
        };
        let mut commands = vec![self.command(around, Kind::Connect, Request::Connect(connect))];
        let is_wanted = |state: State| matches!(state, State::Wanted { .. });
        let wanted: Vec<usize> = self
            .subscriptions
            .iter()
            .filter(|(_, s)| is_wanted(s.state))
            .map(|(channel, _)| *channel)
            .collect();
        for channel in wanted {
            commands.push(self.subscribe(around, channel));
        }
        self.send(around, &commands);
    }

    /// Sends `subscribe` for every channel whose time has come.
    pub(super) fn subscribe_wanted(&mut self, around: &mut Around<'_>) {
        let is_due = |state: State| matches!(state, State::Wanted { at } if at <= around.now);
        let due: Vec<usize> = self
            .subscriptions
            .iter()
            .filter(|(_, s)| is_due(s.state))
            .map(|(channel, _)| *channel)
            .collect();
        let commands: Vec<Command> = due
            .into_iter()
            .map(|channel| self.subscribe(around, channel))
            .collect();
        self.send(around, &commands);
    }

    fn subscribe(&mut self, around: &mut Around<'_>, channel: usize) -> Command {
        let from = self.subscriptions[&channel].known.clone();
        let known = from.clone().unwrap_or(Known {
            epoch: String::new(),
            offset: 0,
        });
        let request = SubscribeRequest {
            channel: name(channel),
            recover: from.is_some(),
            epoch: known.epoch,
            offset: known.offset,
            flag: 1,
            ..SubscribeRequest::default()
        };
        let command = self.command(
            around,
            Kind::Subscribe {
                channel,
                from,
                sent: around.now,
            },
            Request::Subscribe(request),
        );
        let subscription = self
            .subscriptions
            .get_mut(&channel)
            .expect("it is subscribed to");
        subscription.state = State::Asked {
            command: command.id,
        };
        command
    }

    /// Ends a subscription; not while the connect command is in flight.
    pub(crate) fn leave(&mut self, around: &mut Around<'_>, channel: usize) {
        if self.conn == Conn::Open {
            return;
        }
        let connected = self.conn == Conn::Connected;
        let Some(subscription) = self.subscriptions.get_mut(&channel) else {
            return;
        };
        let told = connected && matches!(subscription.state, State::Live | State::Asked { .. });
        subscription.state = State::Off;
        if told {
            subscription.leaving += 1;
            let request = Request::Unsubscribe(UnsubscribeRequest {
                channel: name(channel),
            });
            let command = self.command(around, Kind::Unsubscribe { channel }, request);
            self.send(around, &[command]);
        }
    }

    /// Wants a subscription again.
    pub(crate) fn come_back(&mut self, around: &mut Around<'_>, channel: usize) {
        if let Some(subscription) = self
            .subscriptions
            .get_mut(&channel)
            .filter(|s| s.state == State::Off)
        {
            subscription.state = State::Wanted { at: around.now };
            if self.conn == Conn::Connected {
                self.subscribe_wanted(around);
            }
        }
    }

    /// Sends messages to a channel; what can't be sent now isn't.
    pub(crate) fn publish(
        &mut self,
        around: &mut Around<'_>,
        channel: usize,
        messages: u64,
        ballast: u64,
    ) {
        if self.conn != Conn::Connected {
            return;
        }
        let commands: Vec<Command> = (0..messages)
            .map(|_| self.message(around, channel, ballast))
            .collect();
        self.send(around, &commands);
    }

    fn message(&mut self, around: &mut Around<'_>, channel: usize, ballast: u64) -> Command {
        self.sequence += 1;
        let publisher = u32::try_from(self.number).expect("few clients");
        let label = Label {
            publisher,
            sequence: self.sequence,
        };
        around.record.publishes.insert(
            label,
            Published {
                channel,
                connection: self.socket,
                sent: around.now,
                answer: None,
            },
        );
        let ballast = usize::try_from(self.dice.between(0, ballast)).expect("small");
        let request = PublishRequest {
            channel: name(channel),
            data: label.payload(ballast).into(),
            ..PublishRequest::default()
        };
        self.command(around, Kind::Publish(label), Request::Publish(request))
    }

    /// Sends a try of a publisher's message by rpc.
    pub(crate) fn try_by_rpc(&mut self, around: &mut Around<'_>, place: usize, tried: &Attempt) {
        let data = format!(
            r#"{{"channel":"{}","data":{},"idempotency_key":"{}"}}"#,
            name(tried.channel),
            tried.label.payload(tried.ballast),
            tried.label.key()
        );
        let request = Request::Rpc(RpcRequest {
            method: "publish".to_owned(),
            data: data.into(),
        });
        let command = self.command(around, Kind::Try(place), request);
        self.send(around, &[command]);
    }

    /// Asks for a channel's history from an offset on.
    pub(crate) fn ask_history(
        &mut self,
        around: &mut Around<'_>,
        channel: usize,
        since: Option<&Known>,
    ) {
        let since = since.map(|known| StreamPosition {
            offset: known.offset,
            epoch: known.epoch.clone(),
        });
        let request = HistoryRequest {
            channel: name(channel),
            limit: 100,
            since,
            ..HistoryRequest::default()
        };
        let command = self.command(around, Kind::History { channel }, Request::History(request));
        self.send(around, &[command]);
    }

    /// Asks who is present in a channel.
    pub(crate) fn ask_presence(&mut self, around: &mut Around<'_>, channel: usize) {
        let request = Request::Presence(PresenceRequest {
            channel: name(channel),
        });
        let command = self.command(around, Kind::Presence { channel }, request);
        self.send(around, &[command]);
    }
}
