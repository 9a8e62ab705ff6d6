//! Asking upstream from outside of the workers: the server API speaks as a worker without sessions.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use trunkline_edge_core::exchange::{Answer, RefusedBecause, Ticket, ToUpstream};
use trunkline_process::Clock;
use trunkline_shared::frame::HistoryQuery;
use trunkline_shared::rules::Rules;
use trunkline_shared::{Channel, Instant, Now, Offset, Position, Publication};

/// A request for the way upstream, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The ticket that `message` names.
    pub(crate) ticket: Ticket,
    /// What is asked.
    pub(crate) message: ToUpstream,
    /// Where the answer goes; nobody may be there any more.
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// A part of a channel's history.
#[derive(Debug)]
pub(crate) struct Past {
    /// Where the channel stands.
    pub(crate) head: Position,
    /// Nothing at or below it is kept any more.
    pub(crate) floor: Offset,
    /// In the order asked.
    pub(crate) publications: Vec<Publication>,
}

/// Asks upstream; clones ask the same one.
///
/// The queue to it is unbounded: what is in it is bounded by the HTTP connections (`edge.http_connection_limit`), each
/// with one call under way. A call has one request in it of at most 1 MiB; a broadcast at most 1024, which share one
/// message and have 4 MiB of payload together.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    asks: mpsc::UnboundedSender<Ask>,
    rules: watch::Receiver<Option<Arc<Rules>>>,
    tickets: Arc<AtomicU64>,
    clock: Clock,
    deadline: Duration,
}

impl Asker {
    /// Makes one; every request is to be answered within `deadline`.
    pub(crate) fn new(
        asks: mpsc::UnboundedSender<Ask>,
        rules: watch::Receiver<Option<Arc<Rules>>>,
        clock: Clock,
        deadline: Duration,
    ) -> Self {
        Self {
            asks,
            rules,
            tickets: Arc::default(),
            clock,
            deadline,
        }
    }

    /// The rules that hold; `None` before the first have come.
    pub(crate) fn rules(&self) -> Option<Arc<Rules>> {
        self.rules.borrow().clone()
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// When a request that came now is answered at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        self.clock.instant() + self.deadline
    }

    /// Asks, and waits for the answer; `make` is given the ticket that its message must name.
    ///
    /// When the way upstream ends, the answer is [`RefusedBecause::Temporary`].
    pub(crate) async fn ask(&self, make: impl FnOnce(Ticket) -> ToUpstream + Send) -> Answer {
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = oneshot::channel();
        let sent = self.asks.send(Ask {
            ticket,
            message: make(ticket),
            reply,
        });
        drop(sent);
        answer
            .await
            .unwrap_or(Answer::Refused(RefusedBecause::Temporary))
    }

    /// Asks for history: at most `bytes_max` of what `query` names.
    ///
    /// # Errors
    /// Why there is no answer.
    pub(crate) async fn history(
        &self,
        deadline: Instant,
        channel: Channel,
        query: HistoryQuery,
        bytes_max: usize,
    ) -> Result<Past, RefusedBecause> {
        let bytes_max = u32::try_from(bytes_max).unwrap_or(u32::MAX);
        let answer = self
            .ask(|ticket| ToUpstream::History {
                ticket,
                deadline,
                channel,
                query,
                bytes_max,
            })
            .await;
        match answer {
            Answer::History {
                head,
                floor,
                publications,
            } => Ok(Past {
                head,
                floor,
                publications,
            }),
            Answer::Refused(because) => Err(because),
            Answer::Subscribed { .. }
            | Answer::Published { .. }
            | Answer::HistoryRemoved { .. }
            | Answer::Presence(_)
            | Answer::PresenceStats { .. }
            | Answer::Info(_) => Err(RefusedBecause::Temporary),
        }
    }
}

/// An asker whose way upstream answers by `script`.
#[cfg(test)]
pub(crate) fn scripted(
    rules: Option<Rules>,
    script: impl Fn(ToUpstream) -> Answer + Send + 'static,
) -> Asker {
    let (asks, mut inbox) = mpsc::unbounded_channel::<Ask>();
    tokio::spawn(async move {
        while let Some(ask) = inbox.recv().await {
            let _ = ask.reply.send(script(ask.message));
        }
    });
    let rules = watch::Sender::new(rules.map(Arc::new)).subscribe();
    Asker::new(asks, rules, Clock::start(), Duration::from_secs(4))
}
