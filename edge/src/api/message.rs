//! The message of a publish or broadcast: its data, its tags, and what can't be honoured yet.

use std::collections::BTreeMap;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use smol_str::SmolStr;
use trunkline_edge_core::worker::is_acceptable;
use trunkline_protocol::ClientPayload;
use trunkline_shared::rules::DataFormat;
use trunkline_shared::{
    IdempotencyKey, Now, Offset, Payload, Publication, Trace, UnixMillis, limits,
};

use super::error::ApiError;
use super::parse::{or_default, present};

/// The fields that publish and broadcast share.
#[derive(Deserialize)]
pub(super) struct MessageFields<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "or_default")]
    b64data: String,
    #[serde(default, deserialize_with = "or_default")]
    tags: BTreeMap<SmolStr, SmolStr>,
    #[serde(default, deserialize_with = "or_default")]
    skip_history: bool,
    #[serde(default, deserialize_with = "or_default")]
    idempotency_key: String,
    #[serde(default, deserialize_with = "or_default")]
    delta: bool,
    #[serde(default, deserialize_with = "or_default")]
    version: u64,
}

/// A message that may be published, its namespace willing.
pub(super) struct Message {
    data: ClientPayload,
    tags: Vec<(SmolStr, SmolStr)>,
    key: Option<IdempotencyKey>,
    skip_history: bool,
}

impl MessageFields<'_> {
    /// Checks what doesn't depend on the channel.
    ///
    /// # Errors
    /// 108 for what this edge can't honour, 107 for broken base64, data beyond 64 KiB, too many tags, or an
    /// idempotency key beyond 255 bytes.
    pub(super) fn check(self) -> Result<Message, ApiError> {
        if self.delta || self.version > 0 {
            return Err(ApiError::NotAvailable);
        }
        let data = self.data()?;
        let tag_bytes: usize = self
            .tags
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        let too_large = data.bytes().len() > limits::PAYLOAD_BYTES_MAX;
        if too_large || self.tags.len() > limits::TAGS_MAX || tag_bytes > limits::TAGS_BYTES_MAX {
            return Err(ApiError::BadRequest);
        }
        Ok(Message {
            data,
            key: self.key()?,
            skip_history: self.skip_history,
            tags: self.tags.into_iter().collect(),
        })
    }

    fn key(&self) -> Result<Option<IdempotencyKey>, ApiError> {
        if self.idempotency_key.is_empty() {
            return Ok(None);
        }
        let key = IdempotencyKey::new(self.idempotency_key.as_bytes());
        key.map(Some).map_err(|_| ApiError::BadRequest)
    }

    fn data(&self) -> Result<ClientPayload, ApiError> {
        let bytes = match self.data {
            _ if !self.b64data.is_empty() => STANDARD
                .decode(&self.b64data)
                .map_err(|_| ApiError::BadRequest)?
                .into(),
            Some(json) => Bytes::copy_from_slice(json.get().as_bytes()),
            None => Bytes::new(),
        };
        Ok(ClientPayload::classify(bytes))
    }
}

impl Message {
    /// Whether a namespace takes such data.
    pub(super) fn fits(&self, format: DataFormat) -> bool {
        is_acceptable(format, &self.data)
    }

    /// The publisher's name for it.
    pub(super) fn key(&self) -> Option<IdempotencyKey> {
        self.key.clone()
    }

    /// Whether no history is to keep it.
    pub(super) const fn skips_history(&self) -> bool {
        self.skip_history
    }

    /// Bytes of its data.
    pub(super) fn payload_bytes(&self) -> usize {
        self.data.bytes().len()
    }

    /// The publication as it begins its way.
    pub(super) fn publication(&self, now: Now) -> Publication {
        Publication {
            offset: Offset::ZERO,
            data: Payload::new(self.data.bytes().clone()),
            is_json: self.data.is_json(),
            info: None,
            tags: self.tags.clone(),
            time: UnixMillis::default(),
            origin: SmolStr::default(),
            trace: Trace {
                entered_micros: now.unix.0.saturating_mul(1000),
                ..Trace::default()
            },
        }
    }
}
