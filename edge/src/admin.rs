//! Pages for those who run the edge: metrics and health.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::{mpsc, oneshot, watch};
use trunkline_shared::frame::EdgeStats;

use crate::api::Api;
use crate::gate::Gate;
use crate::health::{self, Readiness};
use crate::history_pages::HistoryPages;
use crate::metrics::Page;
use crate::upstream_task::Command;
use crate::worker_thread::{ToThread, WorkerReport};

/// Media type of the metrics page.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Time that a part has to say how it is; one that is later is left out.
const REPORT_TIMEOUT: Duration = Duration::from_secs(1);

/// Asks all parts how they are.
#[derive(Clone, Debug)]
pub(crate) struct Observer {
    pub(crate) workers: Vec<mpsc::UnboundedSender<ToThread>>,
    pub(crate) upstream: mpsc::UnboundedSender<Command>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) api: Arc<Api>,
    pub(crate) history: Arc<HistoryPages>,
}

impl Observer {
    async fn page(&self) -> String {
        let mut page = Page::default();
        page.workers(&self.workers().await);
        page.gate(&self.gate);
        page.api(self.api.counters().all());
        page.history(&self.history.report());
        page.log();
        let (ask, answer) = oneshot::channel();
        let asked = self.upstream.send(Command::Report(ask));
        if let (Ok(()), Some(report)) = (asked, in_time(answer).await) {
            page.upstream(&report);
        }
        page.text()
    }

    async fn workers(&self) -> Vec<WorkerReport> {
        ask_all(&self.workers, ToThread::Report).await
    }

    /// How the edge is doing, for the nodes.
    pub(crate) async fn stats(&self, uptime: Duration) -> EdgeStats {
        let (reports, users) = tokio::join!(self.workers(), users(&self.workers));
        let sum = |of: fn(&WorkerReport) -> usize| {
            u32::try_from(reports.iter().map(of).sum::<usize>()).unwrap_or(u32::MAX)
        };
        EdgeStats {
            clients: sum(|report| report.stats.clients),
            users: u32::try_from(users).unwrap_or(u32::MAX),
            channels: sum(|report| report.stats.channels),
            subscriptions: sum(|report| report.stats.subscriptions),
            uptime_secs: u32::try_from(uptime.as_secs()).unwrap_or(u32::MAX),
        }
    }
}

/// Distinct users of all workers together; one with connections on two of them counts once.
pub(crate) async fn users(workers: &[mpsc::UnboundedSender<ToThread>]) -> usize {
    let mut users = ask_all(workers, ToThread::Users).await.concat();
    users.sort_unstable();
    users.dedup();
    users.len()
}

async fn ask_all<T>(
    workers: &[mpsc::UnboundedSender<ToThread>],
    question: fn(oneshot::Sender<T>) -> ToThread,
) -> Vec<T> {
    let mut answers = Vec::new();
    for worker in workers {
        let (ask, answer) = oneshot::channel();
        let _ = worker.send(question(ask));
        answers.push(in_time(answer));
    }
    let answers = futures_util::future::join_all(answers).await;
    answers.into_iter().flatten().collect()
}

async fn in_time<T>(answer: oneshot::Receiver<T>) -> Option<T> {
    tokio::time::timeout(REPORT_TIMEOUT, answer)
        .await
        .ok()?
        .ok()
}

/// The pages of the admin listener.
pub(crate) fn router(observer: Observer, readiness: watch::Receiver<Readiness>) -> Router {
    let metrics = move || {
        let observer = observer.clone();
        async move { ([(CONTENT_TYPE, OPENMETRICS)], observer.page().await).into_response() }
    };
    let ready = move || std::future::ready(health::ready(&readiness));
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health::live))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(ready))
}
