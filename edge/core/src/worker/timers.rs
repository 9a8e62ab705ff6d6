//! What a worker must do later, for all its sessions in one ordered structure.

use std::collections::{BTreeMap, BTreeSet};

use trunkline_shared::{Channel, Instant};

use super::ConnId;

/// What a session wants to be woken for; it has each at most once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// It hasn't connected.
    Stale,
    /// A ping is due.
    Ping,
    /// A pong is late.
    Pong,
    /// The connection's time is over, and the time to refresh too.
    Expire,
    /// Subscriptions are to be looked at.
    Tick,
    /// The edge goes away.
    Drain,
    /// The subscription must be told that its channel has another epoch.
    Tell(Channel),
    /// The client hasn't subscribed again and leaves presence.
    Leave(Channel),
}

impl Timer {
    /// Why a worker wakes.
    const fn reason(&self) -> &'static str {
        match self {
            Self::Stale => "a connection is stale",
            Self::Ping => "a ping is due",
            Self::Pong => "a pong is late",
            Self::Expire => "a connection expires",
            Self::Tick => "subscriptions are checked",
            Self::Drain => "a connection is drained",
            Self::Tell(_) => "an epoch change is told",
            Self::Leave(_) => "a client leaves presence",
        }
    }
}

/// All timers of a worker; each change costs the logarithm of their number.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeSet<(Instant, ConnId, Timer)>,
    at: BTreeMap<(ConnId, Timer), Instant>,
}

impl Timers {
    /// Sets a session's timer, instead of what it was set to.
    pub(super) fn set(&mut self, conn: ConnId, timer: Timer, at: Instant) {
        self.cancel(conn, timer.clone());
        self.at.insert((conn, timer.clone()), at);
        self.due.insert((at, conn, timer));
    }

    /// Takes a session's timer back; false when it wasn't set.
    pub(super) fn cancel(&mut self, conn: ConnId, timer: Timer) -> bool {
        let key = (conn, timer);
        let Some(at) = self.at.remove(&key) else {
            return false;
        };
        self.due.remove(&(at, key.0, key.1))
    }

    /// Takes all timers of a session back.
    pub(super) fn cancel_all(&mut self, conn: ConnId) {
        while let Some(timer) = self.first_of(conn) {
            self.cancel(conn, timer);
        }
    }

    /// Takes the next timer that is due.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(ConnId, Timer)> {
        let (at, _, _) = self.due.first()?;
        if *at > now {
            return None;
        }
        let (_, conn, timer) = self.due.pop_first()?;
        self.at.remove(&(conn, timer.clone()));
        Some((conn, timer))
    }

    /// When the next one is due, and why.
    pub(super) fn next(&self) -> Option<(Instant, &'static str)> {
        self.due.first().map(|(at, _, timer)| (*at, timer.reason()))
    }

    /// The sessions that have timers.
    pub(super) fn sessions(&self) -> impl Iterator<Item = ConnId> {
        self.at.keys().map(|(conn, _)| *conn)
    }

    /// How many are set.
    pub(super) fn len(&self) -> usize {
        self.at.len()
    }

    /// `Stale` is the first of a session's timers in the order of the type.
    fn first_of(&self, conn: ConnId) -> Option<Timer> {
        let (key, _) = self.at.range((conn, Timer::Stale)..).next()?;
        (key.0 == conn).then(|| key.1.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: u64) -> Instant {
        Instant::from_micros(micros)
    }

    #[test]
    fn timers_are_due_in_order_and_once() {
        let mut timers = Timers::default();
        timers.set(ConnId(1), Timer::Ping, at(20));
        timers.set(ConnId(2), Timer::Stale, at(10));
        assert_eq!(timers.next(), Some((at(10), "a connection is stale")));
        assert_eq!(timers.pop(at(9)), None);
        assert_eq!(timers.pop(at(20)), Some((ConnId(2), Timer::Stale)));
        assert_eq!(timers.pop(at(20)), Some((ConnId(1), Timer::Ping)));
        assert_eq!(timers.pop(at(20)), None);
    }

    #[test]
    fn setting_a_timer_again_moves_it() {
        let mut timers = Timers::default();
        timers.set(ConnId(1), Timer::Ping, at(10));
        timers.set(ConnId(1), Timer::Ping, at(30));
        assert_eq!(timers.pop(at(29)), None);
        assert_eq!(timers.len(), 1);
    }

    #[test]
    fn all_timers_of_one_session_are_cancelled_and_no_others() {
        let mut timers = Timers::default();
        let channel = Channel::parse("chat:1").expect("a valid name");
        for conn in [ConnId(1), ConnId(2), ConnId(3)] {
            timers.set(conn, Timer::Ping, at(10));
            timers.set(conn, Timer::Leave(channel.clone()), at(10));
        }
        timers.cancel_all(ConnId(2));
        let sessions: Vec<ConnId> = timers.sessions().collect();
        assert_eq!(sessions, [ConnId(1), ConnId(1), ConnId(3), ConnId(3)]);
    }
}
