//! A publication as all subscribers of an edge share it: encoded once per encoding.

use std::sync::OnceLock;

use bytes::Bytes;
use trunkline_protocol::{Encoding, Push, encode_push};
use trunkline_shared::{Channel, Epoch, Publication};

use crate::{convert, framing};

/// A publication of a channel, with its push for each encoding made when the first subscriber needs it.
#[derive(Debug)]
pub struct SharedPublication {
    /// Which channel.
    pub channel: Channel,
    /// The numbering that its offset belongs to; `None` for one that isn't kept.
    pub epoch: Option<Epoch>,
    /// The message.
    pub publication: Publication,
    json: OnceLock<Option<Bytes>>,
    protobuf: OnceLock<Option<Bytes>>,
}

impl SharedPublication {
    /// Wraps a publication; nothing is encoded yet.
    pub const fn new(channel: Channel, epoch: Option<Epoch>, publication: Publication) -> Self {
        Self {
            channel,
            epoch,
            publication,
            json: OnceLock::new(),
            protobuf: OnceLock::new(),
        }
    }

    /// The complete WebSocket frame of the push, the same bytes for every subscriber of the encoding.
    ///
    /// `None` where the encoding can't carry it: a payload in it isn't JSON. Such a client is closed, 3506.
    pub fn frame(&self, encoding: Encoding) -> Option<Bytes> {
        let cell = match encoding {
            Encoding::Json => &self.json,
            Encoding::Protobuf => &self.protobuf,
        };
        cell.get_or_init(|| self.encode(encoding)).clone()
    }

    fn encode(&self, encoding: Encoding) -> Option<Bytes> {
        if encoding == Encoding::Json && !self.publication.is_json {
            return None;
        }
        let push = Push::Publication(convert::publication(&self.publication));
        let message = encode_push(encoding, self.channel.as_str(), &push).ok()?;
        Some(framing::frame(encoding, &message))
    }
}

#[cfg(test)]
mod tests {
    use trunkline_shared::{Offset, Trace, UnixMillis};

    use super::*;

    fn shared(data: &'static [u8], is_json: bool) -> SharedPublication {
        let publication = Publication {
            offset: Offset(7),
            data: Bytes::from_static(data).into(),
            is_json,
            info: None,
            tags: vec![("k".into(), "v".into())],
            time: UnixMillis(5),
            origin: "".into(),
            trace: Trace::default(),
        };
        let channel = Channel::parse("chat:1").expect("a valid name");
        SharedPublication::new(channel, Some(Epoch::new(1)), publication)
    }

    #[test]
    fn the_frame_of_a_push_is_complete() {
        let frame = shared(b"{}", true).frame(Encoding::Json).expect("JSON");
        let push = br#"{"push":{"channel":"chat:1","pub":{"data":{},"offset":7,"tags":{"k":"v"},"time":5}}}"#;
        assert_eq!(frame[..2], [0x81, u8::try_from(push.len()).expect("short")]);
        assert_eq!(frame[2..], push[..]);
    }

    #[test]
    fn all_subscribers_of_an_encoding_share_the_same_bytes() {
        let shared = shared(b"{}", true);
        for encoding in Encoding::ALL {
            let [first, second] = [(); 2].map(|()| shared.frame(encoding).expect("JSON"));
            assert_eq!(first.as_ptr(), second.as_ptr());
        }
    }

    #[test]
    fn what_is_not_json_has_a_frame_in_protobuf_only() {
        let shared = shared(b"\xff", false);
        assert_eq!(shared.frame(Encoding::Json), None);
        assert!(shared.frame(Encoding::Protobuf).is_some());
    }
}
