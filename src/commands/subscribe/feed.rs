//! One channel as its reader sees it: what has been printed, and what follows.

use std::cmp::Ordering;

use trunkline_protocol::message::{Publication, SubscribeRequest, SubscribeResult};

use super::position::Position;

/// Where the reader of a channel stands.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) channel: String,
    /// What has been seen; nothing before the first answer, and in channels that number nothing.
    pub(super) position: Option<Position>,
    /// Whether the edge watches the position, so that each offset comes once, after the one before.
    tracked: bool,
    /// The end of the last read of history, where nobody watches the position: live ones may repeat it.
    read_to: u64,
}

/// What a publication is to the reader.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The next one, as far as is known.
    Next,
    /// One that has been printed.
    Seen,
    /// A later one; these are missing.
    After { first: u64, last: u64 },
}

/// What an answer to a subscribe leaves to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// Nothing: what is published follows.
    Live,
    /// What came after the position isn't given with it: history may have it.
    Behind,
    /// Something may have been missed, and nobody can tell what.
    Unknown,
}

impl Feed {
    pub(super) fn new(channel: &str, since: Option<&Position>) -> Self {
        Self {
            channel: channel.to_owned(),
            position: since.cloned(),
            tracked: false,
            read_to: 0,
        }
    }

    pub(super) fn request(&self) -> SubscribeRequest {
        let position = self.position.clone().unwrap_or_default();
        SubscribeRequest {
            channel: self.channel.clone(),
            positioned: true,
            recoverable: true,
            recover: self.position.is_some(),
            offset: position.offset,
            epoch: position.epoch,
            ..SubscribeRequest::default()
        }
    }

    /// Takes the answer, without its publications; `again` when it isn't the first.
    pub(super) fn on_subscribed(&mut self, result: &SubscribeResult, again: bool) -> Joined {
        self.tracked = result.positioned || result.recoverable;
        match &mut self.position {
            Some(position) if result.recovered => {
                position.epoch.clone_from(&result.epoch);
                Joined::Live
            }
            Some(_) => Joined::Behind,
            None if self.tracked => {
                self.position = Some(Position {
                    offset: result.offset,
                    epoch: result.epoch.clone(),
                });
                Joined::Live
            }
            None if again => Joined::Unknown,
            None => Joined::Live,
        }
    }

    /// Takes a publication of the edge, live or recovered.
    pub(super) fn on_publication(&mut self, publication: &Publication) -> Place {
        let offset = publication.offset;
        if offset == 0 {
            return Place::Next;
        }
        let place = match &self.position {
            Some(position) if self.tracked => place_after(position.offset, offset),
            Some(_) if offset <= self.read_to => Place::Seen,
            // A smaller offset than before is of a new numbering: nothing is known to be missing.
            Some(position) if offset > position.offset => place_after(position.offset, offset),
            Some(_) | None => Place::Next,
        };
        if place != Place::Seen {
            self.advance(offset);
        }
        place
    }

    /// Takes the epoch of a page of the channel's history.
    pub(super) fn on_page(&mut self, epoch: &str) {
        epoch.clone_into(&mut self.position.get_or_insert_default().epoch);
    }

    /// Takes a publication of the channel's history. What was dropped before the first of all is not missing.
    pub(super) fn on_history(&mut self, publication: &Publication) -> Place {
        let position = self.position.clone().unwrap_or_default();
        let place = match place_after(position.offset, publication.offset) {
            Place::After { .. } if position.offset == 0 => Place::Next,
            place @ (Place::Next | Place::Seen | Place::After { .. }) => place,
        };
        if place != Place::Seen {
            self.advance(publication.offset);
        }
        place
    }

    /// Takes the end of the channel's history: everything up to it has been seen, or isn't kept.
    pub(super) fn on_history_end(&mut self, top: Position) -> Place {
        let position = self.position.clone().unwrap_or_default();
        self.read_to = if self.tracked { 0 } else { top.offset };
        let missing = Place::After {
            first: position.offset + 1,
            last: top.offset,
        };
        let place = if position.offset > 0 && position.offset < top.offset {
            missing
        } else {
            Place::Next
        };
        self.position = Some(top);
        place
    }

    /// Begins anew in another numbering.
    pub(super) fn on_epoch(&mut self, epoch: &str) {
        self.position = Some(Position {
            offset: 0,
            epoch: epoch.to_owned(),
        });
    }

