//! Configuration of a backbone node: `[backbone]`, `[store]`, `[link]`, `[admin]`, `[log]` and the namespaces.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use trunkline_link::LinkConfig;
use trunkline_process::AdminSection;
use trunkline_shared::config::{ConfigErrors, Source};
use trunkline_shared::limits::LANES;
use trunkline_shared::rules::{Namespace, Rules};
use trunkline_telemetry::LogConfig;

mod store;
pub(crate) use self::store::longest_ttl;

pub use self::store::{PostgresSection, ShardSection, StoreKind, StoreSection};

/// `[backbone]`: what this node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackboneSection {
    /// UDP address of the link endpoint; default `127.0.0.1:7443`. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where edges reach it, `host:port`; default (empty): the listen address.
    pub advertise: String,
    /// Threads' worth of channel work; default 0: one per core, at most 16.
    pub shards: u8,
}

impl Default for BackboneSection {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7443)),
            advertise: String::new(),
            shards: 0,
        }
    }
}

impl BackboneSection {
    /// How many shards run. Each lane belongs to one shard, so there are never more than lanes.
    pub fn shard_count(&self) -> u8 {
        let cores = std::thread::available_parallelism()
            .map_or(1, |cores| u8::try_from(cores.get()).unwrap_or(LANES));
        let wanted = if self.shards == 0 { cores } else { self.shards };
        wanted.clamp(1, LANES)
    }
}

/// Everything that a node is told at start.
#[derive(Clone, Debug, Default)]
pub struct BackboneConfig {
    /// `[backbone]`.
    pub backbone: BackboneSection,
    /// `[store]`.
    pub store: StoreSection,
    /// `[link]`.
    pub link: LinkConfig,
    /// `[admin]`.
    pub admin: AdminSection,
    /// `[log]`.
    pub log: LogConfig,
    /// `[[namespace]]`, checked.
    pub namespaces: Vec<Namespace>,
    /// `--ready-file`: written when the node is ready.
    pub ready_file: Option<PathBuf>,
}

impl BackboneConfig {
    /// Reads the sections of a node.
    ///
    /// # Errors
    /// With every mistake in them.
    pub fn load(mut source: Source) -> Result<Self, ConfigErrors> {
        let config = Self {
            backbone: source.section("backbone"),
            store: source.section("store"),
            link: source.section("link"),
            admin: source.section("admin"),
            log: source.section("log"),
            namespaces: source.sections("namespace"),
            ready_file: None,
        };
        config
            .link
            .problems()
            .into_iter()
            .for_each(|problem| source.mistake(problem));
        config
            .log
            .problems()
            .into_iter()
            .for_each(|problem| source.mistake(problem));
        config
            .store
            .problems(&config.namespaces)
            .into_iter()
            .for_each(|problem| source.mistake(problem));
        source.require(
            "namespace",
            "name",
            "channels without a colon have name = \"\"",
        );
        if config.backbone.shards > LANES {
            source.mistake(format!("backbone.shards: at most {LANES}, one lane each"));
        }
        if config.backbone.advertise.is_empty() && config.backbone.listen.ip().is_unspecified() {
            source.mistake("backbone.advertise: needed where backbone.listen names no address that edges could reach");
        }
        if let Err(errors) = Rules::new(0, config.namespaces.clone()) {
            errors
                .iter()
                .for_each(|error| source.mistake(error.to_string()));
        }
        source.finish()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<BackboneConfig, ConfigErrors> {
        BackboneConfig::load(Source::parse(text, std::iter::empty()).expect("valid TOML"))
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        let config = load("").expect("defaults are valid");
        assert_eq!(config.backbone, BackboneSection::default());
        assert!(config.namespaces.is_empty());
    }

    #[test]
    fn a_listener_on_all_addresses_needs_one_to_advertise() {
        let ConfigErrors(errors) =
            load("[backbone]\nlisten = \"0.0.0.0:7443\"").expect_err("nowhere to dial");
        assert!(errors[0].starts_with("backbone.advertise: "), "{errors:?}");
        assert!(load("[backbone]\nlisten = \"0.0.0.0:7443\"\nadvertise = \"node:7443\"").is_ok());
    }

    #[test]
    fn a_connection_string_of_a_flag_is_the_flags_mistake() {
        let text = "[store]\nkind = \"postgres\"";
        let source = Source::parse(text, std::iter::empty()).expect("valid TOML");
        let mut source = source.of_file("node.toml");
        source.set("store", "postgres__dsn", "nonsense");
        let ConfigErrors(errors) = BackboneConfig::load(source).expect_err("nonsense");
        assert!(
            errors[0].starts_with("--set: store.postgres.dsn: "),
            "{errors:?}"
        );
    }

    #[test]
    fn a_namespace_without_a_name_is_refused_unless_the_name_is_written_empty() {
        let ConfigErrors(errors) = load("[[namespace]]\npresence = true").expect_err("no name");
        assert_eq!(
            errors,
            ["namespace[0].name: needed; channels without a colon have name = \"\""]
        );
        assert!(load("[[namespace]]\nname = \"\"\npresence = true").is_ok());
    }

    #[test]
    fn all_mistakes_are_reported_together() {
        let text = "[backbone]\nlisen = 1\n[store]\nkidn = 1\n[[namespace]]\nname = \"chat\"\nclass = \"durable\"";
        let ConfigErrors(errors) = load(text).expect_err("three mistakes");
        assert_eq!(errors.len(), 3, "{errors:?}");
    }
}
