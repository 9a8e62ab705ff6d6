//! What a node does with one connection: checks who comes, answers its hello, or refuses it.

use std::sync::Arc;
use std::time::Instant;

use quinn::{Connection, ConnectionError, Incoming};
use tokio::sync::{mpsc, watch};
use tracing::{debug, warn};
use trunkline_shared::frame::{HelloError, VersionRange};

use crate::alert::Ends;
use crate::client;
use crate::config::LinkConfig;
use crate::counters::{Counter, ServerCounters};
use crate::end::CloseCode;
use crate::ending::Ending;
use crate::hello::{self, HelloReadError, Introduction};
use crate::identity::{IdentityError, PeerIdentity};
use crate::link::{CloseGuard, Link, NodeLink, Parts};
use crate::lives::Lives;
use crate::quiet::Quiet;
use crate::streams::{self, StreamsError};

/// What all welcomes of one endpoint share.
pub(crate) struct Host {
    pub(crate) config: Arc<LinkConfig>,
    introduce: Box<dyn Fn() -> Introduction + Send + Sync>,
    lives: Arc<Lives>,
    live: Live,
    strangers: Quiet,
}

/// The live numbers behind [`ServerCounters`].
#[derive(Default)]
struct Live {
    accepted: Counter,
    handshake: Counter,
    identity: Counter,
    version: Counter,
    hello: Counter,
    timeout: Counter,
    full: Counter,
    superseded: Counter,
}

/// Why a connection isn't welcomed.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{}", Ends::NODE.explain(.0).unwrap_or_else(|| format!("handshake: {}", .0)))]
    Handshake(ConnectionError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("{0} may not open links, only edges may")]
    NoEdge(PeerIdentity),
    #[error(transparent)]
    Version(#[from] HelloError),
    #[error(transparent)]
    Hello(#[from] HelloReadError),
    #[error(transparent)]
    Streams(#[from] StreamsError),
    #[error("hello not finished in time")]
    TimedOut,
}

impl Host {
    pub(crate) fn new(
        config: Arc<LinkConfig>,
        introduce: Box<dyn Fn() -> Introduction + Send + Sync>,
    ) -> Self {
        Self {
            config,
            introduce,
            lives: Arc::default(),
            live: Live::default(),
            strangers: Quiet::default(),
        }
    }

    /// Notes that a connection was refused because there are too many.
    pub(crate) fn on_full(&self) {
        self.live.full.add(1);
        if self.strangers.allows(Instant::now()) {
            warn!(
                links_max = self.config.links_max,
                "link refused: too many links"
            );
        }
    }

    pub(crate) fn counters(&self) -> ServerCounters {
        ServerCounters {
            accepted: self.live.accepted.now(),
            refused_handshake: self.live.handshake.now(),
            refused_identity: self.live.identity.now(),
            refused_version: self.live.version.now(),
            refused_hello: self.live.hello.now(),
            refused_timeout: self.live.timeout.now(),
            refused_full: self.live.full.now(),
            superseded: self.live.superseded.now(),
        }
    }
}

/// Welcomes or refuses one connection.
pub(crate) async fn welcome(incoming: Incoming, host: Arc<Host>, links: mpsc::Sender<NodeLink>) {
    let remote = incoming.remote_address();
    let mut connected = None;
    let greeted = greet(incoming, &host, &mut connected);
    let greeted = tokio::time::timeout(host.config.handshake_timeout, greeted).await;
    match greeted.unwrap_or(Err(Refusal::TimedOut)) {
        Ok(link) => {
            host.live.accepted.add(1);
            // Nobody accepts any more when this fails: the link is dropped, which closes it.
            let _ = links.send(link).await;
        }
        Err(refusal) => {
            refusal.count(&host.live);
            // Without a certificate of the mesh anybody could fill the log.
            if connected.is_some() || host.strangers.allows(Instant::now()) {
                warn!(%remote, reason = %refusal, "link refused");
            } else {
                debug!(%remote, reason = %refusal, "link refused");
            }
            if let Some(connection) = connected {
                refusal.code().close(&connection, &refusal.to_string());
            }
        }
    }
}

/// The handshake and all that belongs to the hellos; `connected` is what a refusal closes.
async fn greet(
    incoming: Incoming,
    host: &Host,
    connected: &mut Option<Connection>,
) -> Result<NodeLink, Refusal> {
    let connection = incoming.await.map_err(Refusal::Handshake)?;
    *connected = Some(connection.clone());
    let peer = client::identity_of(&connection)?;
    if !matches!(peer, PeerIdentity::Edge { .. }) {
        return Err(Refusal::NoEdge(peer));
    }
    let mut control = streams::accept_control(&connection).await?;
    let hello = hello::read(&mut control.receive).await?;
    let version = VersionRange::OURS.common(hello.versions)?;
    let mut streams = streams::accept_others(&connection, control).await?;
    let ending = Ending::new(connection.clone());
    let (life, took_over) = host
        .lives
        .take_over((peer.clone(), hello.incarnation), &ending)
        .await;
    host.live.superseded.add(usize::from(took_over));
    let (_, to_edge) = streams
        .frames_out
        .first_mut()
        .expect("control is the first stream");
    let said = (host.introduce)();
    hello::write(to_edge, said.hello()).await?;
    let (config, over) = (Arc::clone(&host.config), watch::Sender::new(false));
    // The guard isn't made earlier: a refusal closes with its own code.
    let (life, guard) = (Some(life), CloseGuard(connection));
    Ok(Link::new(Parts {
        streams,
        peer,
        hello,
        said,
        version,
        config,
        life,
        guard,
        ending,
        over,
    }))
}

impl Refusal {
    const fn code(&self) -> CloseCode {
        match self {
            Self::Identity(_) | Self::NoEdge(_) => CloseCode::WrongPeer,
            Self::Version(_) => CloseCode::NoCommonVersion,
            Self::Handshake(_) | Self::Hello(_) | Self::Streams(_) | Self::TimedOut => {
                CloseCode::BadHello
            }
        }
    }

    fn count(&self, live: &Live) {
        let counter = match self {
            Self::Handshake(_) => &live.handshake,
            Self::Identity(_) | Self::NoEdge(_) => &live.identity,
            Self::Version(_) => &live.version,
            Self::Hello(_) | Self::Streams(_) => &live.hello,
            Self::TimedOut => &live.timeout,
        };
        counter.add(1);
    }
}
