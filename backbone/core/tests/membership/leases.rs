//! The lease of a node: what it may do, and until when.

use crate::mesh::*;

#[test]
fn a_lease_ends_two_seconds_after_the_last_good_heartbeat_was_sent() {
    let mut mesh = Mesh::of(1);
    mesh.node(1).latency = millis(300);
    mesh.run(millis(3000));
    let counter = mesh.members.rows()[0].counter;
    let beat = mesh.run_until(millis(1000), |mesh| {
        mesh.members.rows()[0].counter > counter
    });
    assert!(beat > millis(0));
    // It reaches the store half of its way after it was sent.
    let sent = mesh.millis() - 150;
    mesh.run(millis(160));
    mesh.node(1).way = Way::Cut;
    mesh.run(millis(5000));
    assert_eq!(
        mesh.node(1).has_said(&Said::Lease(false)),
        Some(sent + 2000)
    );
}

#[test]
fn a_lease_that_is_over_is_held_again_while_nobody_has_gone_on() {
    let mut mesh = Mesh::of(1);
    mesh.node(1).way = Way::Cut;
    mesh.run(millis(8000));
    assert_eq!(
        mesh.node(1).said.last().map(|(_, said)| said),
        Some(&Said::Lease(false))
    );
    mesh.node(1).way = Way::Open;
    mesh.run(millis(600));
    assert_eq!(
        mesh.node(1).said.last().map(|(_, said)| said),
        Some(&Said::Lease(true))
    );
    assert_eq!(mesh.written, []);
}

#[test]
fn heartbeats_that_take_half_a_lease_keep_it_and_longer_ones_do_not() {
    let mut mesh = Mesh::of(1);
    mesh.node(1).latency = millis(950);
    mesh.run(millis(20_000));
    assert_eq!(mesh.node(1).has_said(&Said::Lease(false)), None);
    mesh.node(1).latency = millis(2100);
    mesh.run(millis(20_000));
    let said = &mesh.node(1).said;
    assert_eq!(said.last().map(|(_, said)| said), Some(&Said::Lease(false)));
    assert!(mesh.node(1).machine().counters().heartbeats_late > 0);
}

#[test]
fn a_node_that_was_cut_off_finds_itself_out_and_joins_again_as_another_life() {
    let mut mesh = Mesh::of(3);
    let life = mesh.node(2).life;
    mesh.node(2).way = Way::Cut;
    mesh.run(millis(6000));
    mesh.expect_rest(&[1, 3]);
    assert!(mesh.node(2).has_said(&Said::Lease(false)).is_some());
    assert_eq!(
        mesh.node(2).has_said(&Said::Rejoin),
        None,
        "nobody has told it"
    );
    mesh.node(2).way = Way::Open;
    let back = mesh.millis();
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2, 3]);
    assert!(
        mesh.node(2)
            .has_said(&Said::Rejoin)
            .is_some_and(|at| at - back < 600)
    );
    assert_ne!(mesh.node(2).life, life);
}

#[test]
fn a_node_that_was_frozen_loses_its_lease_before_anything_else_and_joins_again() {
    let mut mesh = Mesh::of(3);
    mesh.freeze(2);
    mesh.run(millis(4000));
    let members = mesh.view.as_ref().map(|view| view.members.len());
    assert_eq!(members, Some(2));
    let thawed = mesh.millis();
    mesh.thaw(2);
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2, 3]);
    let node = mesh.node(2);
    assert_eq!(node.has_said(&Said::Lease(false)), Some(thawed));
    assert!(node.has_said(&Said::Rejoin).is_some());
}

#[test]
fn a_row_that_is_gone_is_the_end_of_a_life() {
    let mut mesh = Mesh::of(2);
    // An empty store under living nodes.
    mesh.members = trunkline_store_core::members::MemberTable::default();
    mesh.view = None;
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2]);
    assert!((1..=2).all(|node| mesh.node(node).has_said(&Said::Rejoin).is_some()));
}

#[test]
fn a_life_writes_later_views_than_its_process_holds_though_store_and_clock_have_gone_back() {
    let mut mesh = Mesh::of(1);
    let held = mesh.node(1).held.clone().expect("a view");
    mesh.members = trunkline_store_core::members::MemberTable::default();
    mesh.view = None;
    mesh.set_back = 15_000;
    mesh.run(millis(3000));
    mesh.expect_rest(&[1]);
    assert!(mesh.node(1).has_said(&Said::Rejoin).is_some());
    assert!(
        mesh.view
            .as_ref()
            .is_some_and(|view| view.version > held.version)
    );
}

#[test]
fn a_node_without_a_lease_changes_no_view() {
    let mut mesh = Mesh::of(3);
    mesh.node(1).way = Way::ViewCut;
    mesh.node(1).latency = millis(2100);
    mesh.node(3).latency = millis(2100);
    mesh.run(millis(3000));
    mesh.kill(2);
    mesh.run(millis(20_000));
    assert_eq!(
        mesh.written,
        [],
        "heartbeats that come after the lease give none"
    );
}
