//! Position checks.

use trunkline_shared::frame::{ToEdge, ToNode};

use crate::support::*;

#[test]
fn positions_are_told_of_channels_that_are_pushed() {
    let mut owner = Owner::new();
    owner.disk.store("chat:1", 9, &["a"]);
    owner.subscribed(1, "chat:1", None);
    owner.subscribed(2, "chat:2", None);
    owner.frames.clear();
    let request = owner.request();
    let names = ["chat:1", "chat:2", "chat:3"];
    let channels = names
        .iter()
        .map(|name| (slot(name), channel(name)))
        .collect();
    owner.say(1, ToNode::CheckPositions { request, channels });
    let frames = owner.frames_to(1);
    let [
        ToEdge::Positions {
            request: echoed,
            slot: first,
            heads,
        },
    ] = &frames[..]
    else {
        panic!("positions, not {frames:?}")
    };
    assert_eq!((*echoed, *first), (request, slot("chat:1")));
    let heads: Vec<_> = heads
        .iter()
        .map(|head| (head.channel.as_str(), head.head))
        .collect();
    assert_eq!(
        heads,
        [("chat:1", at(1)), ("chat:2", None), ("chat:3", None)]
    );
    assert!(owner.requests.is_empty(), "it reads nothing");
}
