//! An edge's life: listen, link, serve, drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, select_all};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::info;
use trunkline_edge_core::exchange::WorkerId;
use trunkline_edge_core::upstream::{Upstream, UpstreamConfig};
use trunkline_link::{LinkClient, LinkTls, PeerIdentity, TlsError};
use trunkline_process::{Clock, Ready, Shutdown, draw_incarnation, draw_seed, serve_admin};
use trunkline_shared::{EdgeId, Region};

use crate::admin::{self, Observer};
use crate::api::Api;
use crate::ask::Asker;
use crate::config::EdgeConfig;
use crate::gate::Gate;
use crate::health::Readiness;
use crate::upstream_task::{Command, Inboxes, Outlets, UpstreamTask};
use crate::worker_thread::ToThread;
use crate::workers::{self, Common, Own};
use crate::{accept, http};

/// How often nodes are told how the edge is doing.
const STATS_INTERVAL: Duration = Duration::from_secs(5);

/// Why an edge can't run.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// Certificates are missing or wrong.
    #[error("certificates: {0}")]
    Tls(#[from] TlsError),
    /// The certificate isn't an edge's.
    #[error("link.certificate_file names {0}, which is not an edge")]
    NotAnEdge(PeerIdentity),
    /// The configuration names another edge than the certificate.
    #[error("edge.{key} is {configured:?}, but link.certificate_file says {certified:?}")]
    OtherName {
        /// `name` or `region`.
        key: &'static str,
        /// What the configuration says.
        configured: String,
        /// What the certificate says.
        certified: String,
    },
    /// An address can't be bound, a file can't be written, or a thread can't be started.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: std::io::Error,
    },
    /// The system has no randomness.
    #[error("randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// A part has ended that should not.
    #[error("a worker has ended")]
    WorkerEnded,
}

impl EdgeError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}

