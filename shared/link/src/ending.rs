//! The end of a link, kept apart from its tasks: it is known before they start and after they are gone.

use std::sync::{Arc, OnceLock};

use crate::end::LinkEnd;

/// The end of a link: why it came, and that everybody has been told.
#[derive(Clone)]
pub(crate) struct Ending {
    pub(crate) connection: quinn::Connection,
    /// Set by whoever ends the link on this side, else by the link's last task.
    reason: Arc<OnceLock<LinkEnd>>,
}

impl Ending {
    pub(crate) fn new(connection: quinn::Connection) -> Self {
        Self {
            connection,
            reason: Arc::default(),
        }
    }

    /// Ends the link for a reason of this side. The first reason stays; one that comes after the connection's end is
    /// none.
    pub(crate) fn set(&self, end: LinkEnd) {
        // A second close would overwrite what quinn tells about the first.
        if self.connection.close_reason().is_none() && self.reason.set(end.clone()).is_ok() {
            end.code().close(&self.connection, &end.to_string());
        }
    }

    /// Whether a reason is known: of this side, or because all tasks have ended.
    pub(crate) fn is_known(&self) -> bool {
        self.reason.get().is_some()
    }

    /// The reason: what this side has said, else what QUIC says. Everybody who asks later hears the same.
    pub(crate) fn reason(&self) -> LinkEnd {
        let quic = || {
            self.connection
                .close_reason()
                .map_or(LinkEnd::Goodbye, |error| LinkEnd::from_quic(&error))
        };
        self.reason.get_or_init(quic).clone()
    }

    /// Whether both are of the same link.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reason, &other.reason)
    }
}
