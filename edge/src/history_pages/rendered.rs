//! A page as bytes: JSON, the same compressed, and its tags.

use std::collections::BTreeMap;
use std::io::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::value::RawValue;
use trunkline_shared::Publication;
use trunkline_shared::rules::Namespace;

use super::page::{Life, Page};
use crate::api::{ClientBody, raw};

/// Bytes of a body from which it is compressed.
const GZIP_BYTES_MIN: usize = 1 << 10;

/// A page, ready to be sent.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) plain: Body,
    /// `None` for a body that is short, or that doesn't get shorter.
    pub(super) gzip: Option<Body>,
    pub(super) is_complete: bool,
    pub(super) may_be_kept: bool,
    pub(super) life: Life,
}

/// One representation of a page.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Bytes,
    /// Its strong entity tag, quotes included.
    pub(super) etag: HeaderValue,
}

#[derive(Serialize)]
struct PageBody<'a> {
    channel: &'a str,
    epoch: String,
    messages: Vec<MessageBody<'a>>,
    next: Option<String>,
    prev: Option<String>,
}

#[derive(Serialize)]
struct MessageBody<'a> {
    offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<ClientBody<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<&'a str, &'a str>,
    /// Unix milliseconds.
    time: u64,
}

impl Rendered {
    /// Writes a page of a channel; takes time proportional to its bytes.
    pub(super) fn new(channel: &str, namespace: &Namespace, page: &Page) -> Self {
        let body = PageBody {
            channel,
            epoch: page.epoch.to_string(),
            messages: page.publications.iter().map(MessageBody::new).collect(),
            next: page.next(),
            prev: page.prev(),
        };
        let plain = serde_json::to_vec(&body).expect("numbers, text and JSON are JSON");
        let hash = URL_SAFE_NO_PAD.encode(&digest(&SHA256, &plain).as_ref()[..16]);
        Self {
            gzip: compressed(&plain).map(|bytes| Body::new(bytes, &format!("\"{hash}-gzip\""))),
            plain: Body::new(plain, &format!("\"{hash}\"")),
            is_complete: page.is_complete,
            may_be_kept: page.may_be_kept,
            life: page.life(namespace),
        }
    }

    /// Bytes that it takes in the cache.
    pub(super) fn weight(&self) -> u64 {
        let gzip = self.gzip.as_ref().map_or(0, |body| body.bytes.len());
        (self.plain.bytes.len() + gzip) as u64
    }
}

impl Body {
    fn new(bytes: Vec<u8>, etag: &str) -> Self {
        Self {
            bytes: bytes.into(),
            etag: HeaderValue::from_str(etag).expect("base64 and quotes are ASCII"),
        }
    }
}

impl<'a> MessageBody<'a> {
    fn new(publication: &'a Publication) -> Self {
        let bytes = publication.data.bytes();
        let data = raw(bytes).filter(|_| publication.is_json);
        Self {
            offset: publication.offset.0,
            b64data: data.is_none().then(|| STANDARD.encode(bytes)),
            data,
            info: publication.info.as_ref().map(ClientBody::new),
            tags: publication
                .tags
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            time: publication.time.0,
        }
    }
}

/// The bytes compressed, where that is worth it.
fn compressed(plain: &[u8]) -> Option<Vec<u8>> {
    if plain.len() < GZIP_BYTES_MIN {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(plain)
        .expect("writing to memory doesn't fail");
    let bytes = encoder.finish().expect("writing to memory doesn't fail");
    (bytes.len() < plain.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use serde_json::{Value, json};
    use trunkline_shared::{Epoch, Offset};

    use super::super::query::Place;
    use super::super::range::Range;
    use super::super::tests::publication;
    use super::*;

    fn rendered(offsets: impl Iterator<Item = u64>, head: u64) -> Rendered {
        let range = Range::of(Place::Newest, 50, Offset(head));
        let publications = offsets.map(publication).collect();
        let page = Page::new(&range, Epoch::new(7), Offset(head), publications);
        Rendered::new("chat:1", &Namespace::default(), &page)
    }

    #[test]
    fn a_page_shows_its_messages_and_neighbours() {
        let page = rendered(std::iter::once(1), 1);
        let body: Value = serde_json::from_slice(&page.plain.bytes).expect("JSON");
        let expected = json!({
            "channel": "chat:1",
            "epoch": "0000000000000007",
            "messages": [{"offset": 1, "data": {"number": 1}, "time": publication(1).time.0}],
            "next": null,
            "prev": null,
        });
        assert_eq!(body, expected);
        assert!(page.gzip.is_none(), "it is short");
    }

    #[test]
    fn data_that_is_no_json_is_base64() {
        let mut binary = publication(1);
        binary.is_json = false;
        let message = serde_json::to_value(MessageBody::new(&binary)).expect("JSON");
        assert_eq!(message["b64data"], STANDARD.encode(r#"{"number":1}"#));
        assert_eq!(message.get("data"), None);
    }

    #[test]
    fn what_is_compressed_is_the_same_and_has_a_tag_of_its_own() {
        let page = rendered((1..=50).rev(), 50);
        let gzip = page.gzip.expect("it is long");
        let mut plain = Vec::new();
        GzDecoder::new(&*gzip.bytes)
            .read_to_end(&mut plain)
            .expect("gzip");
        assert_eq!(plain, page.plain.bytes);
        assert_ne!(gzip.etag, page.plain.etag);
    }
}
