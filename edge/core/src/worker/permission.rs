//! What the rules let a client do in a channel (`client-protocol.md` §7.2, §8, §9).

use trunkline_shared::Channel;
use trunkline_shared::rules::Namespace;

use super::channel_name::{is_open_to, is_user_limited, names_user};
use super::refusal::Denied;

/// A client before a channel.
#[derive(Clone, Copy)]
pub(super) struct Access<'a> {
    pub(super) namespace: &'a Namespace,
    pub(super) channel: &'a Channel,
    /// Empty for an anonymous client.
    pub(super) user: &'a str,
    /// Whether it is subscribed, or allowed to be and about to.
    pub(super) is_subscriber: bool,
}

impl Access<'_> {
    /// Whether the channel is one that the client's user may name: a personal one is for its user alone.
    pub(super) fn check_owner(self) -> Result<(), Denied> {
        permit(
            is_open_to(self.channel, self.user),
            Denied::OtherUsersChannel,
        )
    }

    /// Whether it may subscribe without a token.
    pub(super) fn check_subscribe(self) -> Result<(), Denied> {
        let Self {
            namespace,
            channel,
            user,
            ..
        } = self;
        if super::channel_name::owner(channel).is_some() {
            return self.check_owner();
        }
        if is_user_limited(namespace, channel) {
            return permit(names_user(channel, user), Denied::OtherUsersChannel);
        }
        let client = namespace.allow_subscribe_for_client;
        self.check(self.allows(client, false, namespace.allow_subscribe_for_anonymous))
    }

    /// Whether it may publish.
    pub(super) fn check_publish(self) -> Result<(), Denied> {
        self.check(self.may_publish())
    }

    /// Whether it may ask who is there.
    pub(super) fn check_presence(self) -> Result<(), Denied> {
        self.check(self.may_read_presence())
    }

    /// Whether it may read the past.
    pub(super) fn check_history(self) -> Result<(), Denied> {
        self.check(self.may_read_history())
    }

    /// What rules allow but names don't is told apart from what rules don't allow.
    fn check(self, is_allowed: bool) -> Result<(), Denied> {
        self.check_owner()?;
        permit(is_allowed, Denied::NotAllowed)
    }

    fn may_publish(self) -> bool {
        let Namespace {
            allow_publish_for_client: client,
            allow_publish_for_subscriber: subscriber,
            allow_publish_for_anonymous: anonymous,
            ..
        } = *self.namespace;
        self.allows(client, subscriber, anonymous)
    }

    /// Whether it may ask who is there.
    pub(super) fn may_read_presence(self) -> bool {
        let Namespace {
            allow_presence_for_client: client,
            allow_presence_for_subscriber: subscriber,
            allow_presence_for_anonymous: anonymous,
            ..
        } = *self.namespace;
        self.allows(client, subscriber, anonymous)
    }

    /// Whether it may read the past, and with it position itself and recover.
    pub(super) fn may_read_history(self) -> bool {
        let Namespace {
            allow_history_for_client: client,
            allow_history_for_subscriber: subscriber,
            allow_history_for_anonymous: anonymous,
            ..
        } = *self.namespace;
        self.allows(client, subscriber, anonymous)
    }

    /// An anonymous client needs a permission of its own, besides.
    fn allows(self, client: bool, subscriber: bool, anonymous: bool) -> bool {
        let somebody = anonymous || !self.user.is_empty();
        let permitted = client || (subscriber && self.is_subscriber);
        somebody && permitted && is_open_to(self.channel, self.user)
    }
}

fn permit(is_permitted: bool, otherwise: Denied) -> Result<(), Denied> {
    is_permitted.then_some(()).ok_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access<'a>(
        namespace: &'a Namespace,
        channel: &'a Channel,
        user: &'a str,
        is_subscriber: bool,
    ) -> Access<'a> {
        Access {
            namespace,
            channel,
            user,
            is_subscriber,
        }
    }

    fn channel(text: &str) -> Channel {
        Channel::parse(text).expect("a valid name")
    }

    #[test]
    fn nothing_is_permitted_by_default() {
        let (namespace, channel) = (Namespace::default(), channel("chat:1"));
        let access = access(&namespace, &channel, "42", true);
        assert_eq!(access.check_subscribe(), Err(Denied::NotAllowed));
        assert_eq!(access.check_publish(), Err(Denied::NotAllowed));
        assert!(!access.may_read_presence() && !access.may_read_history());
    }

    #[test]
    fn an_anonymous_client_needs_its_own_permission() {
        let named = Namespace {
            allow_publish_for_client: true,
            ..Namespace::default()
        };
        let anonymous = Namespace {
            allow_publish_for_anonymous: true,
            ..named.clone()
        };
        let channel = channel("chat:1");
        assert!(access(&named, &channel, "42", false).may_publish());
        assert!(!access(&named, &channel, "", false).may_publish());
        assert!(access(&anonymous, &channel, "", false).may_publish());
    }

    #[test]
    fn a_subscribers_permission_ends_with_its_subscription() {
        let namespace = Namespace {
            allow_history_for_subscriber: true,
            ..Namespace::default()
        };
        let channel = channel("chat:1");
        assert!(access(&namespace, &channel, "42", true).may_read_history());
        assert!(!access(&namespace, &channel, "42", false).may_read_history());
    }

    #[test]
    fn users_named_in_a_channel_may_subscribe_and_no_others() {
        let limited = Namespace {
            allow_user_limited_channels: true,
            allow_subscribe_for_client: true,
            ..Namespace::default()
        };
        let channel = channel("ul:d#42,43");
        let subscribe = |user| access(&limited, &channel, user, false).check_subscribe();
        assert_eq!(subscribe("43"), Ok(()));
        assert_eq!(subscribe("44"), Err(Denied::OtherUsersChannel));
    }

    #[test]
    fn a_personal_channel_is_for_its_user_whatever_the_rules_say() {
        let open = Namespace {
            allow_subscribe_for_client: true,
            allow_publish_for_client: true,
            ..Namespace::default()
        };
        let (closed, channel) = (Namespace::default(), channel("#42"));
        let others = Err(Denied::OtherUsersChannel);
        let access = |namespace, user| access(namespace, &channel, user, false);
        assert_eq!(access(&closed, "42").check_subscribe(), Ok(()));
        assert_eq!(
            access(&closed, "42").check_publish(),
            Err(Denied::NotAllowed)
        );
        assert_eq!(access(&open, "43").check_subscribe(), others);
        assert_eq!(access(&open, "43").check_publish(), others);
    }
}
