//! Starting the threads of the workers.

use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use trunkline_edge_core::exchange::WorkerId;
use trunkline_edge_core::worker::{ClientConfig, Worker, WorkerConfig};
use trunkline_process::Clock;

use crate::accept;
use crate::config::EdgeConfig;
use crate::gate::Gate;
use crate::http::Site;
use crate::origin::AllowedOrigins;
use crate::worker_thread::{Said, ToThread, WorkerThread};

/// How often a thread measures how late it is.
const LAG_INTERVAL: Duration = Duration::from_millis(100);

/// What all workers share.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) config: Arc<EdgeConfig>,
    pub(crate) clock: Clock,
    pub(crate) gate: Arc<Gate>,
    pub(crate) router: Router,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) upstream: mpsc::UnboundedSender<Said>,
    /// Ends the accepting.
    pub(crate) stop: CancellationToken,
}

/// A worker's own part.
pub(crate) struct Own {
    pub(crate) id: WorkerId,
    pub(crate) seed: [u8; 32],
    pub(crate) listener: TcpListener,
    pub(crate) inbox: mpsc::UnboundedReceiver<ToThread>,
}

/// Starts a worker's thread; the receiver resolves when the thread has ended, however.
///
/// # Errors
/// When the system gives no thread.
pub(crate) fn start(common: Common, own: Own) -> io::Result<oneshot::Receiver<()>> {
    let (alive, ended) = oneshot::channel();
    let name = format!("worker-{}", own.id.0);
    std::thread::Builder::new().name(name).spawn(move || {
        let result = work(common, own);
        if let Err(error) = result {
            tracing::error!(%error, "a worker can't run");
        }
        drop(alive);
    })?;
    Ok(ended)
}

fn work(common: Common, own: Own) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, serve(common, own))
}

/// Serves until the worker is drained.
async fn serve(common: Common, own: Own) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(own.listener)?;
    let client = ClientConfig {
        close_spread: common.config.edge.drain(),
        ..common.config.client.clone()
    };
    let machine = Worker::new(
        WorkerConfig { client },
        own.id,
        own.seed,
        common.clock.now(),
    );
    let thread = Rc::new(WorkerThread::new(
        machine,
        common.clock,
        common.gate,
        common.upstream,
    ));
    let site = Rc::new(site(&common.config, common.router, common.tls));
    tokio::task::spawn_local(measure_lag(Rc::clone(&thread)));
    tokio::task::spawn_local(accept::accept(
        listener,
        Rc::clone(&thread),
        site,
        common.stop,
    ));
    thread.run(own.inbox).await;
    Ok(())
}

fn site(config: &EdgeConfig, router: Router, tls: Option<TlsAcceptor>) -> Site {
    Site {
        router,
        tls,
        origins: AllowedOrigins::new(&config.client.allowed_origins),
        header_timeout: config.edge.header_timeout,
        accept_lag_max: config.edge.accept_lag_max,
        ping_interval: config.client.ping_interval,
        pong_timeout: config.client.pong_timeout,
    }
}

/// Measures how late the thread comes: the time from when a timer was due until it is seen.
async fn measure_lag(thread: Rc<WorkerThread>) {
    let mut ticks = tokio::time::interval(LAG_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = ticks.tick().await;
        thread.set_lag(due.elapsed());
    }
}
