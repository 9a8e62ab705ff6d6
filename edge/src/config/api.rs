//! The `[api]` section: who may call the server API, and how it answers errors.

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// The `[api]` section.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorMode {
    /// Status 200, with `error` in the body.
    #[default]
    #[serde(rename = "")]
    Body,
    /// The status that the error maps to, with the bare error as body.
    #[serde(rename = "transport")]
    Transport,
}
