//! What may be set about clients: section `[client]`, names of `client-protocol.md` §19.

use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize, Serializer};
use trunkline_shared::limits;

/// Settings of client connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientConfig {
    /// Tokens of the application.
    pub token: TokenConfig,
    /// Lets clients without a token in, as nobody. Default false.
    pub allow_anonymous_connect_without_token: bool,
    /// Refuses tokens that name no user, 3507. Default false.
    pub disallow_anonymous_connection_tokens: bool,
    /// Origins whose pages may connect, as patterns with `*`; with none only requests without an `Origin` header may.
    ///
    /// Default none. Read by the shell.
    pub allowed_origins: Vec<String>,
    /// Time between pings; clients are told it in whole seconds. Default 25 s; 0 sends none.
    #[serde(with = "humantime_serde")]
    pub ping_interval: Duration,
    /// Time in which a ping is answered, else 3012. Default 8 s; below `ping_interval`.
    #[serde(with = "humantime_serde")]
    pub pong_timeout: Duration,
    /// Time in which a connection has connected, else 3502. Default 10 s.
    #[serde(with = "humantime_serde")]
    pub stale_close_delay: Duration,
    /// Time after a connection's expiry in which it may still refresh, else 3005. Default 25 s.
    #[serde(with = "humantime_serde")]
    pub expired_close_delay: Duration,
    /// Time after a subscription's expiry in which it may still refresh, else 2501. Default 25 s.
    #[serde(with = "humantime_serde")]
    pub expired_sub_close_delay: Duration,
    /// Channels of one connection; beyond it error 106. Default 128.
    pub channel_limit: usize,
    /// Bytes of a connection's send queue; full it is closed, 3008. Default 1 MiB.
    ///
    /// Memory of an edge in the worst case: this times its connections.
    pub queue_max_size: ByteSize,
    /// Publications in a connection's send queue; full it is closed, 3008. Default 1000.
    pub queue_max_publications: usize,
    /// Time in which every command is answered, else error 100. Default 4 s: SDKs give up at 5 s.
    #[serde(with = "humantime_serde")]
    pub command_deadline: Duration,
    /// Time between looks at a connection's subscriptions: their expiry and position. Default 27 s.
    #[serde(with = "humantime_serde")]
    pub presence_update_interval: Duration,
    /// Time that a positioned subscription may be behind its channel, else 2500. Default 40 s.
    #[serde(with = "humantime_serde")]
    pub channel_position_check_delay: Duration,
    /// Publications in one history reply. Default 300.
    pub history_max_publication_limit: u32,
    /// Publications that may have been missed by one that recovers. Default 300.
    pub recovery_max_publication_limit: u32,
    /// Time over which clients are told of a channel's new epoch. Default 5 s. Read by the way upstream.
    #[serde(with = "humantime_serde")]
    pub epoch_spread: Duration,
    /// Time over which connections close whose server-side subscriptions have a new epoch, 3010, or all of them where the
    /// edge is cut off and sends its clients elsewhere, 3001. Default 20 s.
    ///
    /// No key of the file: the shell passes `edge.drain_seconds`.
    #[serde(skip)]
    pub close_spread: Duration,
}

/// Settings of tokens.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenConfig {
    /// Secret of HS256, HS384 and HS512. Default empty: no token is valid. Written out as `***`.
    #[serde(serialize_with = "hide")]
    pub hmac_secret_key: String,
}

fn hide<S: Serializer>(secret: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if secret.is_empty() { "" } else { "***" })
}

/// Shows no secret.
impl std::fmt::Debug for TokenConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = !self.hmac_secret_key.is_empty();
        f.debug_struct("TokenConfig")
            .field("hmac_secret_key_is_set", &set)
            .finish()
    }
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            token: TokenConfig::default(),
            allow_anonymous_connect_without_token: false,
            disallow_anonymous_connection_tokens: false,
            allowed_origins: Vec::new(),
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(8),
            stale_close_delay: limits::HANDSHAKE_TIMEOUT,
            expired_close_delay: Duration::from_secs(25),
            expired_sub_close_delay: Duration::from_secs(25),
            channel_limit: limits::CHANNELS_PER_CONNECTION,
            queue_max_size: ByteSize(limits::SEND_QUEUE_BYTES_MAX as u64),
            queue_max_publications: limits::SEND_QUEUE_PUBLICATIONS_MAX,
            command_deadline: limits::COMMAND_DEADLINE,
            presence_update_interval: Duration::from_secs(27),
            channel_position_check_delay: Duration::from_secs(40),
            history_max_publication_limit: 300,
            recovery_max_publication_limit: 300,
            epoch_spread: limits::EPOCH_SPREAD,
            close_spread: Duration::from_secs(20),
        }
    }
}

