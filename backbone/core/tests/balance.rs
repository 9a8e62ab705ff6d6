//! How evenly channels are shared, and how few change their owner when a node comes or goes.

use trunkline_backbone_core::propose;
use trunkline_shared::{Channel, NodeId, Slot};

/// Channels that are shared.
const CHANNELS: usize = 10_000;

/// The owner of each channel, by the names `backbone-1`, `backbone-2` and so on.
fn owners(nodes: usize) -> Vec<usize> {
    let name = |number| NodeId::parse(&format!("backbone-{number}")).expect("a valid name");
    let table = propose(&(1..=nodes).map(name).collect::<Vec<_>>());
    let slot = |number| -> Slot {
        let channel = Channel::parse(&format!("chat:{number}"));
        channel.expect("a valid channel").slot(0)
    };
    let owner = |number| usize::from(table[usize::from(slot(number).number())]);
    (0..CHANNELS).map(owner).collect()
}

fn shares(owners: &[usize], nodes: usize) -> Vec<usize> {
    let mut shares = vec![0; nodes];
    owners.iter().for_each(|owner| shares[*owner] += 1);
    shares
}

#[test]
fn ten_thousand_channels_are_shared_by_three_nodes_and_by_four() {
    let (three, four) = (owners(3), owners(4));
    let shares = (shares(&three, 3), shares(&four, 4));
    assert_eq!(shares.0, [3194, 3345, 3461]);
    assert_eq!(shares.1, [2554, 2489, 2551, 2406]);
}

#[test]
fn a_fourth_node_takes_its_share_and_moves_nothing_else() {
    let (three, four) = (owners(3), owners(4));
    let moved = three
        .iter()
        .zip(&four)
        .filter(|(before, after)| before != after);
    let moved: Vec<_> = moved.map(|(_, after)| *after).collect();
    assert!(moved.iter().all(|owner| *owner == 3), "{moved:?}");
    assert_eq!(moved.len(), 2406);
}
