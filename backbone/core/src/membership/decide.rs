//! When the view is changed, and what becomes of the attempt.

use std::collections::BTreeSet;
use std::sync::Arc;

use trunkline_shared::{Incarnation, Instant, Now, RingView, ViewVersion};
use trunkline_store_core::{StoreError, ViewChange};

use super::asked::Kind;
use super::io::{MembershipOutput, MembershipRequest};
use super::kept_rules::KeptRules;
use super::next_view::{Situation, next_view};
use super::rules::Plan;
use super::{Membership, Phase};

impl Membership {
    /// Changes the view if what is known asks for it, and this node may.
    pub(super) fn decide(&mut self, now: Now) {
        let step = self.is_my_turn();
        self.change(now, step);
    }

    /// Who received slots goes on once it has claimed them; who wrote a view that moved none at once.
    fn is_my_turn(&self) -> bool {
        self.held.as_ref().is_some_and(|held| {
            (held.wrote && held.moved_nothing) || (held.gained && self.settled == held.view.version)
        })
    }

    fn change(&mut self, now: Now, step: bool) {
        if !matches!(self.phase, Phase::Named) || self.asked.is_changing() {
            return;
        }
        if self.leaving.is_some() && self.leave_is_done() {
            return self.resign(now);
        }
        if !self.lease.is_held() || !self.may_judge() {
            return;
        }
        let row = self.row.view.as_deref();
        let known = row.map(|row| row.version);
        let held = self.view().map(|view| view.version);
        let latest = known.max(held).max(self.life.seen);
        let store = self.life.store;
        let version = ViewVersion::after(latest, store.birth, store.timeline, now.unix);
        let rules = match self.plan_rules(version) {
            Plan::Keep => None,
            Plan::Write(rules) => Some(rules),
            Plan::Ask(names) => return self.ask_heads(now, names),
            Plan::Refuse(lines) => return self.refuse(now, lines),
        };
        let situation = Situation {
            me: &self.me,
            dead: &self.dead(),
            leave: self.leaving.is_some(),
            step,
            step_slots: self.config.step_slots,
            version,
            rules: rules.as_ref().map(|rules| rules.version()),
            renew: latest > known || known.is_some_and(|known| is_led_anew(known, version)),
        };
        if let Some(view) = next_view(row, &situation) {
            let kept = rules.as_deref().map(KeptRules::write);
            let change = ViewChange {
                expected: known,
                view: view.clone(),
                rules: kept,
            };
            let kind = Kind::Change(Box::new(view), rules);
            self.ask(now, kind, MembershipRequest::ChangeView(change));
        }
    }

    /// Whether enough is known: the row; and for a node that isn't in it, members' rows that were read since.
    fn may_judge(&self) -> bool {
        let is_in = self.row.view.as_ref().is_some_and(|view| self.is_in(view));
        self.row.is_known() && (is_in || self.config.alone || self.row.rows_since)
    }

    /// Lives in the row's view that have ended.
    pub(super) fn dead(&self) -> BTreeSet<Incarnation> {
        let Some(view) = self.row.view.as_deref() else {
            return BTreeSet::new();
        };
        let others = view.members.iter();
        others
            .filter(|member| member.incarnation != self.me.incarnation)
            .filter(|member| {
                self.config.alone
                    || self.gone.contains(&member.incarnation)
                    || self.pulses.is_still(member)
            })
            .map(|member| member.incarnation)
            .collect()
    }

    pub(super) fn on_changed(&mut self, now: Now, kind: Kind, changed: Result<bool, StoreError>) {
        if !matches!(self.phase, Phase::Named) {
            return;
        }
        match (changed, kind) {
            (Ok(true), Kind::Change(view, rules)) => self.on_written(now, Arc::from(view), rules),
            (Ok(changed), _) => {
                self.counters.views_outrun += u64::from(!changed);
                self.look_anew(now);
            }
            // Whether it was written shows when the row is read, after the next heartbeat.
            (Err(_), _) if self.config.alone => self.beat_after(now, now.instant),
            (Err(_), _) => self.row.wants_rows = true,
        }
    }

    fn on_written(&mut self, now: Now, view: Arc<RingView>, rules: Option<Arc<KeptRules>>) {
        self.counters.views_written += 1;
        let version = view.version;
        self.know(now, Some(view));
        if let Some(rules) = rules {
            self.rules.wrote(rules);
        }
        self.take_row(now);
        if let Some(held) = self.held.as_mut() {
            held.wrote |= held.view.version == version;
        }
        self.decide(now);
    }

    /// The row isn't what it was thought to be.
    fn look_anew(&mut self, now: Now) {
        self.row.wants_rows = true;
        self.read_view(now);
    }

    pub(super) fn on_settled(&mut self, now: Now, version: ViewVersion) {
        self.settled = self.settled.max(version);
        let is_in = self.view().is_some_and(|view| self.is_in(view));
        if is_in && !self.is_ready {
            self.is_ready = true;
            self.outputs.push_back(MembershipOutput::Ready);
        }
        self.decide(now);
    }

    /// When a step is passed over; `None` while nobody joins or leaves.
    pub(super) fn step_at(&self) -> Option<Instant> {
        let held = self.held.as_ref()?;
        let is_moving = !held.view.joining.is_empty() || !held.view.leaving.is_empty();
        is_moving.then_some(held.step_at)
    }

    /// Goes on where whoever received the last step hasn't.
    pub(super) fn pass_over(&mut self, now: Now) {
        if self.step_at().is_none_or(|at| at > now.instant) {
            return;
        }
        if let Some(held) = self.held.as_mut() {
            held.step_at = now.instant + self.config.step_timeout;
        }
        let before = self.asked.is_changing();
        self.change(now, true);
        self.counters.steps_passed_over += u64::from(!before && self.asked.is_changing());
    }
}

/// Whether the store leads views by a later birth or server than this one's.
fn is_led_anew(known: ViewVersion, next: ViewVersion) -> bool {
    (next.birth, next.timeline) > (known.birth, known.timeline)
}
