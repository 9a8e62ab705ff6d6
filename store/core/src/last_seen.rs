//! When users were last connected: told in batches as they leave, read for many at once.

use std::future::Future;

use smol_str::SmolStr;
use trunkline_shared::UnixMillis;
use trunkline_shared::limits::CHANNEL_BYTES_MAX;

use crate::traits::StoreError;

/// Remembers when users were last seen; that survives restarts.
///
/// A user is any text of 254 bytes at most, the NUL included: with its `#` it names a channel. A longer name is passed over
/// when it is told and found by nobody, so that it stops none of those told with it.
pub trait LastSeenStore: Send + Sync + 'static {
    /// Remembers when users were seen; a time earlier than the one remembered changes nothing. A user may come twice.
    ///
    /// # Errors
    /// When the store is away; all, some or none of them may be remembered then: telling it again does no harm.
    fn saw(
        &self,
        users: Vec<(SmolStr, UnixMillis)>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// When users were last seen, in the order asked; `None` for one that never was.
    ///
    /// # Errors
    /// When the store is away or damaged.
    fn last_seen(
        &self,
        users: Vec<SmolStr>,
    ) -> impl Future<Output = Result<Vec<Option<UnixMillis>>, StoreError>> + Send;
}

/// Whether a user's name is one that is remembered.
pub fn is_remembered(user: &str) -> bool {
    user.len() < CHANNEL_BYTES_MAX
}
