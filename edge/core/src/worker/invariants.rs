//! What must hold between a worker's tables after every input; the simulator asks after each step.

use super::session::{Phase, Session};
use super::{ConnId, Worker};

impl Worker {
    /// Compares the worker's tables with each other.
    ///
    /// # Errors
    /// With what doesn't hold.
    pub fn check_invariants(&self) -> Result<(), String> {
        let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        ensure(
            self.ctx.subscribers.all_are_used(),
            "a channel is kept that nobody has or wants",
        )?;
        ensure(
            self.each_subscriber_has_a_membership(),
            "a subscriber has no membership",
        )?;
        let open = self
            .sessions
            .values()
            .filter(|session| session.phase == Phase::Open);
        let counted: usize = self.ctx.users.values().sum();
        ensure(open.count() == counted, "users don't add up")?;
        let known = |conn: ConnId| {
            self.sessions
                .get(&conn)
                .is_some_and(|s| s.phase != Phase::Closed)
        };
        ensure(
            self.ctx.timers.sessions().all(known),
            "a timer has no session",
        )?;
        let asked = self
            .ctx
            .pending
            .values()
            .filter(|pending| pending.is_subscribe())
            .count();
        ensure(
            asked == self.ctx.subscribers.asked(),
            "subscribes in flight don't add up",
        )?;
        for session in self.sessions.values() {
            self.check_session(session)
                .map_err(|what| format!("{:?}: {what}", session.conn))?;
        }
        Ok(())
    }

    fn check_session(&self, session: &Session) -> Result<(), &'static str> {
        let ensure = |holds: bool, what: &'static str| if holds { Ok(()) } else { Err(what) };
        let bytes: usize = session.outbox.frames().map(bytes::Bytes::len).sum();
        ensure(
            bytes == session.outbox.bytes(),
            "the outbox's bytes don't add up",
        )?;
        let owed = !session.outbox.is_empty() && !session.outbox.is_blocked();
        ensure(
            !owed || session.is_dirty,
            "an outbox waits and nobody will write it",
        )?;
        ensure(
            session.phase == Phase::Open || session.memberships.is_empty(),
            "not open, yet subscribed",
        )?;
        ensure(
            session.memberships.len() <= self.ctx.config.channel_limit,
            "too many channels",
        )?;
        let tickets = session
            .order
            .tickets()
            .all(|ticket| self.ctx.pending.contains_key(&ticket));
        ensure(tickets, "a reply waits for an answer that nobody owes")?;
        let is_subscribed = |channel| {
            self.ctx
                .subscribers
                .iter()
                .any(|(name, entry)| name == channel && entry.members.contains_key(&session.conn))
        };
        let settled = session
            .memberships
            .iter()
            .filter(|(_, membership)| membership.asked.is_none());
        ensure(
            settled.map(|(channel, _)| channel).all(is_subscribed),
            "a membership delivers nothing",
        )
    }

    fn each_subscriber_has_a_membership(&self) -> bool {
        self.ctx.subscribers.iter().all(|(channel, entry)| {
            entry.members.keys().all(|conn| {
                let session = self.sessions.get(conn);
                let membership = session.and_then(|session| session.memberships.get(channel));
                membership.is_some_and(|membership| membership.asked.is_none())
            })
        })
    }
}
