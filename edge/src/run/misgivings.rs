//! What an edge starts with all the same, but says: too few open files, secrets that can be guessed.

use tracing::warn;
use trunkline_process::raise_open_files;

use crate::config::EdgeConfig;

/// Files open besides connections: listeners, the link's socket, logs, each worker's own few.
const SPARE_FILES: u64 = 256;

/// Bytes of a secret for HS256, as many as its hash has (RFC 7518 §3.2).
const HMAC_SECRET_BYTES_MIN: usize = 32;

/// Bytes of an API key: 128 random bits, written as 22 characters of base64 or more.
const API_KEY_BYTES_MIN: usize = 22;

/// Says what is doubtful. Dev mode has known secrets and no crowd.
pub(super) fn tell(config: &EdgeConfig) {
    let open_files = raise_open_files();
    if config.dev.is_some() {
        return;
    }
    let needed = needed_files(config);
    if open_files < needed {
        warn!(
            open_files,
            needed,
            "too few open files for edge.connection_limit: raise LimitNOFILE (ulimit -Hn), or lower the limit"
        );
    }
    let bytes = config.client.token.hmac_secret_key.len();
    if (1..HMAC_SECRET_BYTES_MIN).contains(&bytes) {
        warn!(
            bytes,
            "client.token.hmac_secret_key is short, and who guesses it is any user: make one by openssl rand -hex 32"
        );
    }
    let bytes = config.api.key.len();
    if (1..API_KEY_BYTES_MIN).contains(&bytes) {
        warn!(
            bytes,
            "api.key is short, and who guesses it may publish anything: make one by openssl rand -hex 32"
        );
    }
}

fn needed_files(config: &EdgeConfig) -> u64 {
    let edge = &config.edge;
    let connections = edge
        .connection_limit
        .saturating_add(edge.http_connection_limit);
    u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(SPARE_FILES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_mean_none_need_all_files_there_are() {
        let mut config = EdgeConfig::default();
        config.edge.connection_limit = usize::MAX;
        assert_eq!(needed_files(&config), u64::MAX);
    }
}
