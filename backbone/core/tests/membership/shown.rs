//! Views that reach a node by its edges.

use trunkline_backbone_core::membership::io::MembershipInput;
use trunkline_shared::{RingView, UnixMillis, ViewVersion};

use crate::mesh::*;

/// The view that follows when node 2 is dead, as an edge knows it.
fn without_two(mesh: &Mesh) -> RingView {
    let view = mesh.view.clone().expect("a view");
    let now = mesh.time().unix;
    let version = ViewVersion::after(Some(view.version), BIRTH, 0, now);
    let first = view.members[0].clone();
    RingView::of_one(version, view.rules_version, first)
}

fn show(mesh: &mut Mesh, node: u8, view: RingView) {
    mesh.input(node, MembershipInput::ViewShown(Box::new(view)));
}

#[test]
fn a_view_shown_is_looked_for_in_the_row_which_is_believed() {
    let mut mesh = Mesh::of(2);
    let shown = without_two(&mesh);
    show(&mut mesh, 2, shown);
    mesh.run(millis(3000));
    mesh.expect_rest(&[1, 2]);
    assert_eq!(mesh.node(2).has_said(&Said::Rejoin), None);
}

#[test]
fn a_node_that_was_not_told_by_its_store_hears_of_the_view_by_an_edge() {
    let mut mesh = Mesh::of(2);
    mesh.notifies = false;
    mesh.run(millis(1010));
    let shown = without_two(&mesh);
    mesh.view = Some(shown.clone());
    show(&mut mesh, 1, shown.clone());
    mesh.run(millis(3));
    assert_eq!(
        mesh.node(1).held.as_ref().map(|view| view.version),
        Some(shown.version)
    );
}

#[test]
fn a_frame_that_names_a_newer_view_makes_the_row_be_read() {
    let mut mesh = Mesh::of(2);
    mesh.notifies = false;
    mesh.run(millis(1010));
    let shown = without_two(&mesh);
    mesh.view = Some(shown.clone());
    mesh.input(1, MembershipInput::NeedView(shown.version));
    mesh.run(millis(3));
    assert_eq!(
        mesh.node(1).held.as_ref().map(|view| view.version),
        Some(shown.version)
    );
}

#[test]
fn a_node_that_cannot_read_the_row_believes_an_edge() {
    let mut mesh = Mesh::of(2);
    mesh.node(2).way = Way::Cut;
    let shown = without_two(&mesh);
    show(&mut mesh, 2, shown);
    mesh.run(millis(100));
    assert!(
        mesh.node(2).has_said(&Said::Rejoin).is_some(),
        "it is out of that view"
    );
}

#[test]
fn a_view_believed_that_the_row_never_had_is_followed_by_one_later_than_it() {
    let mut mesh = Mesh::of(2);
    mesh.node(1).way = Way::ViewCut;
    let shown = without_two(&mesh);
    show(&mut mesh, 1, shown.clone());
    mesh.run(millis(100));
    assert_eq!(mesh.node(1).machine().counters().views_believed, 1);
    mesh.node(1).way = Way::Open;
    mesh.run(millis(2000));
    mesh.expect_rest(&[1, 2]);
    assert!(
        mesh.view
            .as_ref()
            .is_some_and(|view| view.version > shown.version)
    );
}

#[test]
fn a_view_of_another_store_is_never_believed() {
    let mut mesh = Mesh::of(2);
    mesh.node(2).way = Way::Cut;
    let mut shown = without_two(&mesh);
    shown.version.birth = UnixMillis(START * 2);
    show(&mut mesh, 2, shown);
    mesh.run(millis(100));
    assert_eq!(mesh.node(2).has_said(&Said::Rejoin), None);
}
