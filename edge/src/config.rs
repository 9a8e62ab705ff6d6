//! The configuration of an edge: its sections of `trunkline.toml`, checked together.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use trunkline_edge_core::worker::ClientConfig;
use trunkline_link::LinkConfig;
use trunkline_process::AdminSection;
use trunkline_shared::config::{ConfigErrors, Source};
use trunkline_shared::limits;
use trunkline_shared::{EdgeId, Region};
use trunkline_telemetry::LogConfig;

use crate::dev_page::DevConfig;
use crate::secret::Secret;

/// Everything that may be set about an edge.
#[derive(Clone, Debug, Default)]
pub struct EdgeConfig {
    /// Section `[edge]`.
    pub edge: EdgeSection,
    /// Section `[link]`: certificates and settings of QUIC.
    pub link: LinkConfig,
    /// Section `[client]`: connections, tokens, queues.
    pub client: ClientConfig,
    /// Section `[api]`: the server API.
    pub api: ApiSection,
    /// Section `[admin]`: the listener for those who run the edge.
    pub admin: AdminSection,
    /// Section `[log]`.
    pub log: LogConfig,
    /// The page and tokens of `trunkline dev`; `None` (default) where `edge.dev` is off.
    pub dev: Option<DevConfig>,
    /// `--ready-file`: written when the edge is ready.
    pub ready_file: Option<PathBuf>,
}

/// The `[edge]` section.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
    /// WebSocket connections at the same time; beyond it 503. Default 100,000.
    pub connection_limit: usize,
    /// Connections that are no WebSockets (yet) at the same time; beyond it 503. Default 4,096.
    ///
    /// Each holds a buffer of some 8 KiB.
    pub http_connection_limit: usize,
    /// Time for the header of a request, the wait for one on a kept connection included, and for its body.
    /// Default 10 s.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// Time by which a worker may come late before it takes no new connections. Default 250 ms.
    #[serde(with = "humantime_serde")]
    pub accept_lag_max: Duration,
    /// Seconds over which connections are closed when the edge stops. Default 20.
    pub drain_seconds: u32,
    /// Serves a page at `/` and signs tokens for anybody at `/dev/token`. Default false. Never in production.
    pub dev: bool,
}

impl Default for EdgeSection {
    fn default() -> Self {
        Self {
            name: None,
            region: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            workers: 0,
            backbones: vec!["127.0.0.1:7443".to_owned()],
            connection_limit: 100_000,
            http_connection_limit: 4096,
            header_timeout: limits::HANDSHAKE_TIMEOUT,
            accept_lag_max: Duration::from_millis(250),
            drain_seconds: 20,
            dev: false,
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

    fn problems(&self) -> Vec<String> {
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
        ];
        checks
            .into_iter()
            .filter(|(good, _)| !good)
            .map(|(_, problem)| problem.to_owned())
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

/// The `[api]` section.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ApiSection {
    /// Key that every call of the server API must show. Default empty: every call is answered with 401.
    pub key: Secret,
    /// Takes calls without a key. Default false.
    pub insecure: bool,
    /// How errors are answered. Default `""`: status 200 with `error`; `"transport"`: the mapped status and the bare
    /// error.
    pub error_mode: ErrorMode,
}

/// How the server API answers errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum ErrorMode {
    /// Status 200, with `error` in the body.
    #[default]
    #[serde(rename = "")]
    Body,
    /// The status that the error maps to, with the bare error as body.
    #[serde(rename = "transport")]
    Transport,
}

impl EdgeConfig {
    /// Reads an edge's sections and checks their values.
    ///
    /// # Errors
    /// With every mistake found, unknown keys and sections included.
    pub fn load(mut source: Source) -> Result<Self, ConfigErrors> {
        let edge: EdgeSection = source.section("edge");
        let config = Self {
            dev: edge.dev.then(DevConfig::default),
            edge,
            link: source.section("link"),
            client: source.section("client"),
            api: source.section("api"),
            admin: source.section("admin"),
            log: source.section("log"),
            ready_file: None,
        };
        config
            .problems()
            .into_iter()
            .for_each(|problem| source.mistake(problem));
        source.finish()?;
        Ok(config)
    }

    fn problems(&self) -> Vec<String> {
        let client = self
            .client
            .validate()
            .into_iter()
            .map(|error| error.to_string());
        let (edge, link, log) = (
            self.edge.problems(),
            self.link.problems(),
            self.log.problems(),
        );
        edge.into_iter()
            .chain(link)
            .chain(client)
            .chain(log)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<EdgeConfig, ConfigErrors> {
        EdgeConfig::load(Source::parse(text, std::iter::empty()).expect("valid TOML"))
    }

    const SECRET: &str =
        "[client.token]\nhmac_secret_key = \"hunter2\"\n[api]\nkey = \"hunter3\"\n";

    #[test]
    fn a_secret_is_all_that_the_defaults_lack() {
        let config = load(SECRET).expect("a good configuration");
        assert_eq!(config.edge, EdgeSection::default());
        assert!(config.dev.is_none());
    }

    #[test]
    fn all_mistakes_are_reported_together() {
        let text = "[edge]\nworkers = 1000\nbackbones = [\"nowhere\"]\nlisen = \"x\"\n[api]\nkye = 1\n[admin]\nlisten = 7\n";
        let ConfigErrors(errors) = load(text).expect_err("mistakes");
        let has = |start: &str| {
            assert!(
                errors.iter().any(|error| error.starts_with(start)),
                "{start}: {errors:#?}"
            )
        };
        has("edge.lisen: unknown key");
        has("api.kye: unknown key");
        has("admin.listen: ");
        has("edge.workers must be at most 256");
        has("edge.backbones must be host:port each");
        has("client.token.hmac_secret_key is empty");
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = format!("{:?}", load(SECRET).expect("a good configuration"));
        assert!(
            !shown.contains("hunter2") && !shown.contains("hunter3"),
            "{shown}"
        );
    }

    #[test]
    fn flags_are_laid_over_the_file() {
        let mut source = Source::parse(SECRET, std::iter::empty()).expect("valid TOML");
        source.set("edge", "listen", "127.0.0.1:0");
        source.set("edge", "name", "edge-1");
        source.set("edge", "dev", "true");
        let config = EdgeConfig::load(source).expect("a good configuration");
        assert_eq!(config.edge.listen.port(), 0);
        assert_eq!(config.edge.name, EdgeId::parse("edge-1").ok());
        assert!(config.dev.is_some());
    }

    #[test]
    fn workers_are_as_many_as_processors_unless_set() {
        assert!(EdgeSection::default().workers() >= 1);
        assert_eq!(
            EdgeSection {
                workers: 3,
                ..EdgeSection::default()
            }
            .workers(),
            3
        );
    }
}
