//! New rules, and links of edges that are too many.

use std::sync::Arc;

use trunkline_backbone_core::ShardConfig;
use trunkline_backbone_core::io::Input;
use trunkline_shared::frame::{Refusal, ToEdge};
use trunkline_shared::rules::{Class, Rules};

use crate::support::*;

#[test]
fn a_link_of_one_edge_too_many_is_closed() {
    let mut owner = Owner::with(ShardConfig {
        edges_max: 3,
        ..ShardConfig::default()
    });
    owner.up(4, 4);
    assert_eq!(owner.closed, ["too many edges"]);
    owner.publish(4, publish("live:1", 1, "a"));
    assert!(owner.frames.is_empty());
    owner.up(3, 33);
    assert_eq!(
        owner.closed.len(),
        1,
        "a known edge comes back all the same"
    );
}

#[test]
fn channels_that_no_longer_fit_the_rules_are_said_again() {
    let mut owner = Owner::new();
    owner.subscribed(1, "live:1", None);
    owner.subscribed(2, "chat:1", None);
    let changed = namespaces().into_iter().map(|mut namespace| {
        if namespace.name == "live" {
            namespace.class = Some(Class::Durable);
        }
        namespace
    });
    owner.input(Input::Rules(Arc::new(
        Rules::new(2, changed.collect()).expect("good rules"),
    )));
    assert_eq!(
        owner.frames_to(1),
        [ToEdge::Reset {
            slot: slot("live:1")
        }]
    );
    assert!(owner.frames_to(2).is_empty());
    let head = owner.subscribed(1, "live:1", None).head.expect("a head");
    assert_eq!(head.epoch, EPOCH, "it is durable now");
}

#[test]
fn older_rules_are_ignored() {
    let mut owner = Owner::new();
    owner.input(Input::Rules(Arc::new(
        Rules::new(0, Vec::new()).expect("good rules"),
    )));
    owner.publish(1, publish("live:1", 1, "a"));
    assert_eq!(owner.published_to(1), [(1, 1)]);
}

#[test]
fn a_namespace_that_goes_takes_its_channels_along() {
    let mut owner = Owner::new();
    owner.subscribed(1, "room:1", None);
    owner.input(Input::Rules(Arc::new(
        Rules::new(2, Vec::new()).expect("good rules"),
    )));
    assert_eq!(
        owner.frames_to(1),
        [ToEdge::Reset {
            slot: slot("room:1")
        }]
    );
    owner.subscribe(1, "room:1", None);
    assert_eq!(owner.refusals_to(1), [Refusal::UnknownChannel]);
    assert_eq!(owner.shard.gauges().channels, 0);
}
