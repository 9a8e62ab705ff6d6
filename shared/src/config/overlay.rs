//! What the environment or a flag has laid over the file.

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
        let key = self
            .path
            .strip_prefix(section)
            .and_then(|rest| rest.strip_prefix('.'));
        let Some(key) = key.filter(|key| keys.is_text(key)) else {
            return;
        };
        let mut parts = key.split('.');
        let found = parts.try_fold(table, |value, part| value.get_mut(part));
        if let Some(value) = found.filter(|value| !value.is_str()) {
            *value = Value::String(self.text.clone());
        }
    }
}

fn is_at_or_under(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
