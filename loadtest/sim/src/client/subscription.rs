//! One channel of a client, as the SDKs keep it.

use trunkline_shared::Instant;

use crate::record::{Known, Subscribed};

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not wanted for now.
    Off,
    /// Wanted; asked for when the time comes.
    Wanted {
        /// When.
        at: Instant,
    },
    /// Asked for.
    Asked {
        /// By which command.
        command: u32,
    },
    /// Subscribed.
    Live,
}

/// One channel of a client.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    /// Where it stands.
    pub(crate) state: State,
    /// The position to recover from.
    pub(crate) known: Option<Known>,
    /// Unsubscribe commands in flight: until they are answered, what comes is of no interest.
    pub(crate) leaving: u32,
    /// How often asking failed in a row.
    pub(crate) failures: u32,
}

impl Subscription {
    /// Makes one that is asked for as soon as the client is connected.
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Wanted { at: Instant::ZERO },
            known: None,
            leaving: 0,
            failures: 0,
        }
    }

    /// Takes a subscribe reply; positions are kept only where the edge keeps them.
    pub(crate) fn on_subscribed(&mut self, reply: &Subscribed) {
        self.state = State::Live;
        self.failures = 0;
        self.known = reply.positioned.then(|| Known {
            epoch: reply.epoch.clone(),
            offset: reply.offset,
        });
        if let Some(last) = reply.publications.last() {
            self.on_offset(last.offset);
        }
    }

    /// Takes a publication: any offset becomes the position, as in the SDKs.
    pub(crate) fn on_offset(&mut self, offset: u64) {
        if let Some(known) = self.known.as_mut().filter(|_| offset > 0) {
            known.offset = offset;
        }
    }

    /// The connection is gone: what was wanted still is.
    pub(crate) fn on_lost(&mut self) {
        self.leaving = 0;
        if self.state != State::Off {
            self.state = State::Wanted { at: Instant::ZERO };
        }
    }
}