/// A mistake in the settings; all are reported together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody could connect.
    #[error(
        "client.token.hmac_secret_key is empty and client.allow_anonymous_connect_without_token is off"
    )]
    NobodyMayConnect,
    /// SDKs count in seconds.
    #[error("client.ping_interval is above 0 and below 1 s")]
    PingTooShort,
    /// A ping would follow before its predecessor's pong is late.
    #[error("client.pong_timeout must be above 0 and below client.ping_interval")]
    PongTimeout,
    /// SDKs would give up first.
    #[error("client.command_deadline must be above 0 and below 5 s")]
    CommandDeadline,
    /// Something must be above 0.
    #[error("client.{0} must be above 0")]
    Zero(&'static str),
    /// A single publication wouldn't fit.
    #[error("client.queue_max_size must hold a payload, 64 KiB, with room to spare")]
    QueueTooSmall,
}

impl ClientConfig {
    /// Looks for mistakes.
    pub fn validate(&self) -> Vec<ConfigError> {
        let anonymous = self.allow_anonymous_connect_without_token;
        let pings = !self.ping_interval.is_zero();
        let faults = [
            (
                self.token.hmac_secret_key.is_empty() && !anonymous,
                ConfigError::NobodyMayConnect,
            ),
            (
                pings && self.ping_interval < Duration::from_secs(1),
                ConfigError::PingTooShort,
            ),
            (pings && !self.pong_timeout_fits(), ConfigError::PongTimeout),
            (!self.command_deadline_fits(), ConfigError::CommandDeadline),
            (
                self.queue_bytes_max() < 2 * limits::PAYLOAD_BYTES_MAX,
                ConfigError::QueueTooSmall,
            ),
        ];
        let found = faults
            .into_iter()
            .filter(|(is_fault, _)| *is_fault)
            .map(|(_, error)| error);
        found.chain(self.zeros()).collect()
    }

    /// `queue_max_size` as a number of bytes.
    pub fn queue_bytes_max(&self) -> usize {
        usize::try_from(self.queue_max_size.as_u64()).unwrap_or(usize::MAX)
    }

    fn pong_timeout_fits(&self) -> bool {
        !self.pong_timeout.is_zero() && self.pong_timeout < self.ping_interval
    }

    fn command_deadline_fits(&self) -> bool {
        !self.command_deadline.is_zero() && self.command_deadline < Duration::from_secs(5)
    }

    fn zeros(&self) -> impl Iterator<Item = ConfigError> {
        let zeros = [
            ("stale_close_delay", self.stale_close_delay.is_zero()),
            ("channel_limit", self.channel_limit == 0),
            ("queue_max_publications", self.queue_max_publications == 0),
            (
                "presence_update_interval",
                self.presence_update_interval.is_zero(),
            ),
            (
                "history_max_publication_limit",
                self.history_max_publication_limit == 0,
            ),
            (
                "recovery_max_publication_limit",
                self.recovery_max_publication_limit == 0,
            ),
        ];
        zeros
            .into_iter()
            .filter(|(_, is_zero)| *is_zero)
            .map(|(name, _)| ConfigError::Zero(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_a_secret_the_defaults_are_good() {
        let token = TokenConfig {
            hmac_secret_key: "secret".into(),
        };
        assert_eq!(
            ClientConfig {
                token,
                ..ClientConfig::default()
            }
            .validate(),
            []
        );
    }

    #[test]
    fn all_mistakes_are_reported_together() {
        let config = ClientConfig {
            pong_timeout: Duration::from_secs(25),
            command_deadline: Duration::from_secs(5),
            queue_max_size: ByteSize::kib(64),
            channel_limit: 0,
            ..ClientConfig::default()
        };
        let expected = [
            ConfigError::NobodyMayConnect,
            ConfigError::PongTimeout,
            ConfigError::CommandDeadline,
            ConfigError::QueueTooSmall,
            ConfigError::Zero("channel_limit"),
        ];
        assert_eq!(config.validate(), expected);
    }

    #[test]
    fn durations_and_sizes_are_read_as_text() {
        let read = serde_json::from_str::<ClientConfig>;
        let config =
            read(r#"{"ping_interval": "2s", "queue_max_size": "2MiB"}"#).expect("good settings");
        assert_eq!(config.ping_interval, Duration::from_secs(2));
        assert_eq!(config.queue_bytes_max(), 2 << 20);
    }

    #[test]
    fn what_is_written_out_is_read_as_the_same() {
        let text = serde_json::to_string(&ClientConfig::default()).expect("JSON");
        let read: ClientConfig = serde_json::from_str(&text).expect("good settings");
        assert_eq!(read, ClientConfig::default());
    }

    #[test]
    fn the_secret_is_not_shown() {
        let token = TokenConfig {
            hmac_secret_key: "hunter2".into(),
        };
        assert!(!format!("{token:?}").contains("hunter2"));
        let written = |token: &TokenConfig| serde_json::to_string(token).expect("JSON");
        assert_eq!(written(&token), r#"{"hmac_secret_key":"***"}"#);
        let empty = r#"{"hmac_secret_key":""}"#;
        assert_eq!(written(&TokenConfig::default()), empty);
    }
}
