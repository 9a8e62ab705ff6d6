//! Who takes the next step of a join.

use crate::mesh::*;

#[test]
fn a_step_waits_until_the_one_before_is_claimed_and_is_passed_over_after_ten_seconds() {
    let mut mesh = Mesh::of(2);
    mesh.start(3);
    mesh.node(3).settles = false;
    mesh.run(millis(1000));
    assert_eq!(
        mesh.written.len(),
        1,
        "the first step, which nobody has claimed"
    );
    mesh.run(millis(8000));
    assert_eq!(mesh.written.len(), 1);
    mesh.run(millis(3500));
    assert_eq!(mesh.written.len(), 2, "passed over by one node");
    let passed = |node: &Node| node.machine().counters().steps_passed_over;
    let all: u64 = mesh.nodes.values().map(passed).sum();
    assert_eq!(all, 1);
    assert_eq!(mesh.node(3).has_said(&Said::Ready), None);
}

#[test]
fn a_change_that_another_was_faster_with_is_thought_anew() {
    let mut mesh = Mesh::of(2);
    mesh.notifies = false;
    mesh.run(millis(250));
    mesh.kill(2);
    mesh.run(millis(1700));
    // The row changes between the reads of the node, which finds the death meanwhile.
    let outrun = |mesh: &mut Mesh| mesh.node(1).machine().counters().views_outrun;
    let end = mesh.millis() + 5000;
    while outrun(&mut mesh) == 0 {
        assert!(mesh.millis() < end, "it was never too late");
        let view = mesh.view.as_mut().expect("a view");
        view.version.number += 1;
        mesh.run(millis(1));
    }
    mesh.run(millis(2000));
    mesh.expect_rest(&[1]);
    assert_eq!(mesh.written.len(), 1);
}

#[test]
fn a_change_whose_answer_is_lost_is_found_in_the_row() {
    let mut mesh = Mesh::of(2);
    mesh.start(3);
    mesh.run_until(millis(1000), |mesh| mesh.written.len() == 2);
    mesh.node(3).way = Way::AnswersLost;
    mesh.run(millis(400));
    mesh.node(3).way = Way::Open;
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2, 3]);
    assert_eq!(mesh.node(3).has_said(&Said::Rejoin), None);
}
