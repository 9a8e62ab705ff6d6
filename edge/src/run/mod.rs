//! An edge's life: listen, link, serve, drain.

mod misgivings;
mod papers;
mod parts;
mod start;
mod upstream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::info;
use trunkline_process::{Clock, Ready, Shutdown};
use trunkline_shared::EdgeId;

use crate::admin::Observer;
use crate::config::EdgeConfig;
use crate::error::EdgeError;
use crate::gate::Gate;
use crate::health::Readiness;
use crate::upstream_task::Command;
use crate::worker_thread::ToThread;
use papers::Papers;
use parts::Parts;

/// How often nodes are told how the edge is doing.
const STATS_INTERVAL: Duration = Duration::from_secs(5);

/// Runs an edge until `shutdown` asks it to stop. Needs a tokio runtime of several threads.
///
/// # Errors
/// When it can't start (certificates, addresses), or one of its parts ends by itself.
pub async fn run(config: EdgeConfig, shutdown: Shutdown) -> Result<(), EdgeError> {
    log(&config);
    misgivings::tell(&config);
    let papers = Papers::read(&config)?;
    let (edge, parts) = Edge::start(Arc::new(config), papers, &shutdown).await?;
    tokio::select! {
        result = edge.serve(parts, &shutdown) => result,
        () = shutdown.at_once() => Ok(()),
    }
}

fn log(config: &EdgeConfig) {
    let EdgeConfig {
        edge,
        link,
        client,
        api,
        admin,
        log,
        ..
    } = config;
    info!(?edge, ?link, ?client, ?api, ?admin, ?log, "configuration");
}

/// A started edge.
struct Edge {
    config: Arc<EdgeConfig>,
    name: EdgeId,
    clock: Clock,
    gate: Arc<Gate>,
    observer: Observer,
    readiness: watch::Receiver<Readiness>,
    stop: CancellationToken,
    listen: SocketAddr,
    admin: SocketAddr,
}

impl Edge {
    /// Serves until it is asked to stop, then drains.
    async fn serve(self, mut parts: Parts, shutdown: &Shutdown) -> Result<(), EdgeError> {
        let stats = tokio::spawn(tell_stats(self.observer.clone(), self.clock));
        let asked = async {
            self.write_ready_file().await?;
            std::future::pending::<Result<(), EdgeError>>().await
        };
        let result = tokio::select! {
            result = asked => result,
            () = shutdown.drain() => Ok(()),
            ended = parts.ended() => Err(ended),
        };
        result?;
        self.leave_the_load_balancer(&mut parts).await?;
        stats.abort();
        self.drain(parts).await;
        Ok(())
    }

    /// Waits until the edge is ready, and says so.
    async fn write_ready_file(&self) -> Result<(), EdgeError> {
        let mut readiness = self.readiness.clone();
        if readiness
            .wait_for(|readiness| readiness.ready)
            .await
            .is_err()
        {
            // The way upstream is gone: the edge is ending.
            return Ok(());
        }
        info!(edge = %self.name, listen = %self.listen, admin = %self.admin, "ready");
        let Some(path) = &self.config.ready_file else {
            return Ok(());
        };
        let ready = Ready {
            name: self.name.to_string(),
            pid: std::process::id(),
            listen: Some(self.listen),
            admin: self.admin,
            link: None,
        };
        ready
            .write(path)
            .map_err(EdgeError::io(path.display().to_string()))
    }

    /// Says that it isn't ready, and goes on until load balancers have had the time to see it.
    ///
    /// # Errors
    /// When one of its parts ends meanwhile.
    async fn leave_the_load_balancer(&self, parts: &mut Parts) -> Result<(), EdgeError> {
        let delay = self.config.edge.drain_delay;
        info!(edge = %self.name, ?delay, "stopping");
        let _ = self.observer.upstream.send(Command::Stopping);
        tokio::select! {
            () = tokio::time::sleep(delay) => Ok(()),
            ended = parts.ended() => Err(ended),
        }
    }

    /// Lets nobody in, closes every connection at its own moment, and says goodbye to the nodes.
    async fn drain(self, parts: Parts) {
        let over = self.config.edge.drain();
        info!(edge = %self.name, sockets = self.gate.sockets(), ?over, "draining");
        self.gate.close();
        self.stop.cancel();
        for worker in &self.observer.workers {
            let _ = worker.send(ToThread::Drain { over });
        }
        parts.workers_ended().await;
        let (said, goodbye) = oneshot::channel();
        if self.observer.upstream.send(Command::Goodbye(said)).is_ok() {
            let _ = goodbye.await;
        }
        info!(edge = %self.name, "stopped");
    }
}

/// Tells the nodes every few seconds how the edge is doing.
async fn tell_stats(observer: Observer, clock: Clock) {
    let mut ticks = tokio::time::interval(STATS_INTERVAL);
    loop {
        ticks.tick().await;
        let uptime = clock.instant() - trunkline_shared::Instant::ZERO;
        let stats = observer.stats(uptime).await;
        if observer.upstream.send(Command::Stats(stats)).is_err() {
            return;
        }
    }
}
