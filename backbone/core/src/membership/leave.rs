//! How a life ends: by a planned leave that hands its slots over first, or because the mesh has gone on without it.

use trunkline_shared::{Instant, Member, Now};

use super::asked::Kind;
use super::io::{MembershipOutput, MembershipRequest};
use super::{Membership, Phase};

/// A planned leave, and when it ends whether it is done or not.
#[derive(Debug)]
pub(super) struct Leaving {
    ends: Instant,
}

impl Membership {
    pub(super) fn on_leave(&mut self, now: Now) {
        if self.leaving.is_some() {
            return;
        }
        let ends = now.instant + self.config.drain;
        self.leaving = Some(Leaving { ends });
        if self.config.alone {
            return self.end(MembershipOutput::Left);
        }
        self.end_unnamed_leave(now);
        self.decide(now);
    }

    /// A node that has no row leaves nothing behind; one that may have put it finds out first.
    pub(super) fn end_unnamed_leave(&mut self, now: Now) {
        let has_no_row =
            matches!(self.phase, Phase::Naming(_)) && !self.asked.has(|kind| *kind == Kind::Join);
        if self.leaving.is_some() && has_no_row {
            self.resign(now);
        }
    }

    /// Whether nothing is left to hand over, or nobody to hand it to: then the slots stay its own in the view, and whoever
    /// finds the row missing takes them. A node that may not write can't hand over.
    pub(super) fn leave_is_done(&self) -> bool {
        let Some(view) = self.row.view.as_deref() else {
            return true;
        };
        let dead = self.dead();
        let takes = |member: &&Member| {
            member.incarnation != self.me.incarnation
                && !dead.contains(&member.incarnation)
                && !view.leaving.contains(&member.name)
        };
        !self.is_in(view) || !self.lease.is_held() || view.members.iter().find(takes).is_none()
    }

    pub(super) fn resign(&mut self, now: Now) {
        self.phase = Phase::Resigning;
        self.beat_at = None;
        let ends = now.instant + self.config.lease;
        self.leaving = Some(Leaving { ends });
        self.ask(now, Kind::Resign, MembershipRequest::Resign);
    }

    pub(super) fn leave_ends(&self) -> Option<Instant> {
        self.leaving.as_ref().map(|leaving| leaving.ends)
    }

    pub(super) fn end_leave(&mut self, now: Now) {
        if self.leave_ends().is_none_or(|ends| ends > now.instant) {
            return;
        }
        match self.phase {
            Phase::Naming(_) | Phase::Named => self.resign(now),
            // The store doesn't answer; the row will be seen not to move.
            Phase::Resigning => self.end_as_meant(),
            Phase::Over => {}
        }
    }

    /// The view or the rows are without this life. A leaver wanted that; another one begins anew.
    pub(super) fn on_out(&mut self, now: Now) {
        if self.leaving.is_some() {
            self.resign(now);
        } else {
            self.end(MembershipOutput::Rejoin);
        }
    }
}
