//! A node that comes: the first one, one more, one that was here before.

use trunkline_backbone_core::membership::io::{
    MembershipAnswer, MembershipInput, MembershipTicket,
};
use trunkline_shared::{Incarnation, Member};
use trunkline_store_core::{JoinRequest, StoreError};

use crate::mesh::*;

#[test]
fn the_first_node_owns_everything_by_one_view_and_is_ready_at_once() {
    let mut mesh = Mesh::new();
    mesh.start(1);
    mesh.run(millis(100));
    mesh.expect_rest(&[1]);
    assert_eq!(mesh.written.len(), 1);
    let rules = mesh.written[0].rules_version;
    assert!(
        rules >= START,
        "the clock leads the rules' version: {rules}"
    );
    let node = mesh.node(1);
    assert_eq!(node.slots(), 4096);
    assert!(node.has_said(&Said::Ready).is_some());
    assert!(node.has_said(&Said::Lease(true)) < node.has_said(&Said::Ready));
}

#[test]
fn a_node_alone_with_its_store_asks_for_no_rows_and_never_loses_its_lease() {
    let mut mesh = Mesh::new();
    mesh.start_alone(1);
    mesh.run(millis(60_000));
    mesh.expect_rest(&[1]);
    assert_eq!(mesh.members.rows(), []);
    let said: Vec<_> = mesh
        .node(1)
        .said
        .iter()
        .map(|(_, said)| said.clone())
        .collect();
    assert_eq!(said, [Said::Lease(true), Said::Ready]);
    assert_eq!(
        mesh.node(1).machine().poll_timeout(),
        None,
        "nothing wakes it"
    );
    // The next process takes its predecessor's place at once, under later rules.
    let rules = mesh.written[0].rules_version;
    mesh.start_alone(1);
    mesh.run(millis(20));
    mesh.expect_rest(&[1]);
    assert!(mesh.written[1].rules_version > rules);
}

#[test]
fn a_node_alone_tries_again_where_its_store_was_away() {
    let mut mesh = Mesh::new();
    mesh.start_alone(1);
    mesh.node(1).way = Way::Cut;
    mesh.run(millis(3000));
    assert_eq!(mesh.view, None);
    mesh.node(1).way = Way::Open;
    mesh.run(millis(600));
    mesh.expect_rest(&[1]);
}

#[test]
fn a_second_node_gets_its_slots_by_steps_and_the_rules_stay() {
    let mut mesh = Mesh::of(1);
    let before = mesh.view.clone().expect("a view");
    mesh.start(2);
    let took = mesh.run_until(millis(5000), |mesh| {
        mesh.view
            .as_ref()
            .is_some_and(|view| view.members.len() == 2 && view.joining.is_empty())
    });
    mesh.run(millis(50));
    mesh.expect_rest(&[1, 2]);
    mesh.expect_steps(&before);
    assert_eq!(
        mesh.view.as_ref().map(|view| view.rules_version),
        Some(before.rules_version)
    );
    assert!(
        took < millis(1000),
        "steps follow each other as they are claimed: {took:?}"
    );
    let mine = mesh.node(2).slots();
    assert!((1800..=2253).contains(&mine), "{mine} slots");
    // It is ready after its first step, long before the last.
    let ready = mesh.node(2).has_said(&Said::Ready).expect("ready");
    assert!(mesh.millis() - ready > 100);
}

#[test]
fn without_notifications_a_join_goes_on_as_well() {
    let mut mesh = Mesh::of(1);
    mesh.notifies = false;
    mesh.start(2);
    mesh.run(millis(5000));
    mesh.expect_rest(&[1, 2]);
}

#[test]
fn nodes_that_start_at_once_all_get_their_share() {
    let mut mesh = Mesh::new();
    (1..=4).for_each(|node| mesh.start(node));
    mesh.run(millis(20_000));
    mesh.expect_rest(&[1, 2, 3, 4]);
    let owners = mesh.written[0].members.len();
    assert_eq!(
        owners, 1,
        "the first view was one node's, the others joined it"
    );
}

