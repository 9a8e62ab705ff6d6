//! Keeps an edge linked to one node: dials, waits for the end, dials again.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::client::LinkClient;
use crate::connect_error::ConnectError;
use crate::end::LinkEnd;
use crate::hello::Introduction;
use crate::link::EdgeLink;

/// What a [`Dialer`] reports.
#[expect(
    clippy::large_enum_variant,
    reason = "one event per link or attempt, moved once"
)]
pub enum DialEvent {
    /// A link is up; start it.
    Up(EdgeLink),
    /// The link that was up has ended; its sink has been told before.
    Down(LinkEnd),
    /// An attempt failed; the next one is made after a wait.
    Failed {
        /// Why.
        error: ConnectError,
        /// How long the next attempt waits.
        retry_in: Duration,
    },
}

/// Keeps trying to have a link to the node at one address.
///
/// Waits between attempts are `reconnect_min` doubling to `reconnect_max` with full jitter. They begin anew after a
/// link that stood for at least `reconnect_max`, so that one that is closed as soon as it is up doesn't spin.
pub struct Dialer {
    client: LinkClient,
    address: String,
    introduce: Box<dyn Fn() -> Introduction + Send + Sync>,
    backoff: Backoff,
    next: Next,
}

enum Next {
    Dial(Duration),
    WaitForEnd {
        since: Instant,
        end: Pin<Box<dyn Future<Output = LinkEnd> + Send + Sync>>,
    },
}

impl Dialer {
    /// Makes one for `address` (`host:port`); `introduce` is asked for each hello. Nothing is dialled before
    /// [`next`](Self::next).
    pub fn new(
        client: LinkClient,
        address: String,
        introduce: impl Fn() -> Introduction + Send + Sync + 'static,
    ) -> Self {
        let backoff = Backoff::new(client.config());
        Self {
            client,
            address,
            introduce: Box::new(introduce),
            backoff,
            next: Next::Dial(Duration::ZERO),
        }
    }

    /// The address that it dials.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Works until the next event: makes the attempt that is due, or waits for the end of the link that is up.
    ///
    /// Dropping the future drops the attempt or the wait in progress; the next call begins it anew.
    pub async fn next(&mut self) -> DialEvent {
        match &mut self.next {
            Next::Dial(wait) => {
                tokio::time::sleep(*wait).await;
                self.dial().await
            }
            Next::WaitForEnd { since, end } => {
                let end = end.await;
                let stood = since.elapsed();
                self.on_end(stood);
                DialEvent::Down(end)
            }
        }
    }

    async fn dial(&mut self) -> DialEvent {
        match self.client.connect(&self.address, (self.introduce)()).await {
            Ok(link) => {
                self.next = Next::WaitForEnd {
                    since: Instant::now(),
                    end: Box::pin(link.end()),
                };
                DialEvent::Up(link)
            }
            Err(error) => DialEvent::Failed {
                error,
                retry_in: self.plan(),
            },
        }
    }

    fn on_end(&mut self, stood: Duration) {
        if stood >= self.client.config().reconnect_max {
            self.backoff.reset();
        }
        self.plan();
    }

    fn plan(&mut self) -> Duration {
        let wait = self
            .backoff
            .next_wait(getrandom::u32().expect("the system has randomness"));
        self.next = Next::Dial(wait);
        wait
    }
}
