//! Reads what came after a position from the channel's history, where the edge doesn't give it with the subscription:
//! it is more than a subscription may carry, or something of it isn't kept any more.

use std::time::Duration;

use trunkline_protocol::message::{HistoryRequest, HistoryResult, StreamPosition, SubscribeResult};
use trunkline_protocol::{ErrorCode, ReplyBody, Request};

use super::feed::Feed;
use super::position::Position;
use super::printer::Printer;
use super::reader::{Stop, print, tell, tell_missing};
use crate::client::{Client, ClientError};

/// Publications asked for at a time; the edge may give fewer.
const PAGE: i32 = 300;

/// Empty pages before the channel's end after which what lies between counts as not kept.
///
/// A page is cut to what the connection's queue at the edge has room for, which may be nothing while pushes fill it: it
/// empties by what is read meanwhile.
const EMPTY_MAX: u32 = 5;

/// Wait after such a page.
const EMPTY_WAIT: Duration = Duration::from_millis(100);

/// Prints what is kept after the feed's position, up to the channel's end; what can't be had is told.
pub(super) async fn fill(
    feed: &mut Feed,
    client: &mut Client,
    joined: &SubscribeResult,
    printer: &mut Printer,
) -> Result<(), Stop> {
    let mut empty = 0;
    loop {
        match page(feed, client).await {
            Ok(page) => {
                empty = if page.publications.is_empty() {
                    empty + 1
                } else {
                    0
                };
                if empty > 0 && empty < EMPTY_MAX && offset(feed) < page.offset {
                    tokio::time::sleep(EMPTY_WAIT).await;
                } else if take(feed, &page, printer).await? {
                    return Ok(());
                }
            }
            Err(ClientError::Refused { error, .. })
                if error.code == ErrorCode::UnrecoverablePosition.code() =>
            {
                begin_anew(feed);
            }
            Err(ClientError::Refused { error, .. }) if !error.temporary => {
                let (code, message) = (error.code, &error.message);
                let offset = offset(feed);
                tell(&format!(
                    "{}: what came after offset {offset} can't be read: {code} {message}",
                    feed.channel
                ));
                skip_to(feed, joined);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn page(feed: &Feed, client: &mut Client) -> Result<HistoryResult, ClientError> {
    let request = Request::History(HistoryRequest {
        channel: feed.channel.clone(),
        limit: PAGE,
        since: Some(StreamPosition {
            offset: offset(feed),
            epoch: feed.epoch().to_owned(),
        }),
        reverse: false,
    });
    let what = format!("{}: history", feed.channel);
    if let ReplyBody::History(page) = client.call(&what, request).await? {
        Ok(page)
    } else {
        Err(ClientError::Protocol(format!("{what}: the answer is none")))
    }
}

/// Prints a page; true where it was the last one.
async fn take(feed: &mut Feed, page: &HistoryResult, printer: &mut Printer) -> Result<bool, Stop> {
    if offset(feed) > page.offset {
        tell(&format!(
            "{}: offset {} is beyond the channel's end, {}",
            feed.channel,
            offset(feed),
            page.offset
        ));
    }
    feed.on_page(&page.epoch);
    for publication in &page.publications {
        let place = feed.on_history(publication);
        print(feed, place, publication, printer).await?;
    }
    let last = page.publications.last();
    if last.is_some_and(|last| last.offset < page.offset) {
        return Ok(false);
    }
    let missing = feed.on_history_end(Position {
        offset: page.offset,
        epoch: page.epoch.clone(),
    });
    tell_missing(feed, &missing);
    Ok(true)
}

/// The channel is numbered anew: all that is kept is new.
fn begin_anew(feed: &mut Feed) {
    tell(&format!(
        "{}: begins anew with another epoch; what came after offset {} of epoch {} is lost",
        feed.channel,
        offset(feed),
        feed.epoch()
    ));
    feed.on_epoch("");
}

/// Goes on with what is published from now on.
fn skip_to(feed: &mut Feed, joined: &SubscribeResult) {
    if !joined.epoch.is_empty() {
        feed.position = Some(Position {
            offset: joined.offset,
            epoch: joined.epoch.clone(),
        });
    }
}

fn offset(feed: &Feed) -> u64 {
    feed.position.as_ref().map_or(0, |position| position.offset)
}
