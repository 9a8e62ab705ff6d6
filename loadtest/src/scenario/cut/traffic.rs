//! The messages of a run while something else happens beside them.

use std::time::Instant;

use anyhow::{Result, bail};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, try_join_all};

use crate::scenario::feed::{Feed, Sent};
use crate::signals::Signals;

/// Feeds at work. Each is a thread of its own, so they go on while nobody waits for them.
pub(super) struct Traffic<'a> {
    feeds: LocalBoxFuture<'static, Result<Vec<Vec<Sent>>>>,
    /// What they have sent, once they have ended.
    sent: Option<Vec<Vec<Sent>>>,
    signals: &'a mut Signals,
}

impl<'a> Traffic<'a> {
    /// The traffic of these feeds, which begin when it is first waited for.
    pub(super) fn new(feeds: impl Iterator<Item = Feed>, signals: &'a mut Signals) -> Self {
        Self {
            feeds: try_join_all(feeds.map(Feed::publish)).boxed_local(),
            sent: None,
            signals,
        }
    }

    /// Lets it flow until then.
    ///
    /// # Errors
    /// When a feed fails or a signal comes, at once.
    pub(super) async fn until(&mut self, moment: Instant) -> Result<()> {
        let moment = tokio::time::sleep_until(moment.into());
        tokio::pin!(moment);
        loop {
            tokio::select! {
                () = &mut moment => return Ok(()),
                sent = &mut self.feeds, if self.sent.is_none() => self.sent = Some(sent?),
                signal = self.signals.next() => bail!(signal),
            }
        }
    }

    /// Waits for its end and tells what each feed has sent.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub(super) async fn end(self) -> Result<Vec<Vec<Sent>>> {
        match self.sent {
            Some(sent) => Ok(sent),
            None => self.signals.or(self.feeds).await,
        }
    }
}
