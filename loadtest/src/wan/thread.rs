//! A relay's thread: with it the relay's delays don't depend on how busy its caller is.

use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// A thread that works until this is dropped.
#[derive(Debug)]
pub(super) struct RelayThread {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RelayThread {
    /// Starts a thread with a runtime, prepares inside of it what it shares with its caller and what it works on, and works;
    /// what it spawns ends with it.
    ///
    /// The runtime lives and ends on the thread, since one that ends inside of another panics.
    ///
    /// # Errors
    /// When no thread can be started, or as `prepare` does.
    pub(super) fn start<T, W>(
        name: &str,
        prepare: impl FnOnce() -> io::Result<(T, W)> + Send + 'static,
    ) -> io::Result<(Self, T)>
    where
        T: Send + 'static,
        W: Future<Output = ()>,
    {
        let (stop, stopped) = oneshot::channel();
        let (prepared, shared) = mpsc::sync_channel(1);
        let run = move || run(prepare, &prepared, stopped);
        let thread = Self {
            stop: Some(stop),
            thread: Some(
                std::thread::Builder::new()
                    .name(name.to_owned())
                    .spawn(run)?,
            ),
        };
        let shared = shared.recv().map_err(io::Error::other)??;
        Ok((thread, shared))
    }
}

fn run<T, W: Future<Output = ()>>(
    prepare: impl FnOnce() -> io::Result<(T, W)>,
    prepared: &mpsc::SyncSender<io::Result<T>>,
    stopped: oneshot::Receiver<()>,
) {
    // Whoever has started this waits for either answer.
    let tell = |answer| _ = prepared.send(answer);
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tell(Err(error)),
    };
    runtime.block_on(async {
        match prepare() {
            Err(error) => tell(Err(error)),
            Ok((shared, work)) => {
                tell(Ok(shared));
                tokio::select! {
                    _ = stopped => {}
                    () = work => {}
                }
            }
        }
    });
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
