//! The rules of the mesh as they lie beside the ring view, and what a configuration may change of them.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use trunkline_shared::rules::{Class, Namespace, Rules};

/// The rules of the mesh, with what outlives namespaces that were removed from them.
///
/// In the store they are JSON: they are read by people who look for what went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRules {
    rules: Rules,
    /// Durable namespaces that aren't in the rules any more. Their messages may still be there, for when they come back.
    #[serde(default)]
    removed: BTreeMap<String, Fixed>,
}

/// What a namespace that has data can't change: whether its messages are in the store, and in which slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fixed {
    class: Class,
    routing_segments: u8,
}

impl From<&Namespace> for Fixed {
    fn from(namespace: &Namespace) -> Self {
        Self {
            class: namespace.class(),
            routing_segments: namespace.routing_segments,
        }
    }
}

/// Something that a namespace with data can't change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedChange {
    /// Which namespace.
    pub namespace: String,
    /// It was durable: nodes that live under the old rules may give it data at any moment.
    pub was_durable: bool,
    key: &'static str,
    from: String,
    to: String,
}

/// For people; what stands in the way comes behind it.
impl fmt::Display for FixedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            namespace,
            key,
            from,
            to,
            ..
        } = self;
        write!(
            f,
            "namespace {namespace:?}: {key} can't change from {from} to {to}"
        )
    }
}

