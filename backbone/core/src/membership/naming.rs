//! How a life gets its name: the name's row is free, or it is watched until the life in it has ended.

use trunkline_shared::{Instant, Now};
use trunkline_store_core::{Beat, JoinRequest, MemberRow, StoreError};

use super::asked::Kind;
use super::io::{MembershipOutput, MembershipRequest};
use super::{Membership, Phase};

/// What has been seen of the name's row.
#[derive(Debug, Default)]
pub(super) struct Naming {
    watched: Option<Beat>,
    /// Reads that showed it moved. One may have been on its way to the store when its process ended; a second one lives.
    moves: u8,
}

impl Membership {
    pub(super) fn on_members(
        &mut self,
        now: Now,
        sent: Instant,
        rows: Result<Vec<MemberRow>, StoreError>,
    ) {
        if !matches!(self.phase, Phase::Naming(_)) {
            return;
        }
        self.beat_after(now, sent);
        let Ok(rows) = rows else {
            return self.pulses.lose();
        };
        self.pulses.take(sent, now.instant, &rows);
        let row = rows.iter().find(|row| row.member.name == self.me.name);
        let Some(row) = row else {
            return self.join(now, None);
        };
        let beat = row.beat();
        if beat.incarnation == self.me.incarnation {
            // Put by a join whose answer was lost. The lease begins with the first heartbeat.
            self.on_named(now, None);
        } else if Some(beat.incarnation) == self.life.former || self.pulses.is_still(&row.member) {
            self.join(now, Some(beat));
        } else {
            self.watch(row);
        }
    }

    /// Another life has the name: it has ended unless it moves.
    fn watch(&mut self, row: &MemberRow) {
        let Phase::Naming(naming) = &mut self.phase else {
            return;
        };
        let before = naming.watched.replace(row.beat());
        naming.moves += u8::from(before.is_some_and(|before| before != row.beat()));
        if naming.moves >= 2 {
            let line = format!(
                "the name {} is taken: another process lives under it at {}",
                row.member.name, row.member.address
            );
            self.end(MembershipOutput::NameTaken(line));
        }
    }

    fn join(&mut self, now: Now, expected: Option<Beat>) {
        let member = self.me.clone();
        self.beat_at = None;
        let request = JoinRequest { member, expected };
        self.ask(now, Kind::Join, MembershipRequest::Join(request));
    }

    pub(super) fn on_joined(&mut self, now: Now, sent: Instant, joined: Result<bool, StoreError>) {
        if !matches!(self.phase, Phase::Naming(_)) {
            return;
        }
        match joined {
            Ok(true) => return self.on_named(now, Some(sent)),
            Ok(false) => {}
            Err(_) => self.pulses.lose(),
        }
        // Another life may have been faster, or the row may have been put: the rows say.
        self.beat_after(now, sent);
        self.end_unnamed_leave(now);
    }

    /// The row is this life's: the view is read, and only then the rows by which its members are judged.
    pub(super) fn on_named(&mut self, now: Now, leased: Option<Instant>) {
        self.phase = Phase::Named;
        self.beat_at = None;
        if !self.config.alone {
            self.beat_after(now, now.instant);
        }
        if let Some(sent) = leased {
            self.renew_lease(now, sent);
        }
        self.row.wants_rows = true;
        self.read_view(now);
        self.decide(now);
    }
}
