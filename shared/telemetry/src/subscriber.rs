//! Log lines on standard error: text for people, JSON for machines.

use std::io::IsTerminal;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::log_output::LogOutput;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// Text.
    Text,
    /// One JSON object per line.
    Json,
}

/// The `[log]` section of `trunkline.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogConfig {
    /// Which lines are written, as `tracing` filters are: `"debug"`, `"info,trunkline_link=debug"`, …
    ///
    /// Default `"info,fjall=warn,lsm_tree=warn"`: the embedded store's database tells each of its steps at `info`. The
    /// variable `RUST_LOG` wins over it.
    pub filter: String,
    /// How they look: `"auto"` (default), `"text"` or `"json"`.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            filter: "info,fjall=warn,lsm_tree=warn".to_owned(),
            format: LogFormat::Auto,
        }
    }
}

/// Why logging can't begin.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter doesn't parse.
    #[error("log.filter {filter:?}: {error}")]
    BadFilter {
        /// The filter.
        filter: String,
        /// Why.
        error: String,
    },
    /// The process logs already.
    #[error("logging was set up twice")]
    Twice,
}

impl LogConfig {
    /// Everything that is wrong with the values, each in one line that names its key. Empty when all is well.
    pub fn problems(&self) -> Vec<String> {
        parse(&self.filter)
            .err()
            .map(|error| error.to_string())
            .into_iter()
            .collect()
    }

    fn json(&self) -> bool {
        match self.format {
            LogFormat::Auto => !std::io::stderr().is_terminal(),
            LogFormat::Text => false,
            LogFormat::Json => true,
        }
    }
}

/// Begins logging to standard error, once per process.
///
/// Lines that can't be written are lost, and counted by [`log_lines_lost`](crate::log_lines_lost).
///
/// # Errors
/// When the filter doesn't parse, or logging has begun already.
pub fn init(config: &LogConfig) -> Result<(), LogError> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(filter) if !filter.is_empty() => parse(&filter)?,
        Ok(_) | Err(_) => parse(&config.filter)?,
    };
    let builder = fmt()
        .with_env_filter(filter)
        .with_writer(LogOutput)
        .log_internal_errors(false);
    let done = if config.json() {
        builder.json().flatten_event(true).finish().try_init()
    } else {
        builder
            .with_ansi(std::io::stderr().is_terminal())
            .finish()
            .try_init()
    };
    done.map_err(|_| LogError::Twice)
}

fn parse(filter: &str) -> Result<EnvFilter, LogError> {
    EnvFilter::try_new(filter).map_err(|error| LogError::BadFilter {
        filter: filter.to_owned(),
        error: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_filter_is_good() {
        assert_eq!(LogConfig::default().problems(), Vec::<String>::new());
    }

    #[test]
    fn a_bad_filter_is_named() {
        let config = LogConfig {
            filter: "info,trunkline=loudly".to_owned(),
            ..LogConfig::default()
        };
        let problems = config.problems();
        assert!(
            problems[0].starts_with("log.filter \"info,trunkline=loudly\""),
            "{problems:?}"
        );
    }

    #[test]
    fn logging_begins_once() {
        assert!(init(&LogConfig::default()).is_ok());
        assert!(matches!(init(&LogConfig::default()), Err(LogError::Twice)));
    }
}
