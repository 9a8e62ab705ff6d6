//! Removes what nobody needs any more, a few rows with each commit: idempotency keys, and heads that were long untouched.

mod heads;
mod keys;

pub(super) use self::heads::Changes;
use self::heads::HeadSweep;
use self::keys::KeySweep;

/// Where the removals stand.
#[derive(Debug)]
pub(super) struct Sweep {
    pub(super) keys: KeySweep,
    pub(super) heads: HeadSweep,
}

impl Sweep {
    /// Begins anew; a store that was closed may have something to remove.
    pub(super) const fn new() -> Self {
        Self {
            keys: KeySweep::new(),
            heads: HeadSweep::new(),
        }
    }
}
