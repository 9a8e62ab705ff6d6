//! A history page as it came, and whether pages that were walked are a channel's messages without a hole.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::payload::Numbered;

/// What of a page's body is looked at.
#[derive(Debug, Deserialize)]
struct Body {
    channel: String,
    epoch: String,
    messages: Vec<Message>,
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Message {
    offset: u64,
    data: Numbered,
}

/// A page whose messages follow each other, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    epoch: String,
    highest: u64,
    lowest: u64,
    /// The address of the page of older messages, relative to the channel's.
    pub(super) next: Option<String>,
}

impl Page {
    /// Reads a page of a channel into which each message was published with its offset as its number.
    ///
    /// # Errors
    /// When it is no page of the channel, is empty, or a message in it is missing, doubled or another one.
    pub(super) fn read(body: &[u8], channel: &str) -> Result<Self> {
        let body: Body = serde_json::from_slice(body).context("a page")?;
        ensure!(
            body.channel == channel,
            "a page of {} came for {channel}",
            body.channel
        );
        let highest = body.messages.first().context("an empty page")?.offset;
        for (message, offset) in body.messages.iter().zip((0..=highest).rev()) {
            let (shown, number) = (message.offset, message.data.number);
            ensure!(
                shown == offset && number == offset,
                "message {number} has offset {shown} where {offset} was due"
            );
        }
        let lowest = body.messages.last().map_or(highest, |last| last.offset);
        Ok(Self {
            epoch: body.epoch,
            highest,
            lowest,
            next: body.next,
        })
    }
}

/// A walk from the newest message back to the first.
#[derive(Debug)]
pub(super) struct Walk {
    /// The message that the next page must begin with.
    due: u64,
    epoch: Option<String>,
}

impl Walk {
    /// A walk through a channel with so many messages.
    pub(super) const fn new(messages: u64) -> Self {
        Self {
            due: messages,
            epoch: None,
        }
    }

    /// Goes on by a page; returns where the one after it is, or nothing at the first message.
    ///
    /// # Errors
    /// When the page doesn't follow the one before it, or leads nowhere although there are older messages.
    pub(super) fn take(&mut self, page: &Page) -> Result<Option<String>> {
        let Page {
            epoch,
            highest,
            lowest,
            next,
        } = page;
        ensure!(
            *highest == self.due,
            "a page begins with {highest} where {} was due",
            self.due
        );
        let known = self.epoch.get_or_insert_with(|| epoch.clone());
        ensure!(known == epoch, "the epoch was {known}, now it is {epoch}");
        ensure!(
            next.is_some() || *lowest <= 1,
            "nothing follows message {lowest}"
        );
        self.due = lowest.saturating_sub(1);
        Ok(next.clone().filter(|_| *lowest > 1))
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use serde_json::json;

    use super::*;

    fn message(offset: u64, number: u64) -> serde_json::Value {
        json!({ "offset": offset, "data": { "t": 1, "n": number, "p": "" }, "time": 1 })
    }

    fn body(messages: &[serde_json::Value]) -> Vec<u8> {
        let body = json!({ "channel": "chat:1", "epoch": "e", "messages": messages, "next": "?before=1", "prev": null });
        serde_json::to_vec(&body).expect("JSON")
    }

    fn page(epoch: &str, offsets: RangeInclusive<u64>, leads_on: bool) -> Page {
        Page {
            epoch: epoch.to_owned(),
            highest: *offsets.end(),
            lowest: *offsets.start(),
            next: leads_on.then(|| format!("?before={}", offsets.start())),
        }
    }

    #[test]
    fn a_page_is_read_whose_messages_follow_each_other() {
        let read = Page::read(&body(&[message(3, 3), message(2, 2)]), "chat:1");
        let expected = Page {
            next: Some("?before=1".to_owned()),
            ..page("e", 2..=3, true)
        };
        assert_eq!(read.expect("whole"), expected);
    }

    #[test]
    fn a_hole_a_double_and_another_message_are_seen_within_a_page() {
        for messages in [
            &[message(3, 3), message(1, 1)][..],
            &[message(3, 3), message(3, 3)],
            &[message(3, 3), message(2, 1)],
            &[],
        ] {
            assert!(
                Page::read(&body(messages), "chat:1").is_err(),
                "{messages:?}"
            );
        }
        assert!(Page::read(&body(&[message(3, 3)]), "chat:2").is_err());
        assert!(Page::read(b"{}", "chat:1").is_err());
    }

    #[test]
    fn a_walk_ends_at_the_first_message() {
        let mut walk = Walk::new(5);
        let next = walk.take(&page("e", 3..=5, true)).expect("it begins");
        assert_eq!(next.as_deref(), Some("?before=3"));
        assert_eq!(walk.take(&page("e", 1..=2, false)).expect("it ends"), None);
    }

    #[test]
    fn what_does_not_follow_is_seen_between_pages() {
        for second in [
            page("e", 1..=1, false),
            page("e", 1..=3, false),
            page("f", 1..=2, false),
            page("e", 2..=2, false),
        ] {
            let mut walk = Walk::new(5);
            walk.take(&page("e", 3..=5, true)).expect("it begins");
            assert!(walk.take(&second).is_err(), "{second:?}");
        }
        let mut walk = Walk::new(6);
        assert!(walk.take(&page("e", 3..=5, true)).is_err(), "the newest");
    }
}