#[test]
fn a_node_comes_back_at_once_after_a_clean_leave() {
    let mut mesh = Mesh::of(2);
    mesh.leave(2);
    mesh.run(millis(5000));
    assert!(mesh.node(2).has_said(&Said::Left).is_some());
    mesh.expect_rest(&[1]);
    let begin = mesh.millis();
    mesh.start(2);
    mesh.run(millis(5000));
    mesh.expect_rest(&[1, 2]);
    let ready = mesh.node(2).has_said(&Said::Ready).expect("ready");
    assert!(ready - begin < 100, "{} ms", ready - begin);
}

#[test]
fn a_node_that_crashed_comes_back_after_about_a_lease() {
    let mut mesh = Mesh::of(3);
    mesh.kill(2);
    mesh.run(millis(100));
    let begin = mesh.millis();
    mesh.start(2);
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2, 3]);
    let ready = mesh.node(2).has_said(&Said::Ready).expect("ready");
    assert!(
        (2000..2700).contains(&(ready - begin)),
        "{} ms",
        ready - begin
    );
}

#[test]
fn all_nodes_of_a_mesh_come_back_after_a_crash_of_all() {
    let mut mesh = Mesh::of(3);
    (1..=3).for_each(|node| mesh.kill(node));
    mesh.run(millis(3000));
    (1..=3).for_each(|node| mesh.start(node));
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2, 3]);
}

#[test]
fn a_node_whose_name_is_in_use_stops() {
    let mut mesh = Mesh::of(2);
    let before = mesh.view.clone();
    // The twin of node 2 is told apart by its life only.
    let twin = mesh.nodes.remove(&2).expect("node 2");
    mesh.start(2);
    let mut both = (twin.life, 0);
    for _ in 0..40 {
        mesh.run(millis(100));
        both.1 += 1;
        if both.1 % 5 == 0 {
            mesh.members
                .heartbeat(&name(2), both.0)
                .expect("its name is its own");
        }
    }
    let taken = mesh.node(2).has_said(&Said::NameTaken);
    assert!(taken.is_some(), "{:?}", mesh.node(2).said);
    assert_eq!(mesh.view, before, "the one that was there stays");
}

#[test]
fn one_late_heartbeat_of_a_process_that_ended_takes_no_name() {
    let mut mesh = Mesh::of(2);
    let life = mesh.node(2).life;
    mesh.kill(2);
    mesh.start(2);
    mesh.run(millis(700));
    mesh.members
        .heartbeat(&name(2), life)
        .expect("still its row");
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2]);
    assert_eq!(mesh.node(2).has_said(&Said::NameTaken), None);
}

#[test]
fn a_join_whose_answer_is_lost_is_found_in_the_rows() {
    let mut mesh = Mesh::of(1);
    mesh.start(2);
    mesh.run(millis(2));
    mesh.node(2).way = Way::AnswersLost;
    mesh.run_until(millis(100), |mesh| mesh.members.rows().len() == 2);
    mesh.node(2).way = Way::Open;
    mesh.run(millis(3000));
    mesh.expect_rest(&[1, 2]);
}

#[test]
fn a_name_taken_while_it_was_free_is_watched() {
    let mut mesh = Mesh::of(1);
    mesh.start(2);
    mesh.run(millis(1));
    // Between the read of the rows and the join another process takes the name, and dies.
    let other = Member {
        name: name(2),
        incarnation: Incarnation([250; 16]),
        address: "10.0.0.9:7443".into(),
    };
    assert!(mesh.members.join(JoinRequest {
        member: other,
        expected: None
    }));
    mesh.run(millis(1500));
    assert!(
        mesh.view
            .as_ref()
            .is_some_and(|view| view.members.len() == 1)
    );
    mesh.run(millis(6000));
    mesh.expect_rest(&[1, 2]);
}

#[test]
fn an_answer_to_nothing_asked_is_ignored() {
    let mut mesh = Mesh::of(1);
    let before = mesh.node(1).said.clone();
    let ticket = MembershipTicket(u64::MAX);
    let lost = || Err(StoreError::Away("nothing".to_owned()));
    for answer in [
        MembershipAnswer::Members(lost()),
        MembershipAnswer::View(Ok(None)),
        MembershipAnswer::HaveHeads(Ok(vec![true])),
        MembershipAnswer::ViewChanged(Ok(false)),
        MembershipAnswer::Resigned(Ok(true)),
    ] {
        mesh.input(1, MembershipInput::Answer(ticket, answer));
    }
    assert_eq!(mesh.node(1).said, before);
}
