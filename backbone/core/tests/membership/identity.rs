//! What leads a view's version: the store's birth and its server's timeline.

use trunkline_backbone_core::membership::io::StoreIdentity;
use trunkline_shared::UnixMillis;

use crate::mesh::*;

#[test]
fn a_later_timeline_gives_the_same_table_under_a_version_that_it_leads() {
    let mut mesh = Mesh::of(3);
    let before = mesh.view.clone().expect("a view");
    mesh.set_identity(StoreIdentity {
        timeline: 4,
        ..mesh.identity
    });
    mesh.run(millis(1000));
    mesh.expect_rest(&[1, 2, 3]);
    let after = mesh.view.clone().expect("a view");
    assert_eq!((after.version.timeline, after.table()), (4, before.table()));
    assert_eq!(mesh.written.len(), 1, "one of the three wrote it");
}

#[test]
fn a_later_birth_leads_the_next_view() {
    let mut mesh = Mesh::of(2);
    let before = mesh.view.clone().expect("a view");
    let birth = UnixMillis(START + 500_000);
    mesh.set_identity(StoreIdentity { birth, timeline: 0 });
    mesh.run(millis(1000));
    let after = mesh.view.clone().expect("a view");
    assert!(after.version > before.version && after.version.birth == birth);
    mesh.expect_rest(&[1, 2]);
}

#[test]
fn a_row_that_the_store_has_forgotten_is_written_again_later_than_what_nodes_hold() {
    let mut mesh = Mesh::of(2);
    let forgotten = mesh.view.clone().expect("a view");
    mesh.set_identity(StoreIdentity {
        timeline: 1,
        ..mesh.identity
    });
    mesh.run(millis(1000));
    let held = mesh.node(1).held.clone().expect("a view");
    // A backup is put back under living nodes.
    mesh.view = Some(forgotten);
    mesh.run(millis(2000));
    mesh.expect_rest(&[1, 2]);
    assert!(
        mesh.view
            .as_ref()
            .is_some_and(|view| view.version > held.version)
    );
}
