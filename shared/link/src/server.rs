//! A node's end: the UDP socket on which edges' links come in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, TokioRuntime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::warn;

use crate::config::LinkConfig;
use crate::counters::ServerCounters;
use crate::end::LinkEnd;
use crate::hello::Introduction;
use crate::identity::PeerIdentity;
use crate::link::NodeLink;
use crate::reset;
use crate::tls::LinkTls;
use crate::transport::{self, End};
use crate::welcome::{Host, welcome};

/// Welcomed links that may wait for [`LinkServer::accept`]; a new one beyond that waits with its welcome done.
const WAITING_MAX: usize = 16;

/// Time between two resets: after a restart each old link needs one, and an attacker gets no more than that.
const RESET_INTERVAL: Duration = Duration::from_millis(1);

/// Accepts links from edges.
///
/// Who has no certificate of the mesh's authority, or one that isn't an edge's, is refused, counted and logged.
/// Dropping it stops accepting; links that are up go on.
pub struct LinkServer {
    endpoint: Endpoint,
    links: mpsc::Receiver<NodeLink>,
    accepting: JoinHandle<()>,
    host: Arc<Host>,
}

/// Tells what a server's endpoint has done; clones tell the same.
#[derive(Clone)]
pub struct ServerObserver(Arc<Host>);

impl ServerObserver {
    /// What the endpoint has done so far.
    pub fn counters(&self) -> ServerCounters {
        self.0.counters()
    }
}

impl LinkServer {
    /// Binds `addr` (port 0: any) and accepts from now on; also says what it is bound to.
    ///
    /// `config` must have no [`problems`](LinkConfig::problems). `introduce` is asked for each hello. Needs a tokio
    /// runtime.
    ///
    /// # Errors
    /// When the address can't be bound, or the certificate isn't a backbone node's.
    pub fn bind(
        addr: SocketAddr,
        tls: &LinkTls,
        config: Arc<LinkConfig>,
        introduce: impl Fn() -> Introduction + Send + Sync + 'static,
    ) -> std::io::Result<(Self, SocketAddr)> {
        if !matches!(tls.identity(), PeerIdentity::Backbone { .. }) {
            return Err(std::io::Error::other(format!(
                "{} is not a backbone node's certificate",
                tls.identity()
            )));
        }
        let mut server = tls.server();
        server.transport_config(transport::transport(&config, End::Node));
        let socket = transport::bind(addr, config.socket_buffer.0)?;
        let endpoint_config = reset::endpoint_config(tls.secret(), RESET_INTERVAL);
        let endpoint = Endpoint::new(
            endpoint_config,
            Some(server),
            socket,
            Arc::new(TokioRuntime),
        )?;
        let local = endpoint.local_addr()?;
        let host = Arc::new(Host::new(config, Box::new(introduce)));
        let (tx, links) = mpsc::channel(WAITING_MAX);
        let accepting = tokio::spawn(accept_all(endpoint.clone(), Arc::clone(&host), tx));
        Ok((
            Self {
                endpoint,
                links,
                accepting,
                host,
            },
            local,
        ))
    }

    /// The next link: authenticated, hellos exchanged, an older one of the same life ended. Cancel-safe.
    ///
    /// `None` after [`close`](Self::close).
    pub async fn accept(&mut self) -> Option<NodeLink> {
        self.links.recv().await
    }

    /// What the endpoint has done so far.
    pub fn counters(&self) -> ServerCounters {
        self.observer().counters()
    }

    /// Tells the same to whoever hasn't the server.
    pub fn observer(&self) -> ServerObserver {
        ServerObserver(Arc::clone(&self.host))
    }

    /// Stops accepting, closes what links are left (say [`goodbye`](crate::LinkSender::goodbye) on each before, to
    /// empty their queues) and waits until their peers know it, at most for `goodbye_timeout`.
    pub async fn close(&mut self) {
        self.accepting.abort();
        self.endpoint.close(
            quinn::VarInt::from_u32(0),
            LinkEnd::Goodbye.to_string().as_bytes(),
        );
        let _ =
            tokio::time::timeout(self.host.config.goodbye_timeout, self.endpoint.wait_idle()).await;
    }
}

impl Drop for LinkServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept_all(endpoint: Endpoint, host: Arc<Host>, links: mpsc::Sender<NodeLink>) {
    while let Some(incoming) = endpoint.accept().await {
        let (open, max) = (endpoint.open_connections(), host.config.links_max);
        if open >= max {
            host.on_full();
            incoming.refuse();
        } else if open >= max / 2
            && max > 1
            && !incoming.remote_address_validated()
            && incoming.may_retry()
        {
            // It's getting tight: whoever comes has to show first that its address is its own.
            if let Err(error) = incoming.retry() {
                warn!(%error, "link refused");
            }
        } else {
            tokio::spawn(welcome(incoming, Arc::clone(&host), links.clone()));
        }
    }
}
