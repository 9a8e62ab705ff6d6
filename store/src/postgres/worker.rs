//! A task with a connection: works on what queues in its inbox, and makes a new connection when that one is lost.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::connector::Connector;
use super::error::Fault;
use super::inbox::Inbox;
use super::session::{Purpose, Session, within};
use crate::queue::Cost;
use crate::stats::Counters;

const FIRST_DELAY: Duration = Duration::from_millis(50);

/// Short: after a fail-over nothing durable is published until a connection is tried again.
const LAST_DELAY: Duration = Duration::from_millis(500);

/// Something to be done on a connection.
pub(super) trait Work: Sized + Send + 'static {
    /// How much one go takes from the inbox.
    const BOUND: Cost;

    /// Does all of it and answers; an error when the connection can't be used any more.
    fn perform(
        batch: Vec<Self>,
        session: &Arc<Session>,
        tools: &Tools,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Answers that nothing was done.
    fn answer_away(self, why: &str);
}

/// What all tasks of a store have in common.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) connector: Arc<Connector>,
    pub(super) counters: Arc<Counters>,
    pub(super) answer_timeout: Duration,
    pub(super) ended: CancellationToken,
}

/// Starts a task on a connection; it ends when its inbox is stopped and empty.
pub(super) fn spawn<W: Work>(
    inbox: &Arc<Inbox<W>>,
    session: Session,
    purpose: Purpose,
    tools: &Tools,
) {
    inbox.attach();
    let worker = Worker {
        inbox: Arc::clone(inbox),
        purpose,
        tools: tools.clone(),
    };
    drop(tokio::spawn(worker.run(session)));
}

struct Worker<W> {
    inbox: Arc<Inbox<W>>,
    purpose: Purpose,
    tools: Tools,
}

impl<W: Work> Worker<W> {
    async fn run(self, mut session: Session) {
        loop {
            let lost = self.serve(Arc::new(session)).await;
            for item in self.inbox.detach() {
                item.answer_away("the connection to PostgreSQL is lost");
            }
            let Err(fault) = lost else { return };
            warn!(%fault, "a connection to PostgreSQL is lost");
            let Some(next) = self.reconnect().await else {
                return;
            };
            self.tools.counters.count_reopening();
            info!("connected to PostgreSQL again");
            session = next;
            self.inbox.attach();
        }
    }

    /// Works until the connection is lost; `Ok` when there will be no more work.
    async fn serve(&self, session: Arc<Session>) -> Result<(), Fault> {
        loop {
            let batch = tokio::select! {
                biased;
                () = session.ended() => return Err(Fault::Lost("closed by the server".to_owned())),
                batch = self.inbox.take(W::BOUND) => batch,
                // Last: on one of a store's connections seldom anything waits, and nobody can keep the others busy by telling.
                () = session.told() => {
                    self.on_told(&session).await?;
                    continue;
                }
            };
            match batch {
                Some(batch) => W::perform(batch, &session, &self.tools).await?,
                None => return Ok(()),
            }
        }
    }

    /// A connection listens to one thing: to births, or for heartbeats to views, which their readers look up themselves.
    async fn on_told(&self, session: &Session) -> Result<(), Fault> {
        let connector = &self.tools.connector;
        match self.purpose {
            Purpose::Write | Purpose::Read => {
                within(self.tools.answer_timeout, connector.birth.read(session)).await
            }
            Purpose::Heartbeat => {
                connector.view_changes.send_modify(|count| *count += 1);
                Ok(())
            }
        }
    }

    /// Tries until it succeeds; `None` when the store has ended.
    async fn reconnect(&self) -> Option<Session> {
        let (mut delay, mut told) = (FIRST_DELAY, String::new());
        loop {
            tokio::select! {
                () = self.tools.ended.cancelled() => return None,
                () = tokio::time::sleep(delay) => {}
            }
            match self.tools.connector.session(self.purpose).await {
                Ok(session) => return Some(session),
                Err(error) if error.to_string() == told => {}
                Err(error) => {
                    warn!(%error, "PostgreSQL can't be used yet");
                    told = error.to_string();
                }
            }
            delay = (delay * 2).min(LAST_DELAY);
        }
    }
}
