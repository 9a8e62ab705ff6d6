//! Closing everybody, each connection at its own random moment: the edge stops, or it is cut off from the backbone.

use std::time::Duration;

use trunkline_shared::{Instant, Now};

use super::session::Phase;
use super::timers::Timer;
use super::{ConnId, Worker};

/// Why every connection is closed, and when the last one is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Closing {
    /// The edge stops.
    Drain {
        /// When the last one is closed.
        until: Instant,
    },
    /// The edge is cut off; who is still there when it is linked again stays.
    Isolation {
        /// When the last one is closed.
        until: Instant,
    },
}

impl Worker {
    /// Whether new connections are to be sent elsewhere, because the edge is cut off from the backbone.
    pub const fn is_isolated(&self) -> bool {
        matches!(self.closing, Some(Closing::Isolation { .. }))
    }

    pub(super) fn drain(&mut self, now: Now, over: Duration) {
        let until = now.instant + over;
        self.closing = Some(Closing::Drain { until });
        self.close_all_before(now, over);
    }

    pub(super) fn on_isolated(&mut self, now: Now, isolated: bool) {
        match (self.closing, isolated) {
            (None, true) => {
                let over = self.ctx.config.close_spread;
                let until = now.instant + over;
                self.closing = Some(Closing::Isolation { until });
                self.close_all_before(now, over);
            }
            (Some(Closing::Isolation { .. }), false) => {
                self.closing = None;
                self.open_connections().into_iter().for_each(|conn| {
                    self.ctx.timers.cancel(conn, Timer::Drain);
                });
            }
            // An edge that stops doesn't change its mind.
            (Some(Closing::Drain { .. }), _)
            | (None, false)
            | (Some(Closing::Isolation { .. }), true) => {}
        }
    }

    /// Plans the end of a connection whose handshake had begun before everybody was to be closed.
    pub(super) fn close_late_comer(&mut self, now: Now, conn: ConnId) {
        if let Some(Closing::Drain { until } | Closing::Isolation { until }) = self.closing {
            self.close_before(now, conn, until.since(now.instant));
        }
    }

    fn close_all_before(&mut self, now: Now, over: Duration) {
        for conn in self.open_connections() {
            self.close_before(now, conn, over);
        }
        self.handle_timeout(now);
    }

    fn close_before(&mut self, now: Now, conn: ConnId, within: Duration) {
        let at = now.instant + self.ctx.random_below(within);
        self.ctx.timers.set(conn, Timer::Drain, at);
    }

    fn open_connections(&self) -> Vec<ConnId> {
        let open = self
            .sessions
            .values()
            .filter(|session| session.phase != Phase::Closed);
        open.map(|session| session.conn).collect()
    }
}
