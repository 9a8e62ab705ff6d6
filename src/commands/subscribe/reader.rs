//! Reads channels through connections that come and go.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use trunkline_link::{Backoff, LinkConfig};
use trunkline_process::{Failure, draw_seed};
use trunkline_protocol::message::{Publication, Unsubscribe};
use trunkline_protocol::{Push, ReplyBody, Request};

use super::feed::{Feed, Joined, Place};
use super::fill::fill;
use super::line::line;
use super::position::Position;
use super::printer::{Enough, Printer};
use crate::client::{Client, ClientArgs, ClientError};

/// Longest waits before the first attempt to connect again, and before any.
const RECONNECT_MIN: Duration = Duration::from_millis(100);
const RECONNECT_MAX: Duration = Duration::from_secs(5);

/// From here on a server's unsubscribe asks for a new subscribe.
const RESUBSCRIBE: u32 = 2500;

/// Prints channels until it can't.
pub(super) struct Reader {
    pub(super) feeds: BTreeMap<String, Feed>,
    printer: Printer,
    /// Whether all channels have been subscribed to once: what is lost from then on is worth another attempt.
    joined: bool,
    last_told: String,
}

/// Why reading ends.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nobody wants more.
    Enough,
    /// It can't go on.
    Failed(ClientError),
}

impl From<Enough> for Stop {
    fn from(_: Enough) -> Self {
        Self::Enough
    }
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

impl Reader {
    pub(super) fn new(channels: &[String], since: Option<&Position>, printer: Printer) -> Self {
        let feeds = channels
            .iter()
            .map(|channel| (channel.clone(), Feed::new(channel, since)));
        Self {
            feeds: feeds.collect(),
            printer,
            joined: false,
            last_told: String::new(),
        }
    }

    /// Reads until it can't, connecting again where that may help.
    pub(super) async fn run(&mut self, target: &ClientArgs) -> Stop {
        let mut backoff = Backoff::new(&LinkConfig {
            reconnect_min: RECONNECT_MIN,
            reconnect_max: RECONNECT_MAX,
            ..LinkConfig::default()
        });
        loop {
            let Err(stop) = self.follow(target, &mut backoff).await;
            match stop {
                Stop::Failed(error) if self.joined && !error.is_final() => self.tell_loss(&error),
                stop @ (Stop::Enough | Stop::Failed(_)) => return stop,
            }
            let random = draw_seed().unwrap_or_default().to_le_bytes();
            let [a, b, c, d, ..] = random;
            tokio::time::sleep(backoff.next_wait(u32::from_le_bytes([a, b, c, d]))).await;
        }
    }

    /// Waits until what was printed is written, and says how it ended.
    pub(super) async fn end(mut self, stop: Stop) -> Result<(), Failure> {
        self.printer.finish().await?;
        match stop {
            Stop::Enough => Ok(()),
            Stop::Failed(error) => Err(error.into()),
        }
    }

    fn tell_loss(&mut self, error: &ClientError) {
        let text = format!("{error}; connecting again");
        if self.last_told != text {
            tell(&text);
            self.last_told = text;
        }
    }

    async fn follow(
        &mut self,
        target: &ClientArgs,
        backoff: &mut Backoff,
    ) -> Result<Infallible, Stop> {
        let mut client = Client::connect(target).await?;
        let channels: Vec<String> = self.feeds.keys().cloned().collect();
        for channel in &channels {
            self.subscribe(&mut client, channel).await?;
        }
        if !self.last_told.is_empty() {
            tell("connected again");
            self.last_told.clear();
        }
        self.joined = true;
        backoff.reset();
        loop {
            let (channel, push) = client.next_push().await?;
            self.on_push(&mut client, &channel, push).await?;
        }
    }

    async fn subscribe(&mut self, client: &mut Client, channel: &str) -> Result<(), Stop> {
        let again = self.joined;
        let Some(feed) = self.feeds.get_mut(channel) else {
            return Ok(());
        };
        let request = Request::Subscribe(feed.request());
        let ReplyBody::Subscribe(result) = client.call(channel, request).await? else {
            let error = format!("{channel}: the answer to subscribe is none");
            return Err(ClientError::Protocol(error).into());
        };
        match feed.on_subscribed(&result, again) {
            Joined::Live => {}
            Joined::Behind => fill(feed, client, &result, &mut self.printer).await?,
            Joined::Unknown => tell(&format!(
                "{channel}: what came while the connection was lost is not kept"
            )),
        }
        for publication in &result.publications {
            self.on_publication(channel, publication).await?;
        }
        Ok(())
    }

    async fn on_push(
        &mut self,
        client: &mut Client,
        channel: &str,
        push: Push,
    ) -> Result<(), Stop> {
        match push {
            Push::Publication(publication) => self.on_publication(channel, &publication).await,
            Push::Unsubscribe(why) if self.feeds.contains_key(channel) => {
                self.on_unsubscribe(client, channel, why).await
            }
            Push::Unsubscribe(_)
            | Push::Join(_)
            | Push::Leave(_)
            | Push::Message(_)
            | Push::Subscribe(_)
            | Push::Disconnect(_)
            | Push::Refresh(_) => Ok(()),
        }
    }

    /// The subscription is made anew where the server says that it can be; what is missing is told then.
    async fn on_unsubscribe(
        &mut self,
        client: &mut Client,
        channel: &str,
        why: Unsubscribe,
    ) -> Result<(), Stop> {
        let Unsubscribe { code, reason } = why;
        if code >= RESUBSCRIBE {
            tell(&format!(
                "{channel}: the edge ended the subscription: {code} {reason}; subscribing again"
            ));
            return self.subscribe(client, channel).await;
        }
        let channel = channel.to_owned();
        Err(ClientError::Unsubscribed {
            channel,
            code,
            reason,
        }
        .into())
    }

    async fn on_publication(
        &mut self,
        channel: &str,
        publication: &Publication,
    ) -> Result<(), Stop> {
        // Channels that the token subscribes to were not asked for here.
        let Some(feed) = self.feeds.get_mut(channel) else {
            return Ok(());
        };
        let place = feed.on_publication(publication);
        print(feed, place, publication, &mut self.printer).await
    }
}

/// Prints a publication at its place; what is missing before it is told.
pub(super) async fn print(
    feed: &Feed,
    place: Place,
    publication: &Publication,
    printer: &mut Printer,
) -> Result<(), Stop> {
    if place == Place::Seen {
        return Ok(());
    }
    tell_missing(feed, &place);
    let line = line(&feed.channel, feed.epoch(), publication)?;
    Ok(printer.print(line).await?)
}

/// Tells which offsets will not come.
pub(super) fn tell_missing(feed: &Feed, place: &Place) {
    if let Place::After { first, last } = place {
        tell(&format!(
            "{}: offsets {first} to {last} are missing, they are not kept any more",
            feed.channel
        ));
    }
}

/// Says something to the person, beside what is printed.
pub(super) fn tell(text: &str) {
    trunkline_process::tell(format_args!("trunkline: {text}"));
}
