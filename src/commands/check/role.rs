//! What a configuration is for.

use std::path::Path;

use clap::ValueEnum;
use toml::Table;
use trunkline_backbone::BackboneConfig;
use trunkline_edge::EdgeConfig;
use trunkline_link::LinkConfig;
use trunkline_process::{AdminSection, Failure};
use trunkline_shared::config::{ConfigErrors, Source};

use super::finding::Finding;

/// Sections that only one of the two reads.
const OF_EDGES: [&str; 3] = ["edge", "client", "api"];
const OF_NODES: [&str; 3] = ["backbone", "store", "namespace"];

/// Which process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    /// An edge.
    Edge,
    /// A backbone node.
    Backbone,
}

/// A configuration, read as its process would.
pub(super) enum Subject {
    Edge(Box<EdgeConfig>),
    Backbone(Box<BackboneConfig>),
}

impl Role {
    /// Takes the role asked for, or what the file's sections say.
    ///
    /// # Errors
    /// When they say nothing, or both.
    pub(super) fn choose(asked: Option<Self>, file: Option<&Path>) -> Result<Self, Failure> {
        let text = file.and_then(|file| std::fs::read_to_string(file).ok());
        let table: Table = text.and_then(|text| text.parse().ok()).unwrap_or_default();
        let has = |sections: &[&str]| sections.iter().any(|name| table.contains_key(*name));
        match (asked, has(&OF_EDGES), has(&OF_NODES)) {
            (Some(role), ..) => Ok(role),
            (None, true, false) => Ok(Self::Edge),
            (None, false, true) => Ok(Self::Backbone),
            // What is wrong with the file itself is told by whoever reads it.
            (None, false, false) if file.is_some() && table.is_empty() => Ok(Self::Edge),
            (None, true, true) => Err(unclear("has sections of both an edge and a node")),
            (None, false, false) => Err(unclear("has sections of neither an edge nor a node")),
        }
    }

    /// Reads the configuration as the process would.
    pub(super) fn load(self, source: Source) -> Result<Subject, ConfigErrors> {
        Ok(match self {
            Self::Edge => Subject::Edge(Box::new(EdgeConfig::load(source)?)),
            Self::Backbone => Subject::Backbone(Box::new(BackboneConfig::load(source)?)),
        })
    }
}

fn unclear(why: &str) -> Failure {
    Failure::Configuration(format!(
        "the configuration {why}: say --role edge or --role backbone"
    ))
}

impl Subject {
    pub(super) fn describe(&self, file: Option<&Path>) -> Finding {
        let who = match self {
            Self::Edge(_) => "an edge's",
            Self::Backbone(_) => "a backbone node's",
        };
        let origin = file.map_or_else(
            || "defaults, environment and flags".to_owned(),
            |file| file.display().to_string(),
        );
        Finding::ok("configuration", format!("{origin}, {who}"))
    }

    pub(super) fn link(&self) -> &LinkConfig {
        match self {
            Self::Edge(config) => &config.link,
            Self::Backbone(config) => &config.link,
        }
    }

    pub(super) fn admin(&self) -> &AdminSection {
        match self {
            Self::Edge(config) => &config.admin,
            Self::Backbone(config) => &config.admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Role>) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        assert_eq!(
            Role::choose(None, Some(file.path())).ok(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn sections_tell_whose_configuration_it_is() {
        check("[edge]\n", Some(Role::Edge));
        check("[link]\n[api]\nkey = \"k\"", Some(Role::Edge));
        check("[[namespace]]\nname = \"chat\"", Some(Role::Backbone));
        check("[edge]\n[store]\n", None);
        check("[link]\n", None);
    }

    #[test]
    fn a_role_asked_for_wins() {
        assert_eq!(
            Role::choose(Some(Role::Backbone), None).ok(),
            Some(Role::Backbone)
        );
        assert!(Role::choose(None, None).is_err());
    }
}
