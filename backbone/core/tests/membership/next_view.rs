//! What view follows another, by itself.

use std::collections::BTreeSet;

use proptest::prelude::*;
use trunkline_backbone_core::membership::{Situation, next_view};
use trunkline_backbone_core::propose;
use trunkline_shared::{Incarnation, Member, RingView, Slot, UnixMillis, ViewVersion};

use crate::mesh::{expect_rest, moved, name, owner};

fn member(node: u8) -> Member {
    Member {
        name: name(node),
        incarnation: Incarnation([node; 16]),
        address: "10.0.0.1:7443".into(),
    }
}

/// Asks for the next view as a node that knows who is dead.
#[derive(Clone)]
pub(crate) struct Asking {
    me: u8,
    dead: BTreeSet<Incarnation>,
    leave: bool,
    step: bool,
    rules: Option<u64>,
}

pub(crate) fn by(me: u8) -> Asking {
    Asking {
        me,
        dead: BTreeSet::new(),
        leave: false,
        step: false,
        rules: None,
    }
}

impl Asking {
    fn dead(mut self, nodes: &[u8]) -> Self {
        self.dead = nodes.iter().map(|node| Incarnation([*node; 16])).collect();
        self
    }

    pub(crate) fn leave(mut self) -> Self {
        self.leave = true;
        self
    }

    pub(crate) fn step(mut self) -> Self {
        self.step = true;
        self
    }

    pub(crate) fn ask(&self, view: Option<&RingView>) -> Option<RingView> {
        let before = view.map(|view| view.version);
        let me = member(self.me);
        let situation = Situation {
            me: &me,
            dead: &self.dead,
            leave: self.leave,
            step: self.step,
            step_slots: 64,
            version: ViewVersion::after(before, UnixMillis(1), 0, UnixMillis(1)),
            rules: self.rules,
            renew: false,
        };
        next_view(view, &situation)
    }
}

/// A view at rest.
pub(crate) fn rest(nodes: &[u8]) -> RingView {
    let members: Vec<_> = nodes.iter().map(|node| member(*node)).collect();
    let names: Vec<_> = members.iter().map(|member| member.name.clone()).collect();
    RingView::new(ViewVersion::default(), 7, members, propose(&names)).expect("a table of members")
}

/// Takes steps until there are none.
fn finish(mut view: RingView, by: &Asking) -> RingView {
    for _ in 0..200 {
        let Some(next) = by.clone().step().ask(Some(&view)) else {
            return view;
        };
        expect_step(&view, &next);
        view = next;
    }
    panic!("it never ends");
}

fn expect_step(before: &RingView, after: &RingView) {
    let moved = moved(before, after);
    let receivers: BTreeSet<_> = moved.iter().map(|slot| owner(after, *slot)).collect();
    assert!(moved.len() <= 64, "{} slots", moved.len());
    assert!(receivers.len() <= 1, "{receivers:?}");
    assert!(after.version > before.version);
}

#[test]
fn nobody_changes_a_view_at_rest() {
    let view = rest(&[1, 2, 3]);
    for me in 1..=3 {
        assert_eq!(by(me).ask(Some(&view)), None);
        assert_eq!(by(me).step().ask(Some(&view)), None);
    }
}

#[test]
fn who_finds_no_view_owns_everything() {
    let view = by(1).ask(None).expect("a view");
    expect_rest(&view, &[1]);
    assert_eq!(view.slots_of(Incarnation([1; 16])).count(), 4096);
}

#[test]
fn who_finds_only_the_dead_owns_everything() {
    let before = rest(&[1, 2]);
    let view = by(3).dead(&[1, 2]).ask(Some(&before)).expect("a view");
    expect_rest(&view, &[3]);
    assert_eq!(view.rules_version, before.rules_version);
}

#[test]
fn new_rules_are_named_by_whatever_view_follows_and_need_one() {
    let before = rest(&[1, 2]);
    let with = |asking: Asking| Asking {
        rules: Some(8),
        ..asking
    };
    for asking in [
        by(1),
        by(3),
        by(1).dead(&[2]),
        by(3).dead(&[1, 2]),
        by(1).leave(),
    ] {
        let view = with(asking).ask(Some(&before)).expect("a view");
        assert_eq!(view.rules_version, 8);
    }
    let view = with(by(1)).ask(None).expect("a view");
    assert_eq!(view.rules_version, 8);
    let only = with(by(1)).ask(Some(&before)).expect("a view");
    assert_eq!(moved(&before, &only), []);
}

#[test]
fn a_joiner_is_added_with_its_first_step() {
    let before = rest(&[1, 2]);
    let view = by(3).ask(Some(&before)).expect("a view");
    expect_step(&before, &view);
    assert_eq!(view.joining, [name(3)]);
    assert_eq!(view.slots_of(Incarnation([3; 16])).count(), 64);
    assert_eq!(by(1).ask(Some(&view)), None, "the next step has its time");
    expect_rest(&finish(view, &by(1)), &[1, 2, 3]);
}

#[test]
fn a_leaver_says_so_with_its_first_step_and_is_a_member_until_it_has_nothing() {
    let before = rest(&[1, 2, 3]);
    let mut view = by(2).leave().ask(Some(&before)).expect("a view");
    expect_step(&before, &view);
    assert_eq!(view.leaving, [name(2)]);
    while let Some(next) = by(1).step().ask(Some(&view)) {
        expect_step(&view, &next);
        if !next.has(Incarnation([2; 16])) {
            assert_eq!(view.slots_of(Incarnation([2; 16])).count(), 0);
        }
        view = next;
    }
    expect_rest(&view, &[1, 3]);
}

