//! The name of a channel and what its parts mean.

use std::fmt;

use rkyv::{Archive, Deserialize, Serialize};
use smol_str::SmolStr;

use crate::limits;
use crate::slot::Slot;

/// A name that can't be a channel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// No bytes at all.
    #[error("channel name is empty")]
    Empty,
    /// More bytes than [`limits::CHANNEL_BYTES_MAX`].
    #[error("channel name has {bytes} bytes, more than 255")]
    TooLong {
        /// Bytes of the name.
        bytes: usize,
    },
}

/// A channel's name: 1 to 255 bytes of UTF-8, compared byte by byte.
///
/// Cheap to clone. Which characters a *client* may use is a rule of its edge, not of this type: the server API may name
/// any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Archive, Serialize, Deserialize)]
pub struct Channel(SmolStr);

impl Channel {
    /// Parses a name.
    ///
    /// # Errors
    /// When it is empty or longer than 255 bytes.
    pub fn parse(text: &str) -> Result<Self, ChannelError> {
        match text.len() {
            0 => Err(ChannelError::Empty),
            1..=limits::CHANNEL_BYTES_MAX => Ok(Self(SmolStr::new(text))),
            bytes => Err(ChannelError::TooLong { bytes }),
        }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The namespace: what stands before the first `:`, without a leading `$`; `None` when there is no `:`, and for a
    /// user's personal channel (`#user`), whose user id may have one.
    pub fn namespace(&self) -> Option<&str> {
        if self.0.starts_with('#') {
            return None;
        }
        let name = self.0.strip_prefix('$').unwrap_or(&self.0);
        name.split_once(':').map(|(namespace, _)| namespace)
    }

    /// What stands after the namespace and its `:`; the whole name when there is no namespace.
    pub fn rest(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(_, rest)| rest)
    }

    /// Whether the name begins with `$`: a subscription then needs a token.
    pub fn is_private(&self) -> bool {
        self.0.starts_with('$')
    }

    /// The users after the last `#`, when there is one: `dialog#42,43` names `42` and `43`.
    pub fn users(&self) -> Option<impl Iterator<Item = &str>> {
        self.0.rsplit_once('#').map(|(_, users)| users.split(','))
    }

    /// The routing key: the whole name, or its first `segments` parts between colons when `segments` is above 0.
    pub fn routing_key(&self, segments: u8) -> &str {
        if segments == 0 {
            return &self.0;
        }
        let end = self.0.match_indices(':').nth(usize::from(segments) - 1);
        end.map_or(&*self.0, |(index, _)| &self.0[..index])
    }

    /// The slot that owns the channel, under a namespace's `routing_segments` (0: the whole name).
    pub fn slot(&self, routing_segments: u8) -> Slot {
        Slot::of(self.routing_key(routing_segments))
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(text: &str) -> Channel {
        Channel::parse(text).expect("a valid name")
    }

    #[test]
    fn the_namespace_is_what_stands_before_the_first_colon() {
        assert_eq!(channel("chat:42:x").namespace(), Some("chat"));
        assert_eq!(channel("$chat:42").namespace(), Some("chat"));
        assert_eq!(channel("lobby").namespace(), None);
        assert_eq!(channel("#auth0:1").namespace(), None);
    }

    #[test]
    fn the_routing_key_is_the_first_segments() {
        assert_eq!(channel("scores:nba:lakers").routing_key(2), "scores:nba");
        assert_eq!(channel("scores:nba").routing_key(2), "scores:nba");
        assert_eq!(
            channel("scores:nba:lakers").routing_key(0),
            "scores:nba:lakers"
        );
    }

    #[test]
    fn channels_with_one_routing_key_share_a_slot() {
        assert_eq!(
            channel("scores:nba:lakers").slot(2),
            channel("scores:nba:bulls").slot(2)
        );
    }

    #[test]
    fn empty_and_overlong_names_are_refused() {
        assert_eq!(Channel::parse(""), Err(ChannelError::Empty));
        assert_eq!(
            Channel::parse(&"x".repeat(256)),
            Err(ChannelError::TooLong { bytes: 256 })
        );
    }
}
