//! Waiting for what may never be due.

use tokio::time::Instant;

/// Waits until `at`; without one, forever.
pub(crate) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
