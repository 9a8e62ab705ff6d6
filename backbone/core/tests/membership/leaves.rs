//! A node that leaves on purpose.

use crate::mesh::*;

#[test]
fn a_leaver_hands_its_slots_over_by_steps_and_its_row_goes() {
    let mut mesh = Mesh::of(3);
    let before = mesh.view.clone().expect("a view");
    let begin = mesh.millis();
    mesh.leave(2);
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 3]);
    mesh.expect_steps(&before);
    let left = mesh.node(2).has_said(&Said::Left).expect("left");
    assert!(left - begin < 1000, "{} ms", left - begin);
    let rows = mesh.members.rows();
    assert_eq!(rows.len(), 2);
    let last = mesh.node(2).held.clone().expect("the last view");
    assert!(
        last.members.len() == 2,
        "it holds the view that is without it, for its edges"
    );
    assert_eq!(mesh.node(2).has_said(&Said::Rejoin), None);
}

#[test]
fn the_only_node_leaves_at_once_and_the_next_one_takes_its_place() {
    let mut mesh = Mesh::of(1);
    let view = mesh.view.clone();
    mesh.leave(1);
    mesh.run(millis(10));
    assert!(mesh.node(1).has_said(&Said::Left).is_some());
    assert_eq!((mesh.view.clone(), mesh.members.rows()), (view, vec![]));
    mesh.start(2);
    mesh.run(millis(100));
    mesh.expect_rest(&[2]);
    assert_eq!(mesh.written.len(), 1);
}

#[test]
fn two_leave_at_once() {
    let mut mesh = Mesh::of(3);
    let before = mesh.view.clone().expect("a view");
    mesh.leave(1);
    mesh.leave(2);
    mesh.run(millis(10_000));
    mesh.expect_rest(&[3]);
    mesh.expect_steps(&before);
    assert!((1..=2).all(|node| mesh.node(node).has_said(&Said::Left).is_some()));
}

#[test]
fn all_leave_at_once_and_come_back() {
    let mut mesh = Mesh::of(3);
    let begin = mesh.millis();
    (1..=3).for_each(|node| mesh.leave(node));
    mesh.run(millis(5000));
    for node in 1..=3 {
        let left = mesh.node(node).has_said(&Said::Left).expect("left");
        assert!(left - begin < 3000, "{} ms", left - begin);
    }
    assert_eq!(mesh.members.rows(), []);
    (1..=3).for_each(|node| mesh.start(node));
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2, 3]);
}

#[test]
fn a_leave_that_takes_too_long_ends_as_a_death_that_is_seen_at_once() {
    let mut mesh = Mesh::of(3);
    for node in [1, 3] {
        mesh.node(node).settles = false;
    }
    let begin = mesh.millis();
    mesh.leave(2);
    mesh.run(millis(25_000));
    let left = mesh.node(2).has_said(&Said::Left).expect("left");
    assert!(
        (20_000..20_100).contains(&(left - begin)),
        "{} ms",
        left - begin
    );
    mesh.expect_rest(&[1, 3]);
}

#[test]
fn a_node_that_may_not_write_leaves_at_once() {
    let mut mesh = Mesh::of(2);
    mesh.node(2).way = Way::Cut;
    mesh.run(millis(3000));
    let begin = mesh.millis();
    mesh.leave(2);
    mesh.run(millis(100));
    assert!(
        mesh.node(2)
            .has_said(&Said::Left)
            .is_some_and(|at| at - begin < 100)
    );
}

#[test]
fn a_node_leaves_before_it_has_joined() {
    for after in [0, 1, 2, 3, 5, 8, 20] {
        let mut mesh = Mesh::of(1);
        mesh.start(2);
        mesh.run(millis(after));
        mesh.leave(2);
        mesh.run(millis(15_000));
        assert!(
            mesh.node(2).has_said(&Said::Left).is_some(),
            "after {after} ms"
        );
        mesh.expect_rest(&[1]);
        assert_eq!(mesh.members.rows().len(), 1, "after {after} ms");
    }
}

#[test]
fn a_store_that_never_answers_holds_no_leaver() {
    let mut mesh = Mesh::of(1);
    mesh.node(1).latency = millis(1_000_000);
    mesh.run(millis(1000));
    mesh.leave(1);
    mesh.run(millis(2100));
    assert!(mesh.node(1).has_said(&Said::Left).is_some());
}

#[test]
fn one_leaves_while_another_joins() {
    let mut mesh = Mesh::of(2);
    let before = mesh.view.clone().expect("a view");
    mesh.start(3);
    mesh.run_until(millis(1000), |mesh| mesh.written.len() == 3);
    mesh.leave(1);
    mesh.run(millis(10_000));
    mesh.expect_rest(&[2, 3]);
    mesh.expect_steps(&before);
}
