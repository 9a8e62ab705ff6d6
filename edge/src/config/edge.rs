//! The `[edge]` section: what an edge listens on, whom it dials, how much it takes.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};
use trunkline_shared::limits;
use trunkline_shared::{EdgeId, Region};

use super::TlsSection;

/// The `[edge]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EdgeSection {
    /// The edge's name. Default: what its certificate says; another one is refused.
    pub name: Option<EdgeId>,
    /// The edge's region. Default: what its certificate says; another one is refused.
    pub region: Option<Region>,
    /// Address of the listener for clients and the server API. Default `127.0.0.1:8000`; port 0 takes any.
    pub listen: SocketAddr,
    /// Threads that own connections. Default 0: as many as there are processors.
    pub workers: u16,
    /// Nodes of the first contact, `host:port`; later addresses come with the ring view. Default `127.0.0.1:7443`.
    pub backbones: Vec<String>,
    /// Dials the nodes of the ring view at the addresses that they advertise. Default true. False: `backbones` only, for
    /// edges that reach them by a relay or tunnel that nodes don't know of; each node must be named there then.
    pub follow_view: bool,
    /// WebSocket connections at the same time; beyond it 503. Default 100,000.
    pub connection_limit: usize,
    /// Connections that are no WebSockets (yet) at the same time; beyond it 503. Default 4,096.
    ///
    /// Each holds a buffer of some 8 KiB.
    pub http_connection_limit: usize,
    /// Bytes of history pages that are kept to be served again. Default 64 MiB; 0 keeps none.
    pub history_cache_bytes: ByteSize,
    /// Time for TLS and the header of a request together, the wait for one on a kept connection included, and for its body.
    /// Default 10 s.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// Time by which a worker may come late before it takes no new connections. Default 250 ms.
    #[serde(with = "humantime_serde")]
    pub accept_lag_max: Duration,
    /// Publications that the ring of a channel holds, from which resumes are answered and slow workers served; beyond it
    /// the oldest leaves. Default 512.
    pub ring_publications_max: usize,
    /// Bytes of publications that the ring of a channel holds; beyond it the oldest leaves. Default 1 MiB.
    pub ring_bytes_max: ByteSize,
    /// Bytes in all rings together; beyond it the ring that was used longest ago is emptied. Default 256 MiB.
    pub rings_bytes_max: ByteSize,
    /// How long a channel stays subscribed after its last local subscriber, so that its ring answers who comes back.
    /// Default 60 s.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// How long an edge that was asked to stop still accepts and serves while `/health/ready` says no: the time that load
    /// balancers need to see that and to send clients elsewhere. Default 0 s; the drain follows it.
    #[serde(with = "humantime_serde")]
    pub drain_delay: Duration,
    /// Seconds over which connections are closed when the edge stops, or when many must close together. Default 20.
    pub drain_seconds: u32,
    /// Time without a link to any node of the ring view after which the edge isn't ready. Default 60 s; 0: at once.
    #[serde(with = "humantime_serde")]
    pub isolation_tolerance: Duration,
    /// Sends clients elsewhere while the edge isn't ready for that reason: connections are closed with 3001 over
    /// `drain_seconds`, new ones refused with 503, until there is a link again. Default false: clients stay, with what the
    /// edge can do alone. For meshes whose other regions can be reached when this one is cut off.
    pub close_when_isolated: bool,
    /// Serves a page at `/` and signs tokens for anybody at `/dev/token`. Default false. Never in production.
    pub dev: bool,
    /// TLS for clients. Default none: plain HTTP, for a proxy that ends TLS.
    pub tls: TlsSection,
}

impl Default for EdgeSection {
    fn default() -> Self {
        Self {
            name: None,
            region: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            workers: 0,
            backbones: vec!["127.0.0.1:7443".to_owned()],
            follow_view: true,
            connection_limit: 100_000,
            http_connection_limit: 4096,
            history_cache_bytes: ByteSize::mib(64),
            header_timeout: limits::HANDSHAKE_TIMEOUT,
            accept_lag_max: Duration::from_millis(250),
            ring_publications_max: limits::RING_PUBLICATIONS_MAX,
            ring_bytes_max: ByteSize(limits::RING_BYTES_MAX as u64),
            rings_bytes_max: ByteSize(limits::RINGS_BYTES_MAX as u64),
            linger: limits::CHANNEL_LINGER,
            drain_delay: Duration::ZERO,
            drain_seconds: 20,
            isolation_tolerance: Duration::from_secs(60),
            close_when_isolated: false,
            dev: false,
            tls: TlsSection::default(),
        }
    }
}

impl EdgeSection {
    /// Threads that own connections: what is set, else one per processor.
    pub fn workers(&self) -> u16 {
        let processors = || std::thread::available_parallelism().map_or(1, |count| count.get());
        if self.workers == 0 {
            u16::try_from(processors()).unwrap_or(WORKERS_MAX)
        } else {
            self.workers
        }
    }

    /// `drain_seconds` as a duration.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds.into())
    }

    pub(super) fn problems(&self) -> Vec<String> {
        let checks = [
            (
                self.workers <= WORKERS_MAX,
                "edge.workers must be at most 256",
            ),
            (
                !self.backbones.is_empty(),
                "edge.backbones must name at least one node",
            ),
            (
                self.backbones.iter().all(|address| has_port(address)),
                "edge.backbones must be host:port each",
            ),
            (
                self.connection_limit > 0,
                "edge.connection_limit must be above 0",
            ),
            (
                self.http_connection_limit > 0,
                "edge.http_connection_limit must be above 0",
            ),
            (
                !self.header_timeout.is_zero(),
                "edge.header_timeout must be above 0",
            ),
            (
                !self.accept_lag_max.is_zero(),
                "edge.accept_lag_max must be above 0",
            ),
            (
                self.ring_publications_max > 0 && self.ring_bytes_max.0 > 0,
                "edge.ring_publications_max and edge.ring_bytes_max must be above 0",
            ),
            (
                self.ring_bytes_max <= self.rings_bytes_max,
                "edge.ring_bytes_max must be at most edge.rings_bytes_max",
            ),
            (
                !self.dev || self.listen.ip().is_loopback(),
                "edge.dev signs tokens for anybody: edge.listen must be a loopback address",
            ),
        ];
        checks
            .into_iter()
            .filter(|(good, _)| !good)
            .map(|(_, problem)| problem.to_owned())
            .chain(self.tls.problem())
            .collect()
    }
}

/// Threads beyond it would only wait for each other.
const WORKERS_MAX: u16 = 256;

fn has_port(address: &str) -> bool {
    address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}
