//! Which channel a client may name, and the rules of its namespace.

use trunkline_protocol::ErrorCode;
use trunkline_shared::Channel;
use trunkline_shared::rules::{Namespace, Rules};

/// The namespace of a channel that a client names.
///
/// Without rules nothing is known, which is temporary: 102 or 103 would end a subscription for good.
pub(super) fn namespace<'a>(
    rules: Option<&'a Rules>,
    channel: &Channel,
) -> Result<&'a Namespace, ErrorCode> {
    let rules = rules.ok_or(ErrorCode::Internal)?;
    let namespace = rules.of(channel).ok_or(ErrorCode::UnknownChannel)?;
    if channel.as_str().is_ascii() {
        Ok(namespace)
    } else {
        Err(ErrorCode::BadRequest)
    }
}

/// The user that a personal channel belongs to: what stands behind a leading `#`.
pub(super) fn owner(channel: &Channel) -> Option<&str> {
    channel.as_str().strip_prefix('#')
}

/// Whether a personal channel belongs to the user; any other channel does.
///
/// `design.md` §7: a channel that starts with `#` is for the user it names, whatever the rules say.
pub(super) fn is_open_to(channel: &Channel, user: &str) -> bool {
    owner(channel).is_none_or(|owner| !owner.is_empty() && owner == user)
}

/// Whether a channel names the users that it is for, and its namespace heeds that.
pub(super) fn is_user_limited(namespace: &Namespace, channel: &Channel) -> bool {
    namespace.allow_user_limited_channels && channel.users().is_some()
}

/// Whether a channel names this user among those behind its last `#`.
pub(super) fn names_user(channel: &Channel, user: &str) -> bool {
    !user.is_empty()
        && channel
            .users()
            .is_some_and(|mut users| users.any(|named| named == user))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(text: &str) -> Channel {
        Channel::parse(text).expect("a valid name")
    }

    #[test]
    fn a_personal_channel_is_open_to_its_user_only() {
        assert!(is_open_to(&channel("#42"), "42"));
        assert!(!is_open_to(&channel("#42"), "43"));
        assert!(!is_open_to(&channel("#42,43"), "43"));
        assert!(!is_open_to(&channel("#"), ""));
        assert!(is_open_to(&channel("chat:#42"), "43"));
    }

    #[test]
    fn users_stand_behind_the_last_hash() {
        assert!(names_user(&channel("d#1#42,43"), "43"));
        assert!(!names_user(&channel("d#1#42,43"), "1"));
        assert!(!names_user(&channel("d#"), ""));
        assert!(!names_user(&channel("d"), "d"));
    }

    #[test]
    fn without_rules_nothing_is_refused_for_good() {
        assert_eq!(
            namespace(None, &channel("chat:1")).err(),
            Some(ErrorCode::Internal)
        );
    }
}
