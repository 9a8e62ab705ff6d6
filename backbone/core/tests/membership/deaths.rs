//! A node that dies: found by its row, and only by it.

use crate::mesh::*;

#[test]
fn a_crash_is_found_within_three_seconds_and_is_one_view() {
    let mut mesh = Mesh::of(3);
    let before = mesh.view.clone().expect("a view");
    let dead = mesh.node(2).life;
    mesh.kill(2);
    let took = mesh.run_until(millis(5000), |mesh| !mesh.written.is_empty());
    assert!(
        (1500..3000).contains(&u64::try_from(took.as_millis()).expect("short")),
        "{took:?}"
    );
    mesh.run(millis(3000));
    mesh.expect_rest(&[1, 3]);
    assert_eq!(mesh.written.len(), 1, "one view");
    let after = mesh.view.clone().expect("a view");
    let alive = moved(&before, &after)
        .into_iter()
        .filter(|slot| owner(&before, *slot) != Some(dead));
    let alive = alive.count();
    assert_eq!(alive, 0, "slots of the living moved");
}

#[test]
fn two_that_die_at_once_are_both_found() {
    let mut mesh = Mesh::of(4);
    mesh.kill(2);
    mesh.kill(4);
    mesh.run(millis(4000));
    mesh.expect_rest(&[1, 3]);
    assert!(mesh.written.len() <= 2, "{} views", mesh.written.len());
}

#[test]
fn the_last_one_alive_owns_everything() {
    let mut mesh = Mesh::of(3);
    let rules = mesh.view.as_ref().map(|view| view.rules_version);
    mesh.kill(1);
    mesh.kill(2);
    mesh.run(millis(4000));
    mesh.expect_rest(&[3]);
    assert_eq!(mesh.node(3).slots(), 4096);
    assert_eq!(
        mesh.view.as_ref().map(|view| view.rules_version),
        rules,
        "the rules stay"
    );
}

#[test]
fn a_store_that_was_away_for_all_moves_nothing() {
    let mut mesh = Mesh::of(3);
    for node in 1..=3 {
        mesh.node(node).way = Way::Cut;
    }
    mesh.run(millis(30_000));
    for node in 1..=3 {
        mesh.node(node).way = Way::Open;
        mesh.run(millis(300));
    }
    mesh.run(millis(5000));
    assert_eq!(mesh.written, []);
    for node in 1..=3 {
        let said = &mesh.node(node).said;
        assert_eq!(
            said.last().map(|(_, said)| said),
            Some(&Said::Lease(true)),
            "{said:?}"
        );
    }
}

#[test]
fn a_store_that_answers_late_for_all_moves_nothing() {
    for latency in [900, 1400, 5000] {
        let mut mesh = Mesh::of(3);
        for node in 1..=3 {
            mesh.node(node).latency = millis(latency);
        }
        mesh.run(millis(30_000));
        for node in 1..=3 {
            mesh.node(node).latency = millis(4);
        }
        mesh.run(millis(10_000));
        assert_eq!(mesh.written, [], "{latency} ms");
        let lost = (1..=3).any(|node| mesh.node(node).has_said(&Said::Lease(false)).is_some());
        assert_eq!(lost, latency > 1000, "{latency} ms");
    }
}

#[test]
fn nodes_that_are_frozen_together_bury_nobody() {
    let mut mesh = Mesh::of(3);
    // No heartbeat is on its way that would show a row moving.
    mesh.run(millis(250));
    for node in 1..=3 {
        mesh.freeze(node);
    }
    mesh.run(millis(10_000));
    // First the one whose heartbeats are the last of each round: it has read all rows as they are.
    for node in (1..=3).rev() {
        mesh.thaw(node);
        mesh.run(millis(400));
    }
    mesh.run(millis(5000));
    mesh.expect_rest(&[1, 2, 3]);
    assert_eq!(mesh.written, []);
}

#[test]
fn a_crash_in_the_middle_of_a_join_is_one_view_and_the_join_goes_on() {
    let mut mesh = Mesh::of(3);
    mesh.start(4);
    mesh.run_until(millis(1000), |mesh| mesh.written.len() == 4);
    mesh.kill(2);
    mesh.run(millis(15_000));
    mesh.expect_rest(&[1, 3, 4]);
}

#[test]
fn a_joiner_that_dies_is_forgotten() {
    let mut mesh = Mesh::of(2);
    mesh.start(3);
    mesh.run_until(millis(1000), |mesh| mesh.written.len() == 4);
    mesh.kill(3);
    mesh.run(millis(15_000));
    mesh.expect_rest(&[1, 2]);
}

#[test]
fn a_view_with_a_member_that_came_after_the_rows_were_read_buries_nobody() {
    let mut mesh = Mesh::of(2);
    mesh.node(1).heartbeats_later = millis(600);
    mesh.run(millis(5000));
    let beats = |mesh: &Mesh| mesh.members.rows()[0].counter;
    let before = beats(&mesh);
    mesh.run_until(millis(2000), |mesh| beats(mesh) > before);
    // Its rows are read and on their way; the view with the newcomer overtakes them.
    mesh.start(3);
    mesh.run(millis(20_000));
    mesh.expect_rest(&[1, 2, 3]);
    let members = mesh.written.iter().map(|view| view.members.len());
    assert!(
        members.clone().all(|count| count == 3),
        "{:?}",
        members.collect::<Vec<_>>()
    );
}
