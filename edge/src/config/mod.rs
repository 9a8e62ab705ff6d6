//! The configuration of an edge: its sections of `trunkline.toml`, checked together.

mod api;
mod edge;
#[cfg(test)]
mod tests;
mod tls;

use std::path::PathBuf;

use trunkline_edge_core::worker::ClientConfig;
use trunkline_link::LinkConfig;
use trunkline_process::AdminSection;
use trunkline_shared::config::{ConfigErrors, Source};
use trunkline_telemetry::LogConfig;

use crate::dev::DevConfig;
pub use api::{ApiSection, ErrorMode};
pub use edge::EdgeSection;
pub use tls::TlsSection;

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
    /// What `trunkline dev` adds; `None` (default) where `edge.dev` is off.
    pub dev: Option<DevConfig>,
    /// `--ready-file`: written when the edge is ready.
    pub ready_file: Option<PathBuf>,
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
