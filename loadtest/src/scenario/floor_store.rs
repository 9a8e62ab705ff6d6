//! A bare database: what waits is committed together, one row per message, synced. No store on this database can
//! acknowledge more.

use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use futures_util::future::try_join_all;
use tokio::sync::{mpsc, oneshot};

use super::publish::Answers;
use crate::args::FloorStoreArgs;
use crate::payload;
use crate::report::Report;

/// Messages of one commit: far more than submitters of a sensible run.
pub(super) const BATCH_MAX: usize = 4096;

/// A message and who waits for its commit.
pub(super) type Submitted = (Vec<u8>, oneshot::Sender<()>);

/// Measures the database alone.
///
/// # Errors
/// When the database fails.
pub(crate) async fn run(args: &FloorStoreArgs) -> Result<Report> {
    let mut report = Report::new("floor-store");
    for _ in 0..args.rounds {
        measure(args).await?.add_to(&mut report, "floor");
    }
    Ok(report)
}

/// One run on a new database.
///
/// # Errors
/// When the database fails.
pub(crate) async fn measure(args: &FloorStoreArgs) -> Result<Answers> {
    let dir = args.dir.join("loadtest-floor-store");
    ensure!(!dir.exists(), "{} is in the way", dir.display());
    let (submit, submitted) = mpsc::unbounded_channel();
    let path = dir.clone();
    let writer = std::thread::spawn(move || write(&path, submitted));
    let end = Instant::now() + Duration::from_secs_f64(args.seconds);
    let answers = RefCell::new(Answers::new());
    let submitters = (0..args.submitters).map(|_| {
        let submit = |submitted| Ok(submit.send(submitted)?);
        submit_until(end, args.bytes, submit, &answers)
    });
    let submitted = try_join_all(submitters).await;
    drop(submit);
    let written = writer.join().ok().context("the writer has died")?;
    std::fs::remove_dir_all(&dir)?;
    written?;
    submitted?;
    Ok(answers.into_inner().done())
}

/// Submits a message, waits for its commit, and so on until the end.
///
/// # Errors
/// When nobody commits any more.
pub(super) async fn submit_until(
    end: Instant,
    bytes: usize,
    submit: impl Fn(Submitted) -> Result<()>,
    answers: &RefCell<Answers>,
) -> Result<()> {
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(());
        }
        let (done, committed) = oneshot::channel();
        let message = payload::sent_at(payload::now(), bytes);
        submit((message, done)).context("the writer has died")?;
        committed.await.context("the writer has died")?;
        answers.borrow_mut().record(sent.elapsed());
    }
}

/// Commits what waits until nobody can submit any more.
fn write(path: &Path, mut submitted: mpsc::UnboundedReceiver<Submitted>) -> Result<()> {
    std::fs::create_dir_all(path)?;
    let database = Database::builder(path).worker_threads(2).open()?;
    let messages = database.keyspace("messages", KeyspaceCreateOptions::default)?;
    let mut waiting = Vec::new();
    let mut number = 0_u64;
    while submitted.blocking_recv_many(&mut waiting, BATCH_MAX) > 0 {
        let mut batch = database.batch().durability(Some(PersistMode::SyncData));
        let (rows, waits): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
        for row in rows {
            number += 1;
            batch.insert(&messages, number.to_be_bytes(), row);
        }
        batch.commit()?;
        for wait in waits {
            // Whoever has stopped waiting needs no answer.
            let _ = wait.send(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_submission_is_committed_and_answered() {
        let dir = tempfile::tempdir().expect("a directory");
        let args = FloorStoreArgs {
            dir: dir.path().to_owned(),
            submitters: 4,
            bytes: 64,
            seconds: 0.05,
            rounds: 1,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let answers = runtime.block_on(measure(&args)).expect("it commits");
        assert!(answers.count() >= 4, "{answers:?}");
    }
}
