//! A plan of a join or a leave, beside the views that do it.

use std::collections::BTreeMap;

use trunkline_backbone_core::membership::{Change, MovePlan, Ownership, PlanError};
use trunkline_shared::{NodeId, RingView, Slot};

use crate::mesh::{moved, name};
use crate::next_view::{Asking, by, rest};

/// What the views of a change did: slots that moved, views that moved some, slots of each node at the end.
type Followed = (usize, usize, BTreeMap<NodeId, usize>);

/// Follows a change to its end.
fn follow(mut view: RingView, first: Option<RingView>, steps_by: &Asking) -> Followed {
    let (mut slots, mut steps) = (0, 0);
    let mut next = first.or_else(|| steps_by.clone().step().ask(Some(&view)));
    while let Some(after) = next {
        let moved = moved(&view, &after).len();
        slots += moved;
        steps += usize::from(moved > 0);
        view = after;
        next = steps_by.clone().step().ask(Some(&view));
    }
    (slots, steps, owned(&view))
}

fn owned(view: &RingView) -> BTreeMap<NodeId, usize> {
    let mut owned = BTreeMap::new();
    for owner in Slot::all().filter_map(|slot| view.owner(slot)) {
        *owned.entry(owner.name.clone()).or_default() += 1;
    }
    owned
}

fn planned(plan: &MovePlan) -> Followed {
    let owners = plan.nodes.iter().filter(|node| node.after > 0);
    let owned = owners.map(|node| (node.name.clone(), node.after));
    (plan.moved, plan.steps, owned.collect())
}

#[test]
fn a_plan_says_what_the_views_of_a_change_move() {
    for count in 1..=6u8 {
        let nodes: Vec<u8> = (1..=count).collect();
        let names: Vec<_> = nodes.iter().map(|node| name(*node)).collect();
        let mut changes = vec![(Change::Join(name(count + 1)), by(count + 1))];
        if count > 1 {
            changes.push((Change::Leave(name(count)), by(count).leave()));
        }
        for (change, who) in changes {
            let mesh = Ownership::at_rest(&names).expect("names that differ");
            assert_eq!(mesh, Ownership::of(&rest(&nodes)));
            let plan = mesh.plan(&change).expect("a change that makes sense");
            let followed = follow(rest(&nodes), who.ask(Some(&rest(&nodes))), &by(1));
            assert_eq!(planned(&plan), followed, "{change:?}");
            assert!(plan.nodes.iter().all(|node| node.after <= plan.most));
            let before = plan.nodes.iter().filter(|node| node.before > 0);
            let before = before.map(|node| (node.name.clone(), node.before));
            assert_eq!(before.collect::<BTreeMap<_, _>>(), owned(&rest(&nodes)));
        }
    }
}

#[test]
fn what_is_under_way_is_what_the_views_have_yet_to_move() {
    let mut view = rest(&[1, 2]);
    assert_eq!(Ownership::of(&view).under_way().moved, 0);
    view = by(3).ask(Some(&view)).expect("node 3 joins");
    for _ in 0..5 {
        view = by(1).step().ask(Some(&view)).expect("a step");
    }
    view = by(2).leave().ask(Some(&view)).expect("node 2 leaves");
    let plan = Ownership::of(&view).under_way();
    assert!(plan.moved > 64 && plan.steps > 1, "{plan:?}");
    assert_eq!(planned(&plan), follow(view.clone(), None, &by(1)));
    let with_another = Ownership::of(&view).plan(&Change::Join(name(4)));
    let another = by(4).ask(Some(&view)).expect("node 4 joins");
    assert_eq!(
        planned(&with_another.expect("it makes sense")),
        follow(view, Some(another), &by(1))
    );
}

#[test]
fn nothing_moves_where_everybody_leaves() {
    let view = by(1).leave().ask(Some(&rest(&[1, 2])));
    let view = by(2).leave().ask(view.as_ref()).expect("both leave");
    let plan = Ownership::of(&view).under_way();
    assert_eq!((plan.moved, plan.steps), (0, 0));
    assert_eq!(planned(&plan).2, owned(&view));
}

#[test]
fn a_change_that_makes_no_sense_is_not_planned() {
    let names = |nodes: &[u8]| nodes.iter().map(|node| name(*node)).collect::<Vec<_>>();
    let refused = |nodes: &[u8], change| {
        let mesh = Ownership::at_rest(&names(nodes)).expect("names that differ");
        mesh.plan(&change).expect_err("no sense")
    };
    let join = |node| Change::Join(name(node));
    let leave = |node| Change::Leave(name(node));
    assert_eq!(
        Ownership::at_rest(&names(&[1, 2, 1])),
        Err(PlanError::Twice(name(1)))
    );
    assert_eq!(refused(&[1, 2], join(2)), PlanError::Member(name(2)));
    assert_eq!(refused(&[1, 2], leave(3)), PlanError::NoMember(name(3)));
    assert_eq!(refused(&[1], leave(1)), PlanError::LastMember(name(1)));
}
