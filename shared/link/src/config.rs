//! The `[link]` section of `trunkline.toml`, the same for edges and nodes.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// How a link decides how much it may have under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Congestion {
    /// Gives way at every loss; for links inside a region and clean long ones.
    #[default]
    Cubic,
    /// Measures the path instead of counting losses; for long lossy links. Experimental in quinn.
    Bbr,
}

/// The `[link]` section, read through [`Source`](trunkline_shared::config::Source), which refuses unknown keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkConfig {
    /// PEM file of the authority whose certificates are believed. Needed; no default.
    pub ca_file: Option<PathBuf>,
    /// PEM file of this process's certificate chain, leaf first. Needed; no default.
    pub certificate_file: Option<PathBuf>,
    /// PEM file of the leaf's private key. Needed; no default. Reset keys are derived from it: one key per process.
    pub key_file: Option<PathBuf>,
    /// Congestion controller, `"cubic"` (default) or `"bbr"`.
    pub congestion: Congestion,
    /// Silence after which a link counts as lost. Default 10 s; the smaller one of both ends holds.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// Silence after which a sign of life is sent. Default 3 s; under half of `idle_timeout`, so that one may be lost.
    #[serde(with = "humantime_serde")]
    pub keep_alive: Duration,
    /// Time from the first packet to the end of the hellos. Default 5 s.
    #[serde(with = "humantime_serde")]
    pub handshake_timeout: Duration,
    /// Longest wait before the first new attempt after a loss. Default 50 ms; doubles with each failure.
    #[serde(with = "humantime_serde")]
    pub reconnect_min: Duration,
    /// Longest wait before any attempt. Default 2 s.
    #[serde(with = "humantime_serde")]
    pub reconnect_max: Duration,
    /// Time a closing link gives its queues to empty. Default 2 s.
    #[serde(with = "humantime_serde")]
    pub goodbye_timeout: Duration,
    /// Unread bytes that one lane may hold here. Default 24 MiB: 1 Gbit/s over 150 ms is 18.75 MB.
    pub stream_window: ByteSize,
    /// Unread bytes that one link may hold here. Default 48 MiB.
    pub receive_window: ByteSize,
    /// Unacknowledged bytes that one link may hold here. Default 48 MiB; memory per link in the worst case.
    pub send_window: ByteSize,
    /// Size asked for both buffers of the UDP socket. Default 4 MiB; the system may give less.
    pub socket_buffer: ByteSize,
    /// Bytes queued on one lane beyond which the link is closed. Default 64 MiB: a guard, the cores stay far below.
    pub queue_bytes_max: ByteSize,
    /// Ephemeral bytes queued or under way beyond which new ones are dropped. Default 1 MiB.
    pub ephemeral_bytes_max: ByteSize,
    /// Links a node accepts, handshakes included; more are refused. Default 1024.
    pub links_max: usize,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            ca_file: None,
            certificate_file: None,
            key_file: None,
            congestion: Congestion::Cubic,
            idle_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(3),
            handshake_timeout: Duration::from_secs(5),
            reconnect_min: Duration::from_millis(50),
            reconnect_max: Duration::from_secs(2),
            goodbye_timeout: Duration::from_secs(2),
            stream_window: ByteSize::mib(24),
            receive_window: ByteSize::mib(48),
            send_window: ByteSize::mib(48),
            socket_buffer: ByteSize::mib(4),
            queue_bytes_max: ByteSize::mib(64),
            ephemeral_bytes_max: ByteSize::mib(1),
            links_max: 1024,
        }
    }
}

impl LinkConfig {
    /// Everything that is wrong with the values, each in one line that names its key. Empty when all is well.
    pub fn problems(&self) -> Vec<String> {
        let frame = trunkline_shared::limits::FRAME_BYTES_MAX as u64;
        let day = Duration::from_secs(86_400);
        let minute = Duration::from_secs(60);
        let window_max = 1 << 30;
        let checks = [
            (
                self.keep_alive * 2 < self.idle_timeout,
                "link.keep_alive: must be under half of link.idle_timeout",
            ),
            (
                !self.keep_alive.is_zero(),
                "link.keep_alive: must be above 0",
            ),
            (
                self.idle_timeout <= day,
                "link.idle_timeout: must be at most 1 day",
            ),
            (
                within(self.handshake_timeout, minute),
                "link.handshake_timeout: must be above 0 and at most 1 minute",
            ),
            (
                within(self.reconnect_max, minute),
                "link.reconnect_max: must be above 0 and at most 1 minute",
            ),
            (
                within(self.reconnect_min, self.reconnect_max),
                "link.reconnect_min: must be above 0 and at most link.reconnect_max",
            ),
            (
                self.goodbye_timeout <= minute,
                "link.goodbye_timeout: must be at most 1 minute",
            ),
            (
                self.stream_window.0 >= frame,
                "link.stream_window: must hold a frame (1 MiB)",
            ),
            (
                self.receive_window >= self.stream_window,
                "link.receive_window: must be at least link.stream_window",
            ),
            (
                self.receive_window.0 <= window_max,
                "link.receive_window: must be at most 1 GiB",
            ),
            (
                self.send_window.0 >= frame,
                "link.send_window: must hold a frame (1 MiB)",
            ),
            (
                self.send_window.0 <= window_max,
                "link.send_window: must be at most 1 GiB",
            ),
            (
                self.socket_buffer.0 <= window_max,
                "link.socket_buffer: must be at most 1 GiB",
            ),
            (
                self.queue_bytes_max.0 >= frame,
                "link.queue_bytes_max: must hold a frame (1 MiB)",
            ),
            (
                self.ephemeral_bytes_max.0 >= 65_536,
                "link.ephemeral_bytes_max: must be at least 64 KiB",
            ),
            (self.links_max >= 1, "link.links_max: must be at least 1"),
        ];
        checks
            .into_iter()
            .filter(|(good, _)| !good)
            .map(|(_, problem)| problem.to_owned())
            .collect()
    }
}

fn within(value: Duration, max: Duration) -> bool {
    !value.is_zero() && value <= max
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_shared::config::{ConfigErrors, Source};

    #[test]
    fn the_defaults_are_good() {
        assert_eq!(LinkConfig::default().problems(), Vec::<String>::new());
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let config = LinkConfig {
            keep_alive: Duration::from_secs(5),
            links_max: 0,
            ..LinkConfig::default()
        };
        assert_eq!(config.problems().len(), 2);
    }

    #[test]
    fn a_section_is_read_with_units_and_unknown_keys_are_refused() {
        let text = r#"
            [link]
            idle_timeout = "60s"
            congestion = "bbr"
            stream_window = "2MiB"
            idle = "60s"
            keep_alife = "3s"
        "#;
        let mut source = Source::parse(text, std::iter::empty()).expect("TOML");
        let config: LinkConfig = source.section("link");
        assert_eq!(config.idle_timeout, Duration::from_secs(60));
        assert_eq!(config.congestion, Congestion::Bbr);
        assert_eq!(config.stream_window, ByteSize::mib(2));
        assert_eq!(config.keep_alive, Duration::from_secs(3));
        let ConfigErrors(errors) = source.finish().expect_err("two unknown keys");
        assert_eq!(
            errors,
            [
                "link.idle: unknown key; did you mean idle_timeout?",
                "link.keep_alife: unknown key; did you mean keep_alive?"
            ]
        );
    }
}
