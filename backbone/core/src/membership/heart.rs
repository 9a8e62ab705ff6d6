//! Heartbeats, what they show of the others, and the lease that they give.

use trunkline_shared::{Instant, Now};
use trunkline_store_core::{HeartbeatError, MemberRow};

use super::io::MembershipOutput;
use super::{Membership, Phase};

/// Whether the node may write: for one lease after it *sent* its last good heartbeat.
#[derive(Debug, Default)]
pub(super) struct Lease {
    ends: Option<Instant>,
    held: bool,
}

impl Lease {
    pub(super) const fn is_held(&self) -> bool {
        self.held
    }

    /// When a lease that is held ends; `None` for one that doesn't.
    pub(super) fn ends(&self) -> Option<Instant> {
        self.ends.filter(|_| self.held)
    }
}

impl Membership {
    pub(super) fn on_heartbeat(
        &mut self,
        now: Now,
        sent: Instant,
        rows: Result<Vec<MemberRow>, HeartbeatError>,
    ) {
        if !matches!(self.phase, Phase::Named) {
            return;
        }
        self.beat_after(now, sent);
        match rows {
            Ok(rows) => self.on_rows(now, sent, &rows),
            Err(HeartbeatError::Replaced) => self.on_out(now),
            Err(HeartbeatError::Store(_)) => {
                self.counters.heartbeats_failed += 1;
                self.pulses.lose();
            }
        }
    }

    fn on_rows(&mut self, now: Now, sent: Instant, rows: &[MemberRow]) {
        self.counters.heartbeats += 1;
        let in_time = self.pulses.take(sent, now.instant, rows);
        self.counters.heartbeats_late += u64::from(!in_time);
        self.lease.ends = Some(sent + self.config.lease);
        self.end_lease(now);
        if self.row.is_older_than(sent) {
            self.row.rows_since = true;
            self.bury(rows);
        }
        // The fallback where nothing says that the view has changed; and who has lost the lease reads it before going on.
        self.read_view(now);
        self.decide(now);
    }

    /// Members whose rows were there when they entered the view, and aren't now. A row that was read before the view was
    /// says nothing: its member may have come between.
    fn bury(&mut self, rows: &[MemberRow]) {
        let Some(view) = self.row.view.as_ref() else {
            return;
        };
        let is_there = |life| rows.iter().any(|row| row.member.incarnation == life);
        let members = view.members.iter().map(|member| member.incarnation);
        self.gone = members.filter(|life| !is_there(*life)).collect();
    }

    /// A lease from when a good heartbeat was sent. One that was over is held again only where the view, read since,
    /// hasn't gone on without this node.
    pub(super) fn renew_lease(&mut self, now: Now, sent: Instant) {
        self.lease.ends = (!self.config.alone).then(|| sent + self.config.lease);
        self.hold_lease(now);
    }

    pub(super) fn hold_lease(&mut self, now: Now) {
        let in_time = match self.lease.ends {
            Some(ends) => now.instant < ends,
            None => self.config.alone,
        };
        if in_time && !self.lease.held {
            self.lease.held = true;
            self.outputs
                .push_back(MembershipOutput::Lease { held: true });
        }
    }

    pub(super) fn end_lease(&mut self, now: Now) {
        if self.lease.ends().is_some_and(|ends| ends <= now.instant) {
            self.lease.held = false;
            self.counters.leases_lost += 1;
            self.outputs
                .push_back(MembershipOutput::Lease { held: false });
            self.decide(now);
        }
    }
}