impl KeptRules {
    /// The first rules of a mesh.
    pub fn first(rules: Rules, version: u64) -> Self {
        let removed = BTreeMap::new();
        Self { rules, removed }.again(version)
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// When it is no such JSON, or names what this program doesn't know: a later one may have written it.
    pub fn read(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Writes them as JSON.
    ///
    /// # Panics
    /// Never: rules have text keys and plain values.
    pub fn write(&self) -> Bytes {
        let json = serde_json::to_vec(self);
        json.expect("rules have text keys and plain values").into()
    }

    /// The rules.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Their version, which the view names that they are written with.
    pub const fn version(&self) -> u64 {
        self.rules.version
    }

    /// The same rules under another version.
    #[must_use]
    pub fn again(mut self, version: u64) -> Self {
        self.rules.version = version;
        self
    }

    /// Whether they are those of a configuration, whatever their version.
    pub fn say(&self, configured: &Rules) -> bool {
        self.rules.iter().eq(configured.iter())
    }

    /// What a configuration changes that a namespace with data can't. The class is the one that holds: the one set, or what
    /// follows from the history.
    pub fn fixed_changes(&self, configured: &Rules) -> Vec<FixedChange> {
        let changes = configured.iter().flat_map(|namespace| {
            let before = self.fixed(&namespace.name);
            before.map_or_else(Vec::new, |before| changes(namespace, before))
        });
        changes.collect()
    }

    fn fixed(&self, name: &str) -> Option<Fixed> {
        let mut rules = self.rules.iter();
        let present = rules.find(|namespace| namespace.name == name);
        present
            .map(Fixed::from)
            .or_else(|| self.removed.get(name).copied())
    }

    /// The rules of a configuration in the place of these.
    #[must_use]
    pub fn followed_by(&self, configured: Rules, version: u64) -> Self {
        let durable = self.rules.iter().filter_map(|namespace| {
            let is_durable = namespace.class() == Class::Durable;
            is_durable.then(|| (namespace.name.clone(), Fixed::from(namespace)))
        });
        let mut removed = self.removed.clone();
        removed.extend(durable);
        for namespace in configured.iter() {
            removed.remove(&namespace.name);
        }
        let rules = configured;
        Self { rules, removed }.again(version)
    }
}

fn changes(namespace: &Namespace, before: Fixed) -> Vec<FixedChange> {
    let after = Fixed::from(namespace);
    let change = |key, from, to| FixedChange {
        namespace: namespace.name.clone(),
        was_durable: before.class == Class::Durable,
        key,
        from,
        to,
    };
    let class = (before.class != after.class).then(|| {
        let [from, to] = [before, after].map(|fixed| name(fixed.class).to_owned());
        change("class", from, to)
    });
    let segments = (before.routing_segments != after.routing_segments).then(|| {
        let [from, to] = [before, after].map(|fixed| fixed.routing_segments.to_string());
        change("routing_segments", from, to)
    });
    class.into_iter().chain(segments).collect()
}

/// As in a configuration.
const fn name(class: Class) -> &'static str {
    match class {
        Class::Durable => "durable",
        Class::Buffered => "buffered",
        Class::Ephemeral => "ephemeral",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn namespace(name: &str, class: Class, routing_segments: u8) -> Namespace {
        let kept = u32::from(class != Class::Ephemeral);
        Namespace {
            name: name.to_owned(),
            class: Some(class),
            history_size: kept,
            history_ttl: Duration::from_secs(kept.into()),
            routing_segments,
            ..Namespace::default()
        }
    }

    fn rules(namespaces: &[Namespace]) -> Rules {
        Rules::new(0, namespaces.to_vec()).expect("good rules")
    }

    fn said(kept: &KeptRules, configured: &[Namespace]) -> Vec<String> {
        let changes = kept.fixed_changes(&rules(configured));
        changes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_class_and_routing_segments_are_fixed() {
        let chat = namespace("chat", Class::Durable, 0);
        let kept = KeptRules::first(rules(std::slice::from_ref(&chat)), 7);
        let same = Namespace {
            history_size: 9,
            presence: true,
            ..chat
        };
        let new = namespace("live", Class::Buffered, 2);
        assert_eq!(said(&kept, &[same, new]), [""; 0]);
        assert_eq!(said(&kept, &[]), [""; 0], "a namespace may be removed");
        assert_eq!(
            said(&kept, &[namespace("chat", Class::Buffered, 2)]),
            [
                "namespace \"chat\": class can't change from durable to buffered",
                "namespace \"chat\": routing_segments can't change from 0 to 2"
            ]
        );
    }

    #[test]
    fn a_class_that_is_written_out_or_follows_from_the_history_is_one() {
        let live = namespace("live", Class::Buffered, 0);
        let unsaid = Namespace {
            class: None,
            ..live.clone()
        };
        let kept = KeptRules::first(rules(&[live]), 7);
        assert_eq!(said(&kept, std::slice::from_ref(&unsaid)), [""; 0]);
        let without_history = Namespace {
            history_size: 0,
            history_ttl: Duration::ZERO,
            ..unsaid
        };
        assert_eq!(
            said(&kept, &[without_history]),
            ["namespace \"live\": class can't change from buffered to ephemeral"]
        );
    }

    #[test]
    fn a_durable_namespace_that_was_removed_comes_back_as_it_was() {
        let first = [
            namespace("chat", Class::Durable, 2),
            namespace("live", Class::Buffered, 2),
        ];
        let kept = KeptRules::first(rules(&first), 1);
        let kept = kept.followed_by(rules(&[]), 2).followed_by(rules(&[]), 3);
        let back = [
            namespace("chat", Class::Durable, 0),
            namespace("live", Class::Buffered, 0),
        ];
        assert_eq!(
            said(&kept, &back),
            ["namespace \"chat\": routing_segments can't change from 2 to 0"]
        );
        // Once it is back it is compared with what it is then.
        let kept = kept.followed_by(rules(&back), 4);
        assert_eq!(said(&kept, &back), [""; 0]);
        assert_eq!(kept, KeptRules::first(rules(&back), 4));
    }

    #[test]
    fn rules_are_read_as_they_were_written() {
        let kept = KeptRules::first(rules(&[namespace("chat", Class::Durable, 2)]), 1);
        let kept = kept.followed_by(rules(&[namespace("live", Class::Buffered, 0)]), 2);
        let read = KeptRules::read(&kept.write()).expect("JSON");
        assert_eq!(read, kept);
        assert_eq!(read.version(), 2);
    }

    #[test]
    fn rules_of_a_later_program_are_told_apart() {
        let kept = KeptRules::first(rules(&[namespace("chat", Class::Durable, 2)]), 1);
        let text = String::from_utf8(kept.write().to_vec()).expect("JSON is text");
        let later = text.replace("\"presence\"", "\"what_comes_later\"");
        let error = KeptRules::read(later.as_bytes()).expect_err("an unknown key");
        assert!(error.to_string().contains("what_comes_later"), "{error}");
        assert!(KeptRules::read(b"\xff").is_err());
    }

    #[test]
    fn a_format_that_was_released_is_read() {
        let json = r#"{"rules":{"version":1795560483258,"namespaces":{"chat":{"name":"chat","class":"durable",
            "history_size":1000,"history_ttl":"1day","routing_segments":2,"presence":true}}},
            "removed":{"live":{"class":"durable","routing_segments":0}}}"#;
        let kept = KeptRules::read(json.as_bytes()).expect("it is read for ever");
        assert_eq!(kept.version(), 1_795_560_483_258);
        let changed = [
            namespace("chat", Class::Durable, 0),
            namespace("live", Class::Durable, 1),
        ];
        assert_eq!(said(&kept, &changed).len(), 2);
    }
}
