//! One worker's thread; the test is its way upstream.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use trunkline_edge_core::exchange::{Answer, Ticket, ToUpstream, ToWorker, WorkerId};
use trunkline_edge_core::shared_publication::SharedPublication;
use trunkline_process::Clock;
use trunkline_shared::rules::{Namespace, Rules};
use trunkline_shared::{Channel, Epoch, Offset, Position, Publication, Trace, UnixMillis};

use super::client::Client;
use crate::accept;
use crate::config::EdgeConfig;
use crate::gate::Gate;
use crate::tls;
use crate::worker_thread::{Said, ToThread, WorkerReport};
use crate::workers::{self, Common, Own};

/// Time for anything: far more than it takes, so that only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that must come.
pub(super) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it comes in time")
}

/// A worker's thread.
pub(super) struct Thread {
    pub(super) address: SocketAddr,
    pub(super) gate: Arc<Gate>,
    said: mpsc::UnboundedReceiver<Said>,
    pub(super) tell: mpsc::UnboundedSender<ToThread>,
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
}

/// Settings under which everybody may do everything.
pub(super) fn config() -> EdgeConfig {
    let mut config = EdgeConfig::default();
    config.client.allow_anonymous_connect_without_token = true;
    config
}

/// A gate with the limits of a configuration.
pub(super) fn gate(config: &EdgeConfig) -> Arc<Gate> {
    Arc::new(Gate::new(
        config.edge.connection_limit,
        config.edge.http_connection_limit,
    ))
}

impl Thread {
    pub(super) fn start(config: EdgeConfig) -> Self {
        let gate = gate(&config);
        let router = Router::new().route("/health", get(|| std::future::ready("{}")));
        Self::start_with(config, gate, router)
    }

    /// Starts one behind a gate that others may share.
    pub(super) fn start_with(config: EdgeConfig, gate: Arc<Gate>, router: Router) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = accept::bind(address, 1).expect("bound").remove(0);
        let address = listener.local_addr().expect("bound");
        let (upstream, said) = mpsc::unbounded_channel();
        let (tell, inbox) = mpsc::unbounded_channel();
        let (stop, clock) = (CancellationToken::new(), Clock::start());
        let tls = tls::acceptor(&config.edge.tls).expect("good files");
        let config = Arc::new(config);
        let common = Common {
            config,
            clock,
            gate: Arc::clone(&gate),
            router,
            tls,
            upstream,
            stop: stop.clone(),
        };
        let own = Own {
            id: WorkerId(0),
            seed: [1; 32],
            listener,
            inbox,
        };
        let ended = workers::start(common, own).expect("a thread");
        let thread = Self {
            address,
            gate,
            said,
            tell,
            stop,
            ended,
        };
        thread.tell(ToWorker::Rules(Arc::new(rules())));
        thread
    }

    pub(super) fn tell(&self, message: ToWorker) {
        self.tell
            .send(ToThread::Upstream(message))
            .expect("the thread runs");
    }

    pub(super) fn answer(&self, ticket: Ticket, answer: Answer) {
        self.tell(ToWorker::Answer { ticket, answer });
    }

    /// The next thing that the worker says but for what it has consumed.
    pub(super) async fn said(&mut self) -> ToUpstream {
        loop {
            let (_, message) = within(self.said.recv()).await.expect("the thread runs");
            if !matches!(message, ToUpstream::Consumed { .. }) {
                return message;
            }
        }
    }

    /// Opens a WebSocket, connects, and subscribes to a channel that begins.
    pub(super) async fn subscriber(&mut self, channel: &str) -> Client {
        let mut client = Client::connected(self.address).await;
        client
            .send_text(&format!(
                r#"{{"id":2,"subscribe":{{"channel":"{channel}"}}}}"#
            ))
            .await;
        let ToUpstream::Subscribe { ticket, .. } = self.said().await else {
            panic!("a subscribe")
        };
        self.answer(
            ticket,
            Answer::Subscribed {
                position: Some(position(0)),
                caught_up: None,
            },
        );
        let reply = client.text().await;
        assert!(reply.starts_with(r#"{"id":2,"subscribe":{"#), "{reply}");
        client
    }

    pub(super) async fn report(&self) -> WorkerReport {
        let (ask, answer) = oneshot::channel();
        self.tell
            .send(ToThread::Report(ask))
            .expect("the thread runs");
        within(answer).await.expect("the thread answers")
    }

    /// Asks the thread to end.
    pub(super) fn drain(&self, over: Duration) {
        self.gate.close();
        self.stop.cancel();
        self.tell
            .send(ToThread::Drain { over })
            .expect("the thread runs");
    }

    /// Waits until the thread has ended.
    pub(super) async fn ended(self) {
        assert!(
            within(self.ended).await.is_err(),
            "it drops its end and says nothing"
        );
    }
}

fn rules() -> Rules {
    let open = Namespace {
        name: "live".to_owned(),
        history_size: 10,
        history_ttl: Duration::from_secs(60),
        force_recovery: true,
        allow_subscribe_for_client: true,
        allow_subscribe_for_anonymous: true,
        allow_publish_for_client: true,
        allow_publish_for_anonymous: true,
        ..Namespace::default()
    };
    Rules::new(1, vec![open]).expect("good rules")
}

pub(super) fn position(offset: u64) -> Position {
    Position {
        epoch: Epoch::new(7),
        offset: Offset(offset),
    }
}

/// A publication of the channel `live:1`.
pub(super) fn publication(offset: u64, data: String) -> ToWorker {
    let publication = Publication {
        offset: Offset(offset),
        data: bytes::Bytes::from(data).into(),
        is_json: true,
        info: None,
        tags: Vec::new(),
        time: UnixMillis(0),
        origin: "".into(),
        trace: Trace::default(),
    };
    let channel = Channel::parse("live:1").expect("a name");
    ToWorker::Publication(Arc::new(SharedPublication::new(
        channel,
        Some(Epoch::new(7)),
        publication,
    )))
}
