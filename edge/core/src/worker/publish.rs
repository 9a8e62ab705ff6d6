//! Publishing by clients (`client-protocol.md` §8).

use trunkline_protocol::message::PublishRequest;
use trunkline_protocol::{ClientPayload, ErrorCode};
use trunkline_shared::rules::DataFormat;
use trunkline_shared::{
    Channel, IdempotencyKey, Now, Offset, Payload, Publication, Trace, UnixMillis, limits,
};

use super::channel_name;
use super::context::{Asked, Context, Pending};
use super::refusal::Deed;
use super::session::{Failure, Outcome, Session};
use crate::exchange::ToUpstream;

/// What a client wants published.
pub(super) struct Message {
    pub(super) data: ClientPayload,
    /// The protocol's type of publication; only 0 is available.
    pub(super) kind: i32,
    pub(super) key: Option<IdempotencyKey>,
    /// How it was asked, for the answer.
    pub(super) asked: Asked,
}

impl Session {
    /// Hands a publication upstream if the client may publish it.
    pub(super) fn on_publish(
        &mut self,
        ctx: &mut Context,
        now: Now,
        id: u32,
        request: PublishRequest,
    ) {
        let PublishRequest {
            channel,
            data,
            r#type,
        } = request;
        let message = Message {
            data: ClientPayload::from_client(self.encoding, data),
            kind: r#type,
            key: None,
            asked: Asked::Publish,
        };
        self.in_channel(ctx, id, Deed::Publish, &channel, |session, ctx, channel| {
            session.publish(ctx, now, id, channel, message)
        });
    }

    /// Hands a message upstream if the client may publish it, by whichever command it came.
    pub(super) fn publish(
        &self,
        ctx: &mut Context,
        now: Now,
        id: u32,
        channel: &Channel,
        message: Message,
    ) -> Result<Outcome, Failure> {
        let rules = ctx.rules.clone();
        let namespace = channel_name::namespace(rules.as_deref(), channel)?;
        if !is_acceptable(namespace.publication_data_format, &message.data) {
            return Err(ErrorCode::BadRequest.into());
        }
        if message.kind != 0 {
            return Err(ErrorCode::NotAvailable.into());
        }
        self.access(namespace, channel).check_publish()?;
        let pending = Pending {
            conn: self.conn,
            id,
            channel: channel.clone(),
            asked: message.asked,
        };
        let ticket = ctx.ask(pending);
        ctx.send(ToUpstream::Publish {
            ticket,
            deadline: ctx.deadline(now),
            channel: channel.clone(),
            key: message.key,
            skip_history: false,
            publication: self.publication(now, channel, &message.data),
        });
        Ok(Outcome::Asked(ticket))
    }

    fn publication(&self, now: Now, channel: &Channel, data: &ClientPayload) -> Publication {
        Publication {
            offset: Offset::ZERO,
            data: Payload::new(data.bytes().clone()),
            is_json: data.is_json(),
            info: Some(self.info_in(channel)),
            tags: Vec::new(),
            time: UnixMillis::default(),
            origin: "".into(),
            trace: Trace {
                entered_micros: now.unix.0.saturating_mul(1000),
                ..Trace::default()
            },
        }
    }
}

/// Whether data is of the form that its namespace wants, and at most 64 KiB.
pub fn is_acceptable(format: DataFormat, data: &ClientPayload) -> bool {
    let bytes = data.bytes();
    let fits = bytes.len() <= limits::PAYLOAD_BYTES_MAX;
    fits && match format {
        DataFormat::NotEmpty => !bytes.is_empty(),
        DataFormat::Json => data.is_json(),
        DataFormat::JsonObject => data.is_json() && bytes.trim_ascii_start().starts_with(b"{"),
        DataFormat::Binary => true,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn each_format_takes_what_it_says() {
        let texts: [&[u8]; 4] = [b"", b"\xff", b"[1]", b" {}"];
        let check = |format| {
            texts.map(|text| {
                is_acceptable(format, &ClientPayload::classify(Bytes::from_static(text)))
            })
        };
        assert_eq!(check(DataFormat::NotEmpty), [false, true, true, true]);
        assert_eq!(check(DataFormat::Json), [false, false, true, true]);
        assert_eq!(check(DataFormat::JsonObject), [false, false, false, true]);
        assert_eq!(check(DataFormat::Binary), [true; 4]);
    }

    #[test]
    fn a_payload_of_more_than_64_kib_is_too_large() {
        let data = |len| ClientPayload::classify(Bytes::from(vec![b'1'; len]));
        assert!(is_acceptable(DataFormat::Binary, &data(64 << 10)));
        assert!(!is_acceptable(DataFormat::Binary, &data((64 << 10) + 1)));
    }
}
