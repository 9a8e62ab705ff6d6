//! Rules of namespaces: what the channels of each may do. One version holds in the whole mesh.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::slot::Slot;

/// How a namespace's publications are kept (`design.md` §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Acknowledged after the store has committed; survives every restart.
    Durable,
    /// Acknowledged from the owner's memory; survives while the owner lives.
    Buffered,
    /// Acknowledged when handed to the link; at most once, never stored.
    Ephemeral,
}

/// What happens when a connection's send queue is full of publications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The connection is closed, 3008.
    #[default]
    Disconnect,
}

/// What a publication's data must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataFormat {
    /// Anything but nothing.
    #[default]
    #[serde(rename = "")]
    NotEmpty,
    /// Valid JSON.
    Json,
    /// A JSON object.
    JsonObject,
    /// Any bytes, also none.
    Binary,
}

/// The longest time that publications can be kept: 100 years. Beyond it a slip is likelier than a wish.
pub const HISTORY_TTL_MAX: Duration = Duration::from_hours(36_525 * 24);

/// The options of one namespace; every permission is off by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Namespace {
    /// The name before the colon; empty for channels without a namespace.
    pub name: String,
    /// Delivery class; by default buffered where history size and TTL are set, else ephemeral. See [`Namespace::class`].
    pub class: Option<Class>,
    /// Publications kept for recovery and history; default 0. Above 0 where `history_ttl` is, and only there.
    pub history_size: u32,
    /// How long publications are kept; default 0, at most [`HISTORY_TTL_MAX`].
    #[serde(with = "humantime_serde")]
    pub history_ttl: Duration,
    /// How many leading parts of a channel's name, between colons, decide its slot; 0 (default) takes the whole name.
    pub routing_segments: u8,
    /// What a publication's data must be.
    pub publication_data_format: DataFormat,
    /// What happens when a connection's send queue is full.
    pub overflow: Overflow,
    /// Keeps who is subscribed.
    pub presence: bool,
    /// Sends joins and leaves to subscribers that ask.
    pub join_leave: bool,
    /// Sends joins and leaves to every subscriber.
    pub force_push_join_leave: bool,
    /// Checks the position of every subscriber.
    pub force_positioning: bool,
    /// Checks the position of subscribers that ask.
    pub allow_positioning: bool,
    /// Lets every subscriber recover.
    pub force_recovery: bool,
    /// Lets subscribers that ask recover.
    pub allow_recovery: bool,
    /// Clients with a user may subscribe without a token.
    pub allow_subscribe_for_client: bool,
    /// Anonymous clients may too.
    pub allow_subscribe_for_anonymous: bool,
    /// Clients may publish.
    pub allow_publish_for_client: bool,
    /// Subscribers of a channel may publish to it.
    pub allow_publish_for_subscriber: bool,
    /// Anonymous clients may too.
    pub allow_publish_for_anonymous: bool,
    /// Clients may ask for presence.
    pub allow_presence_for_client: bool,
    /// Subscribers of a channel may ask for its presence.
    pub allow_presence_for_subscriber: bool,
    /// Anonymous clients may too.
    pub allow_presence_for_anonymous: bool,
    /// Clients may read history.
    pub allow_history_for_client: bool,
    /// Subscribers of a channel may read its history.
    pub allow_history_for_subscriber: bool,
    /// Anonymous clients may too.
    pub allow_history_for_anonymous: bool,
    /// Users named behind `#` in a channel's name may subscribe to it without a token.
    pub allow_user_limited_channels: bool,
}

impl Namespace {
    /// The delivery class: the one set, else buffered where there is a history, else ephemeral.
    pub fn class(&self) -> Class {
        match self.class {
            Some(class) => class,
            None if self.has_history() => Class::Buffered,
            None => Class::Ephemeral,
        }
    }

    /// Whether publications are kept at all.
    pub const fn has_history(&self) -> bool {
        self.history_size > 0 && !self.history_ttl.is_zero()
    }

    fn check(&self, errors: &mut Vec<RulesError>) {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let name = &self.name;
        if !name.is_empty() && (name.len() < 2 || !name.bytes().all(good)) {
            errors.push(RulesError::Name(name.clone()));
        }
        if matches!(self.class, Some(Class::Durable | Class::Buffered)) && !self.has_history() {
            errors.push(RulesError::NoHistory(name.clone()));
        }
        let is_half = (self.history_size > 0) == self.history_ttl.is_zero();
        if is_half && !matches!(self.class, Some(Class::Durable | Class::Buffered)) {
            errors.push(RulesError::HalfHistory(name.clone()));
        }
        if self.history_ttl > HISTORY_TTL_MAX {
            errors.push(RulesError::LongHistory(name.clone()));
        }
        if self.class() == Class::Ephemeral && self.has_history() {
            errors.push(RulesError::EphemeralHistory(name.clone()));
        }
        let positioned = self.force_positioning
            || self.allow_positioning
            || self.force_recovery
            || self.allow_recovery;
        if self.class() == Class::Ephemeral && positioned {
            errors.push(RulesError::EphemeralRecovery(name.clone()));
        }
    }
}

