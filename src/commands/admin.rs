//! The admin listeners of a mesh's processes, as tools ask them.

use std::time::Duration;

use serde::de::DeserializeOwned;
use trunkline_process::Failure;
use ureq::Agent;

/// Time for a page; a process that is later counts as down.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The listener that a flag's URL names, as `HOST:PORT`; the URL of its `page` is taken too.
///
/// # Errors
/// When it isn't the HTTP URL of either.
pub(super) fn listener(flag: &str, url: &str, page: &str) -> Result<String, Failure> {
    let bad = || Failure::Configuration(format!("{flag} {url}: not like http://127.0.0.1:9190"));
    let rest = url.strip_prefix("http://").ok_or_else(bad)?;
    let name = rest.split('/').next().unwrap_or_default();
    let path = rest[name.len()..].trim_end_matches('/');
    if name.is_empty() || !(path.is_empty() || path == page) {
        return Err(bad());
    }
    Ok(name.to_owned())
}

/// Who asks.
pub(super) fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        // Processes of the mesh are asked, never a proxy.
        .proxy(None)
        .build();
    config.into()
}

/// A page as text.
pub(super) fn text(agent: &Agent, url: &str) -> Result<String, ureq::Error> {
    agent.get(url).call()?.body_mut().read_to_string()
}

/// A page of JSON.
pub(super) fn json<T: DeserializeOwned>(agent: &Agent, url: &str) -> Result<T, String> {
    let text = text(agent, url).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_that_of_the_listener_or_of_the_page_that_is_asked_for() {
        for url in [
            "http://node:9190",
            "http://node:9190/",
            "http://node:9190/metrics",
        ] {
            let name = listener("--url", url, "/metrics").expect("a URL");
            assert_eq!(name, "node:9190");
        }
        for url in [
            "node:9190",
            "https://node:9190",
            "http://",
            "http://node/health",
            "http://node/ring",
        ] {
            assert!(listener("--url", url, "/metrics").is_err(), "{url}");
        }
    }
}
