//! Lines of standard input.
//!
//! A thread of its own reads them: tokio's reader would keep the runtime from ending while it waits.

use std::io::{self, BufRead};

use tokio::sync::mpsc;
use trunkline_process::Failure;

/// Lines read ahead.
const AHEAD: usize = 64;

/// A line and its number, from 1.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) text: String,
}

/// The lines of standard input.
pub(super) struct Lines {
    queue: mpsc::Receiver<io::Result<Line>>,
}

impl Lines {
    pub(super) fn of_stdin() -> Result<Self, Failure> {
        let (sender, queue) = mpsc::channel(AHEAD);
        std::thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(move || {
                for (line, number) in io::stdin().lock().lines().zip(1..) {
                    let line = line.map(|text| Line { number, text });
                    if sender.blocking_send(line).is_err() {
                        return;
                    }
                }
            })
            .map_err(|error| Failure::Run(format!("standard input can't be read: {error}")))?;
        Ok(Self { queue })
    }

    /// The next line; none at the end. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Option<Line>, Failure> {
        let line = self.queue.recv().await.transpose();
        line.map_err(|error| Failure::Run(format!("standard input: {error}")))
    }
}