/// Runs an edge until `shutdown` asks it to stop. Needs a tokio runtime of several threads.
///
/// # Errors
/// When it can't start (certificates, addresses), or a worker's thread ends.
pub async fn run(config: EdgeConfig, shutdown: Shutdown) -> Result<(), EdgeError> {
    log(&config);
    let tls = LinkTls::from_files(&config.link)?;
    let edge = name_of(&config, &tls)?;
    let edge = Edge::start(Arc::new(config), edge, &tls, &shutdown).await?;
    tokio::select! {
        result = edge.serve(&shutdown) => result,
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

/// The edge's name: its certificate's, which the configuration may repeat but not change.
fn name_of(config: &EdgeConfig, tls: &LinkTls) -> Result<EdgeId, EdgeError> {
    let PeerIdentity::Edge { region, edge } = tls.identity().clone() else {
        return Err(EdgeError::NotAnEdge(tls.identity().clone()));
    };
    same(
        "name",
        config.edge.name.as_ref().map(EdgeId::as_str),
        edge.as_str(),
    )?;
    same(
        "region",
        config.edge.region.as_ref().map(Region::as_str),
        region.as_str(),
    )?;
    Ok(edge)
}

fn same(key: &'static str, configured: Option<&str>, certified: &str) -> Result<(), EdgeError> {
    match configured {
        Some(configured) if configured != certified => Err(EdgeError::OtherName {
            key,
            configured: configured.to_owned(),
            certified: certified.to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
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
    workers: Vec<oneshot::Receiver<()>>,
    listen: SocketAddr,
    admin: SocketAddr,
}

impl Edge {
    async fn start(
        config: Arc<EdgeConfig>,
        name: EdgeId,
        tls: &LinkTls,
        shutdown: &Shutdown,
    ) -> Result<Self, EdgeError> {
        let (clock, count) = (Clock::start(), config.edge.workers());
        let listeners = accept::bind(config.edge.listen, count)
            .map_err(EdgeError::io(format!("edge.listen {}", config.edge.listen)))?;
        let listen = listeners[0]
            .local_addr()
            .map_err(EdgeError::io("edge.listen"))?;
        let gate = Arc::new(Gate::new(
            config.edge.connection_limit,
            config.edge.http_connection_limit,
        ));
        let (senders, inboxes): (Vec<_>, Vec<_>) =
            (0..count).map(|_| mpsc::unbounded_channel()).unzip();
        let upstream = UpstreamQueues::start(&config, clock, senders.clone(), tls)?;
        let asker = Asker::new(
            upstream.asks,
            upstream.rules,
            clock,
            config.client.command_deadline,
        );
        let api = Arc::new(Api::new(
            asker,
            config.api.clone(),
            config.edge.header_timeout,
        ));
        let secret = &config.client.token.hmac_secret_key;
        let router = http::router(
            Arc::clone(&api),
            upstream.readiness.clone(),
            config.dev.as_ref(),
            secret,
        );
        let stop = CancellationToken::new();
        let common = Common {
            config: Arc::clone(&config),
            clock,
            gate: Arc::clone(&gate),
            router,
            upstream: upstream.said,
            stop: stop.clone(),
        };
        let mut workers = Vec::new();
        for ((id, listener), inbox) in (0..).map(WorkerId).zip(listeners).zip(inboxes) {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed)?;
            let own = Own {
                id,
                seed,
                listener,
                inbox,
            };
            workers
                .push(workers::start(common.clone(), own).map_err(EdgeError::io("worker thread"))?);
        }
        let observer = Observer {
            workers: senders,
            upstream: upstream.commands,
            gate: Arc::clone(&gate),
            api,
        };
        let router = admin::router(observer.clone(), upstream.readiness.clone());
        let admin = serve_admin(&config.admin, router, shutdown.clone())
            .await
            .map_err(EdgeError::io(format!(
                "admin.listen {}",
                config.admin.listen
            )))?;
        info!(edge = %name, %listen, %admin, "listening");
        let readiness = upstream.readiness;
        Ok(Self {
            config,
            name,
            clock,
            gate,
            observer,
            readiness,
            stop,
            workers,
            listen,
            admin,
        })
    }

    /// Serves until it is asked to stop, then drains.
    async fn serve(mut self, shutdown: &Shutdown) -> Result<(), EdgeError> {
        let mut workers = std::mem::take(&mut self.workers);
        let stats = tokio::spawn(tell_stats(self.observer.clone(), self.clock));
        let asked = async {
            self.write_ready_file().await?;
            std::future::pending::<Result<(), EdgeError>>().await
        };
        let result = tokio::select! {
            result = asked => result,
            () = shutdown.drain() => Ok(()),
            _ = select_all(&mut workers) => Err(EdgeError::WorkerEnded),
        };
        stats.abort();
        result?;
        self.drain(workers).await;
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

    /// Lets nobody in, closes every connection at its own moment, and says goodbye to the nodes.
    async fn drain(self, workers: Vec<oneshot::Receiver<()>>) {
        let over = self.config.edge.drain();
        info!(edge = %self.name, sockets = self.gate.sockets(), ?over, "draining");
        let _ = self.observer.upstream.send(Command::Stopping);
        self.gate.close();
        self.stop.cancel();
        for worker in &self.observer.workers {
            let _ = worker.send(ToThread::Drain { over });
        }
        join_all(workers).await;
        let (said, goodbye) = oneshot::channel();
        if self.observer.upstream.send(Command::Goodbye(said)).is_ok() {
            let _ = goodbye.await;
        }
        info!(edge = %self.name, "stopped");
    }
}

/// The ways to and from the task that drives the way upstream.
struct UpstreamQueues {
    said: mpsc::UnboundedSender<crate::worker_thread::Said>,
    asks: mpsc::UnboundedSender<crate::ask::Ask>,
    commands: mpsc::UnboundedSender<Command>,
    rules: watch::Receiver<Option<Arc<trunkline_shared::rules::Rules>>>,
    readiness: watch::Receiver<Readiness>,
}

impl UpstreamQueues {
    fn start(
        config: &EdgeConfig,
        clock: Clock,
        workers: Vec<mpsc::UnboundedSender<ToThread>>,
        tls: &LinkTls,
    ) -> Result<Self, EdgeError> {
        let client = LinkClient::bind(tls, Arc::new(config.link.clone()))
            .map_err(EdgeError::io("link endpoint"))?;
        let machine = Upstream::new(
            upstream_config(config),
            draw_incarnation()?,
            draw_seed()?,
            clock.now(),
        );
        let (said, said_inbox) = mpsc::unbounded_channel();
        let (asks, asks_inbox) = mpsc::unbounded_channel();
        let (commands, commands_inbox) = mpsc::unbounded_channel();
        let (rules_sender, rules) = watch::channel(None);
        let (readiness_sender, readiness) =
            watch::channel(Readiness::new(vec!["starting".to_owned()], false));
        let outlets = Outlets {
            workers,
            rules: rules_sender,
            readiness: readiness_sender,
        };
        let inboxes = Inboxes {
            said: said_inbox,
            asks: asks_inbox,
            commands: commands_inbox,
        };
        let (task, links) = UpstreamTask::new(machine, clock, client, outlets);
        tokio::spawn(task.run(inboxes, links));
        Ok(Self {
            said,
            asks,
            commands,
            rules,
            readiness,
        })
    }
}

fn upstream_config(config: &EdgeConfig) -> UpstreamConfig {
    UpstreamConfig {
        contacts: config.edge.backbones.iter().map(Into::into).collect(),
        epoch_spread: config.client.epoch_spread,
        ..UpstreamConfig::default()
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
