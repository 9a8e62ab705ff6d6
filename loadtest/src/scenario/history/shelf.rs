//! Pages that were read and checked before: a page that comes again needs no more than a comparison, so that checking
//! thousands of them doesn't slow down what is measured. An address that is answered with other bytes is checked anew.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;

use super::page::Page;
use crate::http::Answer;

/// What came at an address.
#[derive(Clone, Debug)]
pub(super) struct Shelved {
    /// As it came, compressed or not.
    pub(super) body: Vec<u8>,
    pub(super) etag: String,
    pub(super) is_gzip: bool,
    pub(super) page: Page,
}

/// The pages of a channel by their addresses.
#[derive(Debug)]
pub(super) struct Shelf {
    channel: String,
    pages: BTreeMap<String, Shelved>,
}

impl Shelf {
    pub(super) fn new(channel: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            pages: BTreeMap::new(),
        }
    }

    /// All that was read, by address.
    pub(super) const fn pages(&self) -> &BTreeMap<String, Shelved> {
        &self.pages
    }

    /// Checks what came at an address.
    ///
    /// # Errors
    /// When it is no page of the channel, or has no name for its content.
    pub(super) fn take(&mut self, address: &str, answer: Answer) -> Result<&Shelved> {
        ensure!(
            answer.is(200),
            "{address}: {}: {}",
            answer.status(),
            String::from_utf8_lossy(&answer.body)
        );
        let etag = answer.header("etag").context("no ETag")?;
        let is_known = self
            .pages
            .get(address)
            .is_some_and(|known| known.etag == etag && known.body == answer.body);
        if !is_known {
            let shelved = read(&self.channel, answer).with_context(|| address.to_owned())?;
            self.pages.insert(address.to_owned(), shelved);
        }
        Ok(&self.pages[address])
    }
}

fn read(channel: &str, answer: Answer) -> Result<Shelved> {
    let is_gzip = answer.header("content-encoding") == Some("gzip");
    let page = if is_gzip {
        let mut plain = Vec::new();
        GzDecoder::new(&answer.body[..]).read_to_end(&mut plain)?;
        Page::read(&plain, channel)
    } else {
        Page::read(&answer.body, channel)
    }?;
    Ok(Shelved {
        etag: answer.header("etag").unwrap_or_default().to_owned(),
        is_gzip,
        page,
        body: answer.body,
    })
}
