//! The keys that a section has, and which of them a wrong one was probably meant to be.

use serde::Serialize;
use serde_json::Value;

use super::SECTIONS;

/// Likeness, from 0 to 1, from which one word is taken for a slip of another.
const LIKENESS_MIN: f64 = 0.85;

/// The keys of a section with their defaults.
pub(super) struct Keys(Value);

impl Keys {
    /// Those of a section's type; JSON, unlike TOML, also writes the ones without a default.
    pub(super) fn of<T: Serialize + Default>() -> Self {
        Self(serde_json::to_value(T::default()).unwrap_or_default())
    }

    /// Whether the key at `path`, its parts between dots, holds a text.
    pub(super) fn is_text(&self, path: &str) -> bool {
        self.at(path).is_some_and(Value::is_string)
    }

    /// Whether the key at `path` may be left out, so that nothing tells what it holds.
    pub(super) fn is_without_default(&self, path: &str) -> bool {
        self.at(path).is_some_and(Value::is_null)
    }

    /// What is said of a key that isn't there.
    pub(super) fn unknown(&self, path: &str) -> String {
        let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
        let siblings = self.at(parent).and_then(Value::as_object);
        let siblings = siblings
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str());
        unknown("key", key, siblings)
    }

    fn at(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.').filter(|part| !part.is_empty());
        parts.try_fold(&self.0, |value, part| value.get(part))
    }
}

/// What is said of a section that no binary reads.
pub(super) fn unknown_section(name: &str) -> String {
    unknown("section", name, SECTIONS.into_iter())
}

/// `unknown KIND`, with the one of `known` that is most like `name`, if any is like it.
pub(super) fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let likeness = known.map(|known| (strsim::jaro_winkler(name, known), known));
    let nearest = likeness
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((_, nearest)) => format!("unknown {kind}; did you mean {nearest}?"),
        None => format!("unknown {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Serialize)]
    struct Client {
        ca_file: Option<String>,
        ping_interval: u32,
        token: Token,
    }

    #[derive(Default, Serialize)]
    struct Token {
        hmac_secret_key: String,
    }

    #[test]
    fn a_slip_is_told_from_what_no_key_is_like() {
        let keys = Keys::of::<Client>();
        assert_eq!(
            keys.unknown("ping_intervall"),
            "unknown key; did you mean ping_interval?"
        );
        assert_eq!(keys.unknown("cafile"), "unknown key; did you mean ca_file?");
        assert_eq!(keys.unknown("colour"), "unknown key");
        assert_eq!(
            keys.unknown("token.hmac_secret"),
            "unknown key; did you mean hmac_secret_key?"
        );
    }

    #[test]
    fn texts_are_told_from_numbers() {
        let keys = Keys::of::<Client>();
        assert!(keys.is_text("token.hmac_secret_key"));
        assert!(!keys.is_text("ping_interval") && !keys.is_text("nothing.here"));
        assert!(keys.is_without_default("ca_file") && !keys.is_without_default("ping_interval"));
    }
}
