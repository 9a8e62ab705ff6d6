//! Short ways to say what clients ask and upstream answers.

use std::sync::Arc;

use bytes::Bytes;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use trunkline_protocol::message::{
    ConnectRequest, HistoryRequest, PresenceRequest, PresenceStatsRequest, PublishRequest,
    SubRefreshRequest, SubscribeRequest, UnsubscribeRequest,
};
use trunkline_protocol::{Encoding, Request};
use trunkline_shared::{
    ClientInfo, Epoch, Offset, Payload, Position, Publication, Trace, UnixMillis,
};

use super::rig::{Rig, channel};
use crate::exchange::{Answer, Ticket, ToWorker};
use crate::shared_publication::SharedPublication;
use crate::worker::ConnId;

pub(super) const E1: Epoch = Epoch::new(1);
pub(super) const E2: Epoch = Epoch::new(2);

/// A signed token.
pub(super) fn token(claims: &Value) -> String {
    let key = EncodingKey::from_secret(b"secret");
    encode(&Header::default(), claims, &key).expect("claims that can be signed")
}

pub(super) fn connect(token: &str) -> Request {
    Request::Connect(ConnectRequest {
        token: token.to_owned(),
        ..ConnectRequest::default()
    })
}

pub(super) fn subscribe(channel: &str) -> Request {
    Request::Subscribe(SubscribeRequest {
        channel: channel.into(),
        ..SubscribeRequest::default()
    })
}

/// A subscribe from a position; `epoch` is text, as clients have it.
pub(super) fn recover(channel: &str, offset: u64, epoch: &str, flag: i64) -> Request {
    Request::Subscribe(SubscribeRequest {
        channel: channel.into(),
        recover: true,
        recoverable: true,
        offset,
        epoch: epoch.into(),
        flag,
        ..SubscribeRequest::default()
    })
}

pub(super) fn subscribe_with_token(channel: &str, claims: &Value) -> Request {
    Request::Subscribe(SubscribeRequest {
        channel: channel.into(),
        token: token(claims),
        ..SubscribeRequest::default()
    })
}

pub(super) fn sub_refresh(channel: &str, token: String) -> Request {
    let channel = channel.into();
    Request::SubRefresh(SubRefreshRequest {
        channel,
        token,
        ..SubRefreshRequest::default()
    })
}

pub(super) fn unsubscribe(channel: &str) -> Request {
    Request::Unsubscribe(UnsubscribeRequest {
        channel: channel.into(),
    })
}

pub(super) fn publish(channel: &str, data: &'static str) -> Request {
    let data = Bytes::from_static(data.as_bytes());
    Request::Publish(PublishRequest {
        channel: channel.into(),
        data,
        ..PublishRequest::default()
    })
}

pub(super) fn presence(channel: &str) -> Request {
    Request::Presence(PresenceRequest {
        channel: channel.into(),
    })
}

pub(super) fn presence_stats(channel: &str) -> Request {
    Request::PresenceStats(PresenceStatsRequest {
        channel: channel.into(),
    })
}

pub(super) fn history(channel: &str, limit: i32) -> Request {
    let channel = channel.into();
    Request::History(HistoryRequest {
        channel,
        limit,
        ..HistoryRequest::default()
    })
}

/// A publication with an offset, said to be JSON.
pub(super) fn publication(offset: u64, data: &[u8]) -> Publication {
    Publication {
        offset: Offset(offset),
        data: Payload::new(Bytes::copy_from_slice(data)),
        is_json: true,
        info: None,
        tags: Vec::new(),
        time: UnixMillis::default(),
        origin: "".into(),
        trace: Trace::default(),
    }
}

pub(super) fn shared(name: &str, epoch: Epoch, offset: u64) -> Arc<SharedPublication> {
    Arc::new(SharedPublication::new(
        channel(name),
        Some(epoch),
        publication(offset, b"1"),
    ))
}

pub(super) const fn at(epoch: Epoch, offset: u64) -> Position {
    Position {
        epoch,
        offset: Offset(offset),
    }
}

pub(super) const fn subscribed(position: Option<Position>) -> Answer {
    Answer::Subscribed {
        position,
        caught_up: None,
    }
}

pub(super) fn client(user: &str, id: &str) -> ClientInfo {
    ClientInfo {
        user: user.into(),
        client: id.into(),
        conn_info: Payload::default(),
        chan_info: Payload::default(),
    }
}

impl Rig {
    /// A connection of nobody.
    pub(super) fn connected(&mut self, encoding: Encoding) -> ConnId {
        self.connected_with(encoding, "")
    }

    /// A connection of a user.
    pub(super) fn user(&mut self, user: &str) -> ConnId {
        self.connected_with(Encoding::Json, &token(&json!({"sub": user})))
    }

    pub(super) fn connected_with(&mut self, encoding: Encoding, token: &str) -> ConnId {
        let conn = self.open(encoding);
        self.send(conn, [(1, connect(token))]);
        let lines = self.lines(conn);
        assert!(
            lines.len() == 1 && lines[0].starts_with("1 connect"),
            "{lines:?}"
        );
        conn
    }

    /// Subscribes at a position, with everything answered.
    #[track_caller]
    pub(super) fn subscribed_at(&mut self, conn: ConnId, name: &str, position: Option<Position>) {
        self.send(conn, [(2, subscribe(name))]);
        let ticket = self.ticket();
        self.answer(ticket, subscribed(position));
        let lines = self.lines(conn);
        assert!(
            lines.len() == 1 && lines[0].starts_with("2 subscribe"),
            "{lines:?}"
        );
        self.asked();
    }

    pub(super) fn publication(&mut self, name: &str, epoch: Epoch, offset: u64) {
        self.upstream(ToWorker::Publication(shared(name, epoch, offset)));
    }

    /// A publication without an offset.
    pub(super) fn ephemeral(&mut self, name: &str, data: &[u8], is_json: bool) {
        let message = Publication {
            is_json,
            ..publication(0, data)
        };
        let shared = SharedPublication::new(channel(name), None, message);
        self.upstream(ToWorker::Publication(Arc::new(shared)));
    }

    pub(super) fn published(&mut self, ticket: Ticket) {
        self.answer(ticket, Answer::Published { position: None });
    }
}
