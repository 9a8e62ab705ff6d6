//! Members' rows and the view, as a node's membership meets them: over a connection of its own, which the cut of a node takes
//! away as well.

use std::time::Duration;

use trunkline_backbone_core::membership::io::{MembershipAnswer, MembershipRequest};
use trunkline_shared::Instant;
use trunkline_store_core::{HeartbeatError, StoreError, ViewChange};

use super::{Disk, Later, Member};
use crate::scenario::Tuning;

impl Disk {
    /// Takes a membership's request: it is done when it has arrived, and the answer takes its time as well.
    pub(crate) fn ask_member(
        &mut self,
        now: Instant,
        tuning: &Tuning,
        member: Member,
        request: MembershipRequest,
    ) {
        let mut there = self.delay(tuning) / 2;
        let mut back = self.delay(tuning) / 2;
        if now < self.writers[member.node].slow_until {
            there += self.dice.millis(0, 700);
            back += self.dice.millis(0, 1_500);
        }
        let perform = Later::Perform {
            member,
            request: Box::new(request),
            back,
        };
        self.later.push((there, perform));
    }

    /// Does what a membership asked, unless it can't reach the store.
    pub(crate) fn perform(
        &mut self,
        now: Instant,
        tuning: &Tuning,
        member: Member,
        request: MembershipRequest,
        back: Duration,
    ) {
        let answer = if self.is_away_for_member(now, member.node) {
            failed(&request)
        } else {
            self.do_for(now, tuning, &member, request)
        };
        self.later
            .push((back, Later::Tell(member, Box::new(answer))));
    }

    /// What a membership is told: that its request failed, where the store went away before the answer came.
    pub(crate) fn told(
        &self,
        now: Instant,
        member: &Member,
        answer: MembershipAnswer,
    ) -> MembershipAnswer {
        if !self.is_away_for_member(now, member.node) {
            return answer;
        }
        match answer {
            MembershipAnswer::Members(_) => MembershipAnswer::Members(Err(away())),
            MembershipAnswer::Joined(_) => MembershipAnswer::Joined(Err(away())),
            MembershipAnswer::Heartbeat(_) => MembershipAnswer::Heartbeat(Err(away().into())),
            MembershipAnswer::View(_) => MembershipAnswer::View(Err(away())),
            MembershipAnswer::HaveHeads(_) => MembershipAnswer::HaveHeads(Err(away())),
            MembershipAnswer::ViewChanged(_) => MembershipAnswer::ViewChanged(Err(away())),
            MembershipAnswer::Resigned(_) => MembershipAnswer::Resigned(Err(away())),
        }
    }

    fn is_away_for_member(&self, now: Instant, node: usize) -> bool {
        now < self.writers[node].member_away_until
    }

    fn do_for(
        &mut self,
        now: Instant,
        tuning: &Tuning,
        member: &Member,
        request: MembershipRequest,
    ) -> MembershipAnswer {
        let rows = self.state.members_now();
        match request {
            MembershipRequest::Members => MembershipAnswer::Members(Ok(rows.rows())),
            MembershipRequest::Join(join) => MembershipAnswer::Joined(Ok(rows.join(join))),
            MembershipRequest::Heartbeat => {
                MembershipAnswer::Heartbeat(rows.heartbeat(&member.name, member.life))
            }
            MembershipRequest::View => MembershipAnswer::View(Ok(self.tampered_view(member.node))),
            MembershipRequest::HaveHeads(names) => {
                MembershipAnswer::HaveHeads(Ok(self.state.have_heads_now(&names)))
            }
            MembershipRequest::ChangeView(change) => {
                MembershipAnswer::ViewChanged(Ok(self.change_view(now, tuning, change)))
            }
            MembershipRequest::Resign => {
                MembershipAnswer::Resigned(Ok(rows.leave(&member.name, member.life)))
            }
        }
    }

    /// Replaces the view, and tells those that listen.
    fn change_view(&mut self, now: Instant, tuning: &Tuning, change: ViewChange) -> bool {
        let view = change.view.clone();
        let changed = self.state.change_view_now(change);
        if changed {
            self.witness.note_view(&view);
            for node in 0..self.writers.len() - 1 {
                if tuning.notifies && !self.is_away_for_member(now, node) {
                    let after = self.delay(tuning) / 2;
                    self.later.push((after, Later::Notify { node }));
                }
            }
        }
        changed
    }
}

fn failed(request: &MembershipRequest) -> MembershipAnswer {
    match request {
        MembershipRequest::Members => MembershipAnswer::Members(Err(away())),
        MembershipRequest::Join(_) => MembershipAnswer::Joined(Err(away())),
        MembershipRequest::Heartbeat => {
            MembershipAnswer::Heartbeat(Err(HeartbeatError::Store(away())))
        }
        MembershipRequest::View => MembershipAnswer::View(Err(away())),
        MembershipRequest::HaveHeads(_) => MembershipAnswer::HaveHeads(Err(away())),
        MembershipRequest::ChangeView(_) => MembershipAnswer::ViewChanged(Err(away())),
        MembershipRequest::Resign => MembershipAnswer::Resigned(Err(away())),
    }
}

fn away() -> StoreError {
    StoreError::Away("by the scenario".to_owned())
}
