//! Values that are never shown.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize, Serializer};

/// A text that neither logs nor error messages show; written out it is `***`, or empty when there is none.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// How many bytes it has.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to keep secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `guess` is it, in a time that doesn't depend on where they differ. An empty secret matches nothing.
    pub fn matches(&self, guess: &[u8]) -> bool {
        !self.is_empty() && verify_slices_are_equal(self.0.as_bytes(), guess).is_ok()
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.is_empty() { "" } else { "***" })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() {
            "(not set)"
        } else {
            "(set)"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_text_matches() {
        let secret = Secret::new("key");
        assert!(secret.matches(b"key"));
        assert!(!secret.matches(b"kez"));
        assert!(!secret.matches(b"keys"));
        assert!(!secret.matches(b""));
    }

    #[test]
    fn an_empty_secret_matches_nothing() {
        assert!(!Secret::default().matches(b""));
    }

    #[test]
    fn it_is_not_shown() {
        assert_eq!(
            format!("{:?} {:?}", Secret::new("hunter2"), Secret::default()),
            "(set) (not set)"
        );
        let written = serde_json::to_string(&[Secret::new("hunter2"), Secret::default()]);
        assert_eq!(written.expect("JSON"), r#"["***",""]"#);
    }
}
