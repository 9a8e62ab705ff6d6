//! A relay's thread: with it the relay's delays don't depend on how busy its caller is.

use std::io;
use std::thread::JoinHandle;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// A thread that works until this is dropped.
#[derive(Debug)]
pub(super) struct RelayThread {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RelayThread {
    /// Starts work on a thread; what it has spawned ends with it.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(
        name: String,
        runtime: Runtime,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let run = async {
            tokio::select! {
                _ = stopped => {}
                () = work => {}
            }
        };
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || runtime.block_on(run))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for RelayThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has ended by a panic at worst, which it has told itself.
            let _ = thread.join();
        }
    }
}
