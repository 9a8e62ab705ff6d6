//! The view's row: when it is read, and what the node holds of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rand::RngCore;
use trunkline_shared::{Incarnation, Instant, Now, RingView, Slot, ViewVersion};
use trunkline_store_core::{StoreError, ViewRow};

use super::asked::Kind;
use super::io::{MembershipOutput, MembershipRequest};
use super::{Membership, Phase};

/// What is known of the row.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// As it was last read or written.
    pub(super) view: Option<Arc<RingView>>,
    /// When that was known; `None` before.
    known_at: Option<Instant>,
    /// Since when its version is the one known.
    since: Instant,
    /// It was asked for again while it was being read.
    read_again: bool,
    /// The newest view that an edge has shown and that hasn't been looked for in the row.
    shown: Option<Box<RingView>>,
    /// Heartbeats have read the members' rows since.
    pub(super) rows_since: bool,
    /// The next heartbeat is due at once when the row has been read: a node that isn't in it waits for nothing else.
    pub(super) wants_rows: bool,
}

impl Row {
    pub(super) const fn is_known(&self) -> bool {
        self.known_at.is_some()
    }

    /// Whether something asked for at `sent` says more than the row.
    pub(super) fn is_older_than(&self, sent: Instant) -> bool {
        self.known_at.is_some_and(|known| known <= sent)
    }

    /// Whether something asked for at `sent` was asked about the row as it is.
    pub(super) fn was_known_before(&self, sent: Instant) -> bool {
        self.since <= sent
    }

    pub(super) fn version(&self) -> Option<ViewVersion> {
        self.view.as_ref().map(|view| view.version)
    }
}

/// The view that the node holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) view: Arc<RingView>,
    /// It gave this node slots that the one before didn't.
    pub(super) gained: bool,
    /// It gave nobody anything.
    pub(super) moved_nothing: bool,
    /// This node wrote it.
    pub(super) wrote: bool,
    /// When a step that it began is passed over.
    pub(super) step_at: Instant,
}

impl Membership {
    pub(super) fn read_view(&mut self, now: Now) {
        if !matches!(self.phase, Phase::Named) {
            return;
        }
        self.row.read_again = self.asked.has(|kind| *kind == Kind::View);
        self.ask(now, Kind::View, MembershipRequest::View);
    }

    pub(super) fn on_need(&mut self, now: Now, version: ViewVersion) {
        if self.view().is_none_or(|view| view.version < version) {
            self.read_view(now);
        }
    }

    pub(super) fn on_shown(&mut self, now: Now, view: Box<RingView>) {
        let known = self.view().map(|view| view.version);
        let shown = self.row.shown.as_ref().map(|view| view.version);
        if Some(view.version) > known.max(shown) {
            self.row.shown = Some(view);
            self.read_view(now);
        }
    }

    pub(super) fn on_view(
        &mut self,
        now: Now,
        sent: Instant,
        row: Result<Option<ViewRow>, StoreError>,
    ) {
        if !matches!(self.phase, Phase::Named) {
            return;
        }
        match row {
            // Read before this node changed it.
            Ok(_) if self.row.is_known() && !self.row.is_older_than(sent) => {}
            Ok(row) => self.on_row(now, row),
            Err(_) => self.on_unreadable(now, sent),
        }
        if std::mem::take(&mut self.row.read_again) {
            self.read_view(now);
        }
    }

    /// Only a node that can't read the row believes an edge, and only about the store that it knows.
    fn on_unreadable(&mut self, now: Now, sent: Instant) {
        if self.config.alone {
            self.beat_after(now, sent);
        }
        let shown = self.row.shown.take();
        let known = self.view().map(|view| view.version);
        let birth = self.life.store.birth;
        let is_news = |view: &RingView| view.version.birth == birth && Some(view.version) > known;
        if let Some(view) = shown.filter(|view| is_news(view))
            && self.held.is_some()
        {
            self.counters.views_believed += 1;
            self.hold(now, Arc::from(view));
        }
    }

    fn on_row(&mut self, now: Now, row: Option<ViewRow>) {
        let (view, rules) = row.map(|row| (row.view, row.rules)).unzip();
        self.know(now, view.map(Arc::new));
        let unreadable = self.rules.know(rules.flatten());
        self.counters.rules_unreadable += u64::from(unreadable);
        self.row.shown = None;
        self.take_row(now);
        let is_in = self.row.view.as_ref().is_some_and(|view| self.is_in(view));
        if std::mem::take(&mut self.row.wants_rows) && !is_in && !self.config.alone {
            self.beat_at = Some(now.instant);
        }
        if matches!(self.phase, Phase::Named) {
            self.hold_lease(now);
            self.decide(now);
        }
    }

    pub(super) fn know(&mut self, now: Now, view: Option<Arc<RingView>>) {
        if self.row.version() != view.as_ref().map(|view| view.version) {
            self.row.rows_since = false;
            self.row.since = now.instant;
            self.rules.forget_answers();
        }
        self.row.view = view;
        self.row.known_at = Some(now.instant);
    }

    /// Gives out the row's rules and holds its view where they are newer than what is held. A node that was never in a view holds none yet.
    pub(super) fn take_row(&mut self, now: Now) {
        let Some(view) = self.row.view.clone() else {
            return;
        };
        let before = self.view().map(|held| held.version).max(self.life.seen);
        if self.held.is_none() && !self.is_in(&view) {
            return;
        }
        self.give_rules();
        if Some(view.version) > before {
            self.hold(now, view);
        }
    }

    fn hold(&mut self, now: Now, view: Arc<RingView>) {
        let before = self.view().cloned();
        let receivers = receivers(before.as_deref(), &view);
        let spread = u64::try_from(self.config.step_timeout.as_micros() / 5).unwrap_or(u64::MAX);
        let spread = Duration::from_micros(self.rng.next_u64() % spread.max(1));
        self.outputs
            .push_back(MembershipOutput::View(Arc::clone(&view)));
        let is_in = self.is_in(&view);
        self.held = Some(Held {
            gained: receivers.contains(&self.me.incarnation),
            moved_nothing: receivers.is_empty(),
            wrote: false,
            step_at: now.instant + self.config.step_timeout + spread,
            view,
        });
        if !is_in {
            self.on_out(now);
        }
    }
}

/// Lives that a view gives slots to which the one before it didn't.
fn receivers(before: Option<&RingView>, view: &RingView) -> BTreeSet<Incarnation> {
    let owner = |view: &RingView, slot| view.owner(slot).map(|member| member.incarnation);
    Slot::all()
        .filter_map(|slot| {
            let new = owner(view, slot);
            let old = before.and_then(|before| owner(before, slot));
            new.filter(|_| new != old)
        })
        .collect()
}