    pub(super) fn epoch(&self) -> &str {
        self.position
            .as_ref()
            .map_or("", |position| &position.epoch)
    }

    fn advance(&mut self, offset: u64) {
        if offset > self.read_to {
            self.read_to = 0;
        }
        self.position.get_or_insert_default().offset = offset;
    }
}

fn place_after(seen: u64, offset: u64) -> Place {
    match offset.cmp(&(seen + 1)) {
        Ordering::Less => Place::Seen,
        Ordering::Equal => Place::Next,
        Ordering::Greater => Place::After {
            first: seen + 1,
            last: offset - 1,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(offset: u64) -> Position {
        Position {
            offset,
            epoch: "e".to_owned(),
        }
    }

    fn publication(offset: u64) -> Publication {
        Publication {
            offset,
            ..Publication::default()
        }
    }

    fn result(offset: u64, recovered: bool) -> SubscribeResult {
        SubscribeResult {
            recoverable: true,
            positioned: true,
            recovered,
            offset,
            epoch: "e".to_owned(),
            ..SubscribeResult::default()
        }
    }

    fn joined(since: Option<&Position>, result: &SubscribeResult) -> (Feed, Joined) {
        let mut feed = Feed::new("chat:1", since);
        let joined = feed.on_subscribed(result, false);
        (feed, joined)
    }

    #[test]
    fn without_a_position_it_begins_at_the_end() {
        let (mut feed, joined) = joined(None, &result(7, false));
        assert_eq!(joined, Joined::Live);
        assert_eq!(feed.position, Some(position(7)));
        assert_eq!(feed.on_publication(&publication(7)), Place::Seen);
        assert_eq!(feed.on_publication(&publication(8)), Place::Next);
        assert!(feed.request().recover);
    }

    #[test]
    fn what_is_missing_is_told() {
        let (mut feed, _) = joined(None, &result(7, false));
        let missing = Place::After { first: 8, last: 9 };
        assert_eq!(feed.on_publication(&publication(10)), missing);
        assert_eq!(feed.on_publication(&publication(11)), Place::Next);
    }

    #[test]
    fn what_is_not_recovered_is_read_from_history() {
        let (mut feed, joined) = joined(Some(&position(2)), &result(9, false));
        assert_eq!(joined, Joined::Behind);
        assert_eq!(feed.on_history(&publication(3)), Place::Next);
        let missing = Place::After { first: 4, last: 5 };
        assert_eq!(feed.on_history(&publication(6)), missing);
        let missing = Place::After { first: 7, last: 9 };
        assert_eq!(feed.on_history_end(position(9)), missing);
        assert_eq!(feed.on_publication(&publication(9)), Place::Seen);
        assert_eq!(feed.on_publication(&publication(10)), Place::Next);
    }

    #[test]
    fn from_0_on_nothing_is_missing_that_is_not_kept() {
        let (mut feed, _) = joined(Some(&Position::default()), &result(9, false));
        assert_eq!(feed.on_history(&publication(6)), Place::Next);
        assert_eq!(feed.on_history(&publication(7)), Place::Next);
        let mut empty = Feed::new("chat:1", Some(&Position::default()));
        assert_eq!(empty.on_history_end(position(9)), Place::Next);
    }

    #[test]
    fn where_nobody_watches_the_position_history_is_not_printed_twice() {
        let (mut feed, joined) = joined(Some(&position(2)), &SubscribeResult::default());
        assert_eq!(joined, Joined::Behind);
        assert_eq!(feed.on_history(&publication(3)), Place::Next);
        assert_eq!(feed.on_history_end(position(3)), Place::Next);
        assert_eq!(feed.on_publication(&publication(3)), Place::Seen);
        assert_eq!(feed.on_publication(&publication(4)), Place::Next);
        // A new numbering.
        assert_eq!(feed.on_publication(&publication(1)), Place::Next);
    }

    #[test]
    fn a_channel_that_keeps_nothing_says_so_after_a_loss() {
        let (mut feed, first) = joined(None, &SubscribeResult::default());
        assert_eq!(first, Joined::Live);
        assert_eq!(feed.on_publication(&publication(0)), Place::Next);
        assert_eq!(
            feed.on_subscribed(&SubscribeResult::default(), true),
            Joined::Unknown
        );
    }
}