/// A mistake in the rules; all are reported together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Two namespaces of one name.
    #[error("namespace {0:?} is defined twice")]
    Twice(String),
    /// A name outside `^[-a-zA-Z0-9_.]{{2,}}$`.
    #[error("namespace {0:?} must have at least 2 characters of a-z, A-Z, 0-9, '-', '_' and '.'")]
    Name(String),
    /// Durable or buffered without a history.
    #[error(
        "namespace {0:?} is durable or buffered and needs history_size and history_ttl above 0"
    )]
    NoHistory(String),
    /// One of the two that make a history.
    #[error(
        "namespace {0:?} needs history_size and history_ttl above 0 for a history, and neither without one"
    )]
    HalfHistory(String),
    /// A history that is kept too long.
    #[error("namespace {0:?}: history_ttl must be at most 100 years")]
    LongHistory(String),
    /// Ephemeral with a history.
    #[error("namespace {0:?} is ephemeral and can't have a history")]
    EphemeralHistory(String),
    /// Ephemeral with positioning or recovery.
    #[error("namespace {0:?} is ephemeral and can't have positioning or recovery")]
    EphemeralRecovery(String),
}

/// The rules of all namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Grows with each change.
    pub version: u64,
    namespaces: BTreeMap<String, Namespace>,
}

impl Rules {
    /// Makes rules from the namespaces of a configuration.
    ///
    /// # Errors
    /// With every mistake that they hold.
    pub fn new(version: u64, namespaces: Vec<Namespace>) -> Result<Self, Vec<RulesError>> {
        let mut errors = Vec::new();
        let mut rules = Self {
            version,
            namespaces: BTreeMap::new(),
        };
        for namespace in namespaces {
            namespace.check(&mut errors);
            let name = namespace.name.clone();
            if rules.namespaces.insert(name.clone(), namespace).is_some() {
                errors.push(RulesError::Twice(name));
            }
        }
        if errors.is_empty() {
            Ok(rules)
        } else {
            Err(errors)
        }
    }

    /// The namespace of a channel; `None` is error 102.
    pub fn of(&self, channel: &Channel) -> Option<&Namespace> {
        self.namespaces.get(channel.namespace().unwrap_or(""))
    }

    /// The slot of a channel; `None` when its namespace is unknown.
    pub fn slot_of(&self, channel: &Channel) -> Option<Slot> {
        self.of(channel)
            .map(|namespace| channel.slot(namespace.routing_segments))
    }

    /// All namespaces, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Namespace> {
        self.namespaces.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Namespace {
        Namespace {
            name: name.to_owned(),
            ..Namespace::default()
        }
    }

    #[test]
    fn a_history_makes_a_namespace_buffered() {
        let with = Namespace {
            history_size: 1,
            history_ttl: Duration::from_secs(1),
            ..named("live")
        };
        assert_eq!(with.class(), Class::Buffered);
        assert_eq!(named("cursors").class(), Class::Ephemeral);
    }

    #[test]
    fn a_history_needs_a_size_and_a_time_that_makes_sense() {
        let with = |history_size, history_ttl| {
            let namespace = Namespace {
                history_size,
                history_ttl,
                ..named("chat")
            };
            Rules::new(1, vec![namespace]).map(drop)
        };
        let half = Err(vec![RulesError::HalfHistory("chat".into())]);
        assert_eq!(with(1, Duration::ZERO), half);
        assert_eq!(with(0, Duration::from_secs(1)), half);
        assert_eq!(with(1, HISTORY_TTL_MAX), Ok(()));
        let long = Err(vec![RulesError::LongHistory("chat".into())]);
        assert_eq!(with(1, HISTORY_TTL_MAX + Duration::from_secs(1)), long);
    }

    #[test]
    fn all_mistakes_are_reported_together() {
        let durable = Namespace {
            class: Some(Class::Durable),
            ..named("chat")
        };
        let errors = Rules::new(1, vec![durable, named("x"), named("live"), named("live")]);
        let expected = vec![
            RulesError::NoHistory("chat".into()),
            RulesError::Name("x".into()),
            RulesError::Twice("live".into()),
        ];
        assert_eq!(errors, Err(expected));
    }

    #[test]
    fn a_channel_without_a_colon_has_the_nameless_namespace() {
        let rules = Rules::new(1, vec![named("")]).expect("good rules");
        let channel = |text| Channel::parse(text).expect("a valid name");
        assert!(rules.of(&channel("lobby")).is_some());
        assert!(rules.of(&channel("chat:1")).is_none());
    }
}
