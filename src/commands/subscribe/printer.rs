//! Standard output on a thread of its own: a reader that doesn't read must not keep Ctrl-C from being heard.

use std::io::{self, Write};

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::{mpsc, oneshot};
use trunkline_process::Failure;

use crate::commands::output::ignore_broken_pipe;

/// Lines that wait to be written; beyond it, what comes waits at the edge, which keeps it.
const WAITING: usize = 1024;

/// Prints lines, each at once, up to a number of them.
pub(super) struct Printer {
    lines: Option<mpsc::Sender<String>>,
    ended: oneshot::Receiver<io::Result<()>>,
    left: Option<u64>,
}

/// Nothing is to be printed any more: enough is, or nobody reads.
#[derive(Debug)]
pub(super) struct Enough;

impl Printer {
    pub(super) fn start(count: Option<u64>) -> Result<Self, Failure> {
        let (lines, mut queue) = mpsc::channel::<String>(WAITING);
        let (end, ended) = oneshot::channel();
        spawn("stdout", move || {
            let mut written = Ok(());
            while written.is_ok()
                && let Some(line) = queue.blocking_recv()
            {
                written = write(&line);
            }
            drop(queue);
            let _ = end.send(ignore_broken_pipe(written));
        })?;
        Ok(Self {
            lines: Some(lines),
            ended,
            left: count,
        })
    }

    /// Hands a line over.
    ///
    /// # Errors
    /// When it was the last one, or nobody reads: there is no point in going on.
    pub(super) async fn print(&mut self, line: String) -> Result<(), Enough> {
        let lines = self.lines.as_ref().ok_or(Enough)?;
        lines.send(line).await.map_err(|_| Enough)?;
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                return Err(Enough);
            }
        }
        Ok(())
    }

    /// Waits until everything is written.
    pub(super) async fn finish(&mut self) -> Result<(), Failure> {
        self.lines = None;
        let written = (&mut self.ended).await.unwrap_or(Ok(()));
        written.map_err(|error| Failure::Run(format!("standard output: {error}")))
    }
}

fn write(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Resolves when the reader of a pipe has gone away, also while there is nothing to print.
pub(super) fn reader_gone() -> Result<oneshot::Receiver<()>, Failure> {
    let (gone, wait) = oneshot::channel();
    spawn("stdout-reader", move || {
        let out = io::stdout();
        loop {
            // No event is asked for: the loss of the other end is told all the same.
            let mut fds = [PollFd::new(&out, PollFlags::empty())];
            let polled = poll(&mut fds, None);
            let lost = fds[0].revents().intersects(PollFlags::ERR);
            match polled {
                Ok(_) if lost => break,
                // Something else than a pipe, which has nothing to tell.
                Ok(_) => return std::mem::forget(gone),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return std::mem::forget(gone),
            }
        }
        drop(gone);
    })?;
    Ok(wait)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    let spawned = thread.spawn(work);
    spawned
        .map(drop)
        .map_err(|error| Failure::Run(format!("thread {name}: {error}")))
}
