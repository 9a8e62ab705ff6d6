//! What the environment or a flag has laid over the file.

use serde::de::DeserializeOwned;
use toml::Value;

use super::keys::Keys;

/// One key that was set from outside of the file.
#[derive(Clone, Debug)]
pub(super) struct Overlay {
    origin: String,
    /// Its parts between dots, the section first.
    path: String,
    text: String,
}

impl Overlay {
    /// `path` has its parts between `__`, the section first.
    pub(super) fn new(origin: &str, path: &str, text: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            path: path.replace("__", "."),
            text: text.to_owned(),
        }
    }

    /// The variable or flag.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether a mistake, `path: …` or `path …`, is about what this one has set.
    pub(super) fn made(&self, mistake: &str) -> bool {
        let end = mistake.find([':', ' ']).unwrap_or(mistake.len());
        let path = &mistake[..end];
        is_at_or_under(path, &self.path)
            || (mistake.contains("unknown section") && is_at_or_under(&self.path, path))
    }

    /// Keeps as a text what reads as a number but is set to a key that holds a text: a secret may be all digits.
    pub(super) fn keep_text(&self, section: &str, keys: &Keys, table: &mut Value) {
        if let Some(key) = self.key(section).filter(|key| keys.is_text(key)) {
            self.write_text(key, table);
        }
    }

    /// What it sets in a section; `None` when it sets something elsewhere.
    fn key(&self, section: &str) -> Option<&str> {
        self.path.strip_prefix(section)?.strip_prefix('.')
    }

    /// Writes its text where something else stands.
    fn write_text(&self, key: &str, table: &mut Value) {
        let mut parts = key.split('.');
        let found = parts.try_fold(table, |value, part| value.get_mut(part));
        if let Some(value) = found.filter(|value| !value.is_str()) {
            *value = Value::String(self.text.clone());
        }
    }
}

/// Keeps as texts what is set to keys without a default, which don't say that they hold texts: what can't be read as the
/// number that it looks like, but as a text can.
pub(super) fn keep_optional_texts<T: DeserializeOwned>(
    overlays: &[Overlay],
    section: &str,
    keys: &Keys,
    table: &mut Value,
) {
    while let Some(key) = misread::<T>(table).filter(|key| keys.is_without_default(key)) {
        let mut newest_first = overlays.iter().rev();
        let sets_it = |overlay: &&Overlay| overlay.key(section) == Some(key.as_str());
        let Some(overlay) = newest_first.find(sets_it) else {
            return;
        };
        let mut with_text = table.clone();
        overlay.write_text(&key, &mut with_text);
        if misread::<T>(&with_text).as_ref() == Some(&key) {
            return;
        }
        *table = with_text;
    }
}

/// The first key whose value isn't of its type.
fn misread<T: DeserializeOwned>(table: &Value) -> Option<String> {
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(table.clone(), &mut track);
    let result = T::deserialize(tracked);
    result.is_err().then(|| track.path().to_string())
}

fn is_at_or_under(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
