//! Methods of the `rpc` command: what clients ask that the protocol has no command for.
//!
//! `publish` `{"channel", "data", "idempotency_key"}` publishes as the command does, under the same rules, and answers
//! `{"offset", "epoch"}` (`{}` where channels aren't numbered). It is for apps that try again after error 100: with the same
//! key the message is taken once.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use trunkline_protocol::message::{RpcRequest, RpcResult};
use trunkline_protocol::{ClientPayload, ErrorCode, ReplyBody};
use trunkline_shared::{IdempotencyKey, Now, Position};

use super::context::{Asked, Context};
use super::publish::Message;
use super::refusal::Deed;
use super::session::Session;

/// The parameters of `publish`; `null` is absent, but as data, where it is a value; unknown fields are ignored.
#[derive(Deserialize)]
struct PublishParams<'a> {
    channel: String,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(default)]
    idempotency_key: Option<String>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Session {
    /// Runs a method.
    pub(super) fn on_rpc(&mut self, ctx: &mut Context, now: Now, id: u32, request: &RpcRequest) {
        match &*request.method {
            "publish" => self.on_rpc_publish(ctx, now, id, &request.data),
            _ => self.reply_error(ctx, id, ErrorCode::NotAvailable),
        }
    }

    fn on_rpc_publish(&mut self, ctx: &mut Context, now: Now, id: u32, params: &Bytes) {
        let Some((channel, message)) = read_publish(params) else {
            return self.reply_error(ctx, id, ErrorCode::BadRequest);
        };
        self.in_channel(ctx, id, Deed::Publish, &channel, |session, ctx, channel| {
            session.publish(ctx, now, id, channel, message)
        });
    }
}

/// The channel and the message; `None` when they make no sense.
fn read_publish(params: &Bytes) -> Option<(String, Message)> {
    // A derived reader would take an array of the fields as well.
    if !params.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let params: PublishParams<'_> = serde_json::from_slice(params).ok()?;
    if params.channel.is_empty() {
        return None;
    }
    let key = params.idempotency_key.filter(|key| !key.is_empty());
    let key = key.map(|key| IdempotencyKey::new(key.as_bytes()));
    let data = params.data.map_or("", RawValue::get);
    let message = Message {
        data: ClientPayload::classify(Bytes::copy_from_slice(data.as_bytes())),
        kind: 0,
        key: key.transpose().ok()?,
        asked: Asked::RpcPublish,
    };
    Some((params.channel, message))
}

/// Where a publication stands.
pub(super) fn rpc_published_body(position: Option<Position>) -> ReplyBody {
    #[derive(Serialize)]
    struct Stands {
        #[serde(skip_serializing_if = "Option::is_none")]
        offset: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        epoch: Option<String>,
    }
    let stands = Stands {
        offset: position.map(|position| position.offset.0),
        epoch: position.map(|position| position.epoch.to_string()),
    };
    let data = serde_json::to_vec(&stands).expect("a number and a text");
    ReplyBody::Rpc(RpcResult { data: data.into() })
}
