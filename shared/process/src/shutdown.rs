//! When to stop: at a signal, when the parent goes away, or when whoever runs it says so.

use std::future::Future;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// How urgent it is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Run,
    Drain,
    AtOnce,
}

/// Tells the parts of a process when to stop; clones tell the same.
#[derive(Clone, Debug)]
pub struct Shutdown {
    stage: watch::Receiver<Stage>,
}

impl Shutdown {
    /// Stops when `asked` resolves.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn when(asked: impl Future<Output = ()> + Send + 'static) -> Self {
        let (sender, stage) = watch::channel(Stage::Run);
        tokio::spawn(async move {
            asked.await;
            sender.send_replace(Stage::Drain);
            sender.closed().await;
        });
        Self { stage }
    }

    /// Stops at SIGTERM or SIGINT, the second one at once; with `with_parent` also when standard input ends.
    ///
    /// # Errors
    /// When signals can't be listened to.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn on_signals(with_parent: bool) -> io::Result<Self> {
        let (sender, stage) = watch::channel(Stage::Run);
        let (terminate, interrupt) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        tokio::spawn(listen(sender, terminate, interrupt, with_parent));
        Ok(Self { stage })
    }

    /// Resolves when it is time to stop.
    pub async fn drain(&self) {
        self.reach(Stage::Drain).await;
    }

    /// Resolves when there is no time left to stop well.
    pub async fn at_once(&self) {
        self.reach(Stage::AtOnce).await;
    }

    async fn reach(&self, wanted: Stage) {
        let mut stage = self.stage.clone();
        if stage.wait_for(|stage| *stage >= wanted).await.is_err() {
            // Nobody is left who could ask.
            std::future::pending::<()>().await;
        }
    }
}

async fn listen(
    sender: watch::Sender<Stage>,
    mut terminate: Signal,
    mut interrupt: Signal,
    with_parent: bool,
) {
    tokio::select! {
        () = either(&mut terminate, &mut interrupt) => {}
        () = parent_gone(), if with_parent => {}
    }
    sender.send_replace(Stage::Drain);
    either(&mut terminate, &mut interrupt).await;
    sender.send_replace(Stage::AtOnce);
    sender.closed().await;
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Resolves when standard input ends.
///
/// A thread of its own reads it: tokio's reader would keep the runtime from ending while it waits.
async fn parent_gone() {
    let (gone, wait) = tokio::sync::oneshot::channel::<()>();
    let reader = std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let read = io::copy(&mut io::stdin().lock(), &mut io::sink());
            drop((read, gone));
        });
    match reader {
        Ok(_) => drop(wait.await),
        Err(error) => {
            tracing::warn!(%error, "standard input is not watched");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_drains_when_asked_and_is_not_in_a_hurry() {
        let (ask, asked) = tokio::sync::oneshot::channel::<()>();
        let shutdown = Shutdown::when(async move { drop(asked.await) });
        tokio::select! {
            biased;
            () = shutdown.drain() => panic!("nobody asked"),
            () = tokio::task::yield_now() => {}
        }
        drop(ask);
        shutdown.clone().drain().await;
        tokio::select! {
            biased;
            () = shutdown.at_once() => panic!("nobody asked twice"),
            () = tokio::task::yield_now() => {}
        }
    }
}
