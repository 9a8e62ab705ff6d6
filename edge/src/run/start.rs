//! Starting an edge: listeners, the way upstream, workers, admin pages.

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::info;
use trunkline_edge_core::exchange::WorkerId;
use trunkline_process::{Clock, Port, Shutdown, serve_admin};

use super::Edge;
use super::papers::Papers;
use super::parts::Parts;
use super::upstream::Ways;
use crate::admin::{self, Observer};
use crate::api::Api;
use crate::ask::Asker;
use crate::config::EdgeConfig;
use crate::error::EdgeError;
use crate::gate::Gate;
use crate::history_pages::HistoryPages;
use crate::worker_thread::ToThread;
use crate::workers::{self, Common, Own};
use crate::{accept, http};

type Inboxes = Vec<mpsc::UnboundedReceiver<ToThread>>;

impl Edge {
    /// Starts all parts; the edge then serves, ready or not.
    pub(super) async fn start(
        config: Arc<EdgeConfig>,
        papers: Papers,
        shutdown: &Shutdown,
    ) -> Result<(Self, Parts), EdgeError> {
        let (clock, count) = (Clock::start(), config.edge.workers());
        let listeners = accept::bind(config.edge.listen, count)
            .map_err(|error| Port::tcp(config.edge.listen).explain(error))
            .map_err(EdgeError::io(format!("edge.listen {}", config.edge.listen)))?;
        let listen = listeners[0]
            .local_addr()
            .map_err(EdgeError::io("edge.listen"))?;
        let gate = Arc::new(gate(&config));
        let (senders, inboxes): (Vec<_>, Inboxes) =
            (0..count).map(|_| mpsc::unbounded_channel()).unzip();
        let ways = Ways::start(&config, clock, senders.clone(), &papers.link)?;
        let asker = asker(&config, clock, &ways);
        let api = Arc::new(api(&config, asker.clone()));
        let history = Arc::new(history(&config, asker));
        let stop = CancellationToken::new();
        let common = Common {
            clock,
            gate: Arc::clone(&gate),
            router: router(&config, &api, &history, &ways),
            tls: papers.clients,
            upstream: ways.said,
            stop: stop.clone(),
            config: Arc::clone(&config),
        };
        let parts = Parts {
            workers: start_workers(&common, listeners, inboxes)?,
            upstream: ways.task,
        };
        let observer = Observer {
            workers: senders,
            upstream: ways.commands,
            gate: Arc::clone(&gate),
            api,
            history,
        };
        let pages = admin::router(observer.clone(), ways.readiness.clone());
        let admin = serve_admin(&config.admin, pages, shutdown.clone())
            .await
            .map_err(EdgeError::io(format!(
                "admin.listen {}",
                config.admin.listen
            )))?;
        let name = papers.name;
        info!(edge = %name, %listen, %admin, "listening");
        let readiness = ways.readiness;
        let edge = Self {
            config,
            name,
            clock,
            gate,
            observer,
            readiness,
            stop,
            listen,
            admin,
        };
        Ok((edge, parts))
    }
}

fn gate(config: &EdgeConfig) -> Gate {
    Gate::new(
        config.edge.connection_limit,
        config.edge.http_connection_limit,
    )
}

fn asker(config: &EdgeConfig, clock: Clock, ways: &Ways) -> Asker {
    let deadline = config.client.command_deadline;
    Asker::new(ways.asks.clone(), ways.rules.clone(), clock, deadline)
}

fn history(config: &EdgeConfig, asker: Asker) -> HistoryPages {
    let cache_bytes = config.edge.history_cache_bytes.as_u64();
    HistoryPages::new(asker, &config.client, cache_bytes)
}

fn api(config: &EdgeConfig, asker: Asker) -> Api {
    Api::new(asker, config.api.clone(), config.edge.header_timeout)
}

fn router(config: &EdgeConfig, api: &Arc<Api>, history: &Arc<HistoryPages>, ways: &Ways) -> Router {
    let secret = &config.client.token.hmac_secret_key;
    http::router(
        Arc::clone(api),
        Arc::clone(history),
        ways.readiness.clone(),
        config.dev.as_ref(),
        secret,
    )
}

/// Starts a thread per listener; each receiver resolves when its thread has ended.
fn start_workers(
    common: &Common,
    listeners: Vec<TcpListener>,
    inboxes: Inboxes,
) -> Result<Vec<oneshot::Receiver<()>>, EdgeError> {
    let mut ends = Vec::new();
    for ((id, listener), inbox) in (0..).map(WorkerId).zip(listeners).zip(inboxes) {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let own = Own {
            id,
            seed,
            listener,
            inbox,
        };
        ends.push(workers::start(common.clone(), own).map_err(EdgeError::io("worker thread"))?);
    }
    Ok(ends)
}
