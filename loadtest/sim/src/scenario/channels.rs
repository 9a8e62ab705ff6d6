//! The channels of every run, and the rules that make them what they are.

use std::time::Duration;

use trunkline_shared::rules::{Class, Namespace, Rules};
use trunkline_shared::{Channel, Slot};

/// A channel of the workload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelPlan {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its class.
    pub(crate) class: Class,
    /// Whether positions are kept for its subscribers.
    pub(crate) positioned: bool,
    /// Whether its presence is kept.
    pub(crate) presence: bool,
    /// Messages that recovery and history reach back to.
    pub(crate) history: u32,
}

const fn channel(name: &'static str, class: Class, history: u32) -> ChannelPlan {
    let positioned = !matches!(class, Class::Ephemeral);
    ChannelPlan {
        name,
        class,
        positioned,
        presence: false,
        history,
    }
}

/// The channels: the two `team:1` share a slot, `feed` and `ticker` forget fast, `plain` keeps no positions.
pub(crate) const CHANNELS: [ChannelPlan; 9] = [
    ChannelPlan {
        presence: true,
        ..channel("chat:a", Class::Durable, 200)
    },
    channel("team:1:a", Class::Durable, 200),
    channel("team:1:b", Class::Durable, 200),
    channel("feed:a", Class::Durable, 4),
    channel("live:a", Class::Buffered, 250),
    channel("live:b", Class::Buffered, 250),
    channel("ticker:a", Class::Buffered, 5),
    ChannelPlan {
        positioned: false,
        ..channel("plain:a", Class::Durable, 100)
    },
    channel("cursors:a", Class::Ephemeral, 0),
];

/// The rules of all namespaces, as of a version.
pub(crate) fn rules(version: u64) -> Rules {
    let mut namespaces: Vec<Namespace> = CHANNELS.iter().map(namespace).collect();
    namespaces.dedup_by(|a, b| a.name == b.name);
    Rules::new(version, namespaces).expect("the simulator's rules are good")
}

/// The slot of each channel.
pub(crate) fn slots() -> Vec<Slot> {
    let rules = rules(1);
    let name = |plan: &ChannelPlan| Channel::parse(plan.name).expect("a good name");
    let slot = |plan| rules.slot_of(&name(plan)).expect("it has a namespace");
    CHANNELS.iter().map(slot).collect()
}

fn namespace(channel: &ChannelPlan) -> Namespace {
    let (name, _) = channel
        .name
        .split_once(':')
        .expect("every channel has a namespace");
    let history_ttl = if channel.history > 0 {
        Duration::from_secs(3600)
    } else {
        Duration::ZERO
    };
    Namespace {
        name: name.to_owned(),
        class: Some(channel.class),
        history_size: channel.history,
        history_ttl,
        routing_segments: if name == "team" { 2 } else { 0 },
        presence: channel.presence,
        join_leave: channel.presence,
        force_push_join_leave: channel.presence,
        force_positioning: channel.positioned,
        force_recovery: channel.positioned,
        allow_subscribe_for_client: true,
        allow_subscribe_for_anonymous: true,
        allow_publish_for_client: true,
        allow_publish_for_anonymous: true,
        allow_presence_for_client: true,
        allow_presence_for_anonymous: true,
        allow_history_for_client: true,
        allow_history_for_anonymous: true,
        ..Namespace::default()
    }
}