#[test]
fn a_joiner_that_leaves_is_no_joiner_any_more() {
    let view = by(3).ask(Some(&rest(&[1, 2]))).expect("a view");
    let view = by(3).leave().ask(Some(&view)).expect("a view");
    assert_eq!((view.joining.len(), &view.leaving[..]), (0, &[name(3)][..]));
    expect_rest(&finish(view, &by(1)), &[1, 2]);
}

#[test]
fn where_everybody_leaves_nothing_goes_on() {
    let view = by(1).leave().ask(Some(&rest(&[1, 2]))).expect("a view");
    let view = by(2).leave().ask(Some(&view)).expect("a view");
    assert_eq!(by(1).leave().step().ask(Some(&view)), None);
}

#[test]
fn the_dead_go_before_anything_else_and_a_life_of_the_same_name_joins_after() {
    let before = rest(&[1, 2, 3]);
    let reborn = Member {
        incarnation: Incarnation([9; 16]),
        ..member(2)
    };
    let dead = BTreeSet::from([Incarnation([2; 16])]);
    let mut situation = Situation {
        me: &reborn,
        dead: &dead,
        leave: false,
        step: false,
        step_slots: 64,
        version: ViewVersion::after(Some(before.version), UnixMillis(1), 0, UnixMillis(1)),
        rules: None,
        renew: false,
    };
    let buried = next_view(Some(&before), &situation).expect("a view");
    expect_rest(&buried, &[1, 3]);
    situation.version.number += 1;
    let joined = next_view(Some(&buried), &situation).expect("a view");
    assert!(joined.has(reborn.incarnation) && !joined.has(Incarnation([2; 16])));
    assert_eq!(joined.joining, [name(2)]);
}

#[test]
fn a_crash_while_somebody_joins_moves_only_what_the_dead_had() {
    let before = rest(&[1, 2, 3]);
    let joining = by(4).ask(Some(&before)).expect("a view");
    let after = by(1).dead(&[2]).ask(Some(&joining)).expect("a view");
    for slot in moved(&joining, &after) {
        assert_eq!(owner(&joining, slot), Some(Incarnation([2; 16])));
    }
    assert!(Slot::all().all(|slot| owner(&after, slot).is_some()));
    expect_rest(&finish(after, &by(1)), &[1, 3, 4]);
}

#[derive(Clone, Debug)]
enum Happening {
    Join(u8),
    Leave(usize),
    Crash(usize),
    Steps(u8),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (1..=9u8).prop_map(Happening::Join),
        (0..9usize).prop_map(Happening::Leave),
        (0..9usize).prop_map(Happening::Crash),
        (1..40u8).prop_map(Happening::Steps),
    ]
}

/// Names of the members that don't leave.
fn staying(view: &RingView) -> Vec<u8> {
    let stays = |member: &&Member| !view.leaving.contains(&member.name);
    let staying = view.members.iter().filter(stays);
    staying.map(|member| member.incarnation.0[0]).collect()
}

/// What happens, done by a member that stays.
fn follow(view: &RingView, what: &Happening) -> Vec<RingView> {
    let staying = staying(view);
    match what {
        Happening::Join(node) if !view.has(Incarnation([*node; 16])) => {
            by(*node).ask(Some(view)).into_iter().collect()
        }
        Happening::Leave(index) if staying.len() > 1 => {
            let leaver = staying[index % staying.len()];
            by(leaver).leave().ask(Some(view)).into_iter().collect()
        }
        Happening::Crash(index) if view.members.len() > 1 && staying.len() > 1 => {
            let dead = view.members[index % view.members.len()].incarnation.0[0];
            let me = staying
                .iter()
                .find(|node| **node != dead)
                .expect("two stay");
            by(*me).dead(&[dead]).ask(Some(view)).into_iter().collect()
        }
        Happening::Steps(count) => {
            let mut views: Vec<RingView> = Vec::new();
            for _ in 0..*count {
                let last = views.last().unwrap_or(view);
                views.extend(by(staying[0]).step().ask(Some(last)));
            }
            views
        }
        Happening::Join(_) | Happening::Leave(_) | Happening::Crash(_) => Vec::new(),
    }
}

/// Slots that left a member that is in both views.
fn moved_between_the_living(before: &RingView, after: &RingView) -> usize {
    let lives = |slot: &Slot| owner(before, *slot).is_some_and(|life| after.has(life));
    moved(before, after)
        .iter()
        .filter(|slot| lives(slot))
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_series_of_views_is_steps_and_ends_with_the_proposal(
        happenings in prop::collection::vec(happening(), 1..14),
    ) {
        let mut view = rest(&[1, 2]);
        for what in &happenings {
            for next in follow(&view, what) {
                prop_assert!(next.version > view.version);
                prop_assert!(next.check().is_ok());
                prop_assert!(Slot::all().all(|slot| owner(&next, slot).is_some()));
                if let Happening::Crash(_) = what {
                    // At rest the whole table becomes the proposal, which the bound moves a little.
                    let most = if next.joining.is_empty() && next.leaving.is_empty() { 32 } else { 0 };
                    prop_assert!(moved_between_the_living(&view, &next) <= most);
                } else {
                    expect_step(&view, &next);
                }
                view = next;
            }
        }
        let staying = staying(&view);
        let view = finish(view, &by(staying[0]));
        expect_rest(&view, &staying);
        let most = staying.iter().map(|node| view.slots_of(Incarnation([*node; 16])).count()).max();
        prop_assert!(most.is_some_and(|most| most * staying.len() * 10 <= 4096 * 11));
    }
}
