//! How many connections an edge takes, over all its workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::refusals::Refusals;

/// Counts connections against their limits; shared by all workers.
#[derive(Debug)]
pub(crate) struct Gate {
    sockets: Slots,
    http: Slots,
    closed: AtomicBool,
    counters: GateCounters,
    refusals: Refusals,
}

/// What the gate has refused and what has come through.
#[derive(Debug, Default)]
pub(crate) struct GateCounters {
    /// Connections accepted.
    pub(crate) accepted: AtomicU64,
    /// Upgrades to WebSocket.
    pub(crate) upgraded: AtomicU64,
    /// Refused: too many WebSockets, or too many other connections.
    pub(crate) refused_full: AtomicU64,
    /// Refused: the worker comes late.
    pub(crate) refused_late: AtomicU64,
    /// Refused: the edge stops.
    pub(crate) refused_draining: AtomicU64,
    /// Refused: the edge is cut off from the backbone and sends its clients elsewhere.
    pub(crate) refused_isolated: AtomicU64,
    /// Refused: the page's origin isn't allowed.
    pub(crate) refused_origin: AtomicU64,
    /// Refused: the request isn't a WebSocket handshake.
    pub(crate) refused_handshake: AtomicU64,
    /// Connections that couldn't be accepted: mostly no file descriptor was left.
    pub(crate) accept_errors: AtomicU64,
    /// TLS handshakes done.
    pub(crate) tls_done: AtomicU64,
    /// Connections to a port with TLS that speak something else.
    pub(crate) tls_not_spoken: AtomicU64,
    /// TLS handshakes that took too long.
    pub(crate) tls_slow: AtomicU64,
    /// TLS handshakes that failed otherwise.
    pub(crate) tls_failed: AtomicU64,
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[derive(Debug)]
struct Slots {
    taken: Arc<AtomicUsize>,
    limit: usize,
}

/// A place that a connection takes until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<AtomicUsize>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Slots {
    fn new(limit: usize) -> Self {
        Self {
            taken: Arc::default(),
            limit,
        }
    }

    fn try_take(&self) -> Option<Permit> {
        let more = |taken| (taken < self.limit).then_some(taken + 1);
        self.taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()?;
        Some(Permit(Arc::clone(&self.taken)))
    }
}

impl Gate {
    /// Makes an open gate with room for so many WebSockets and so many other connections.
    pub(crate) fn new(connection_limit: usize, http_connection_limit: usize) -> Self {
        Self {
            sockets: Slots::new(connection_limit),
            http: Slots::new(http_connection_limit),
            closed: AtomicBool::new(false),
            counters: GateCounters::default(),
            refusals: Refusals::default(),
        }
    }

    /// A place for a WebSocket; `None` when there is none, which is counted.
    pub(crate) fn try_socket(&self) -> Option<Permit> {
        let permit = self.counted(self.sockets.try_take());
        if permit.is_none() {
            self.refusals.too_many_sockets(self.sockets.limit);
        }
        permit
    }

    /// A place for a connection that isn't a WebSocket (yet); `None` when there is none, which is counted.
    pub(crate) fn try_http(&self) -> Option<Permit> {
        let permit = self.counted(self.http.try_take());
        if permit.is_none() {
            self.refusals.too_many_http(self.http.limit);
        }
        permit
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Whether nobody is let in any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// WebSockets that there are.
    pub(crate) fn sockets(&self) -> usize {
        self.sockets.taken.load(Ordering::Relaxed)
    }

    /// Other connections that there are.
    pub(crate) fn http(&self) -> usize {
        self.http.taken.load(Ordering::Relaxed)
    }

    /// What has happened at the gate.
    pub(crate) const fn counters(&self) -> &GateCounters {
        &self.counters
    }

    /// Tells the log who is turned away.
    pub(crate) const fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    fn counted(&self, permit: Option<Permit>) -> Option<Permit> {
        if permit.is_none() {
            count(&self.counters.refused_full);
        }
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_connection_is_gone() {
        let gate = Gate::new(1, 1);
        let permit = gate.try_socket();
        assert!(permit.is_some() && gate.try_socket().is_none());
        assert_eq!((gate.sockets(), gate.http()), (1, 0));
        drop(permit);
        assert!(gate.try_socket().is_some());
        assert_eq!(gate.counters().refused_full.load(Ordering::Relaxed), 1);
    }
}
