//! A call that is made alone on a connection: a read, a claim, a change of one row.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_channel::oneshot::Sender;
use trunkline_store_core::StoreError;

use super::error::Fault;
use super::session::{Session, within};
use super::worker::{Tools, Work};
use crate::queue::Cost;
use crate::stats::Counters;

type Running = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

type Start = dyn FnOnce(Result<Arc<Session>, &str>) -> Running + Send;

/// A call that waits for a connection.
pub(super) struct Call(Box<Start>);

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}

impl Call {
    /// The work's inner result is an answer of ours, its outer one the database's.
    pub(super) fn new<T, E, F>(
        work: impl FnOnce(Arc<Session>) -> F + Send + 'static,
        answer: Sender<Result<T, E>>,
        counters: Arc<Counters>,
    ) -> Self
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Future<Output = Result<Result<T, E>, Fault>> + Send + 'static,
    {
        Self(Box::new(move |session| match session {
            Ok(session) => Box::pin(run(work(session), answer, counters)),
            Err(why) => {
                drop(answer.send(Err(StoreError::Away(why.to_owned()).into())));
                Box::pin(std::future::ready(Ok(())))
            }
        }))
    }
}

/// Answers with what the work gives; who doesn't wait any more isn't told.
async fn run<T, E: From<StoreError>>(
    work: impl Future<Output = Result<Result<T, E>, Fault>>,
    answer: Sender<Result<T, E>>,
    counters: Arc<Counters>,
) -> Result<(), Fault> {
    let (result, usable) = match work.await {
        Ok(result) => (result, Ok(())),
        Err(Fault::Data(why)) => {
            let error = StoreError::Data(why);
            counters.damage.note(&error);
            (Err(error.into()), Ok(()))
        }
        Err(fault @ (Fault::Busy(_) | Fault::Lost(_))) => {
            (Err(StoreError::from(fault.clone()).into()), Err(fault))
        }
    };
    drop(answer.send(result));
    usable
}

impl Work for Call {
    const BOUND: Cost = Cost {
        bytes: usize::MAX,
        units: 1,
    };

    async fn perform(batch: Vec<Self>, session: &Arc<Session>, tools: &Tools) -> Result<(), Fault> {
        for Self(call) in batch {
            // One that takes too long is dropped, and its answer with it: who waits for it sees that.
            within(tools.answer_timeout, call(Ok(Arc::clone(session)))).await?;
        }
        Ok(())
    }

    fn answer_away(self, why: &str) {
        drop((self.0)(Err(why)));
    }
}
