//! Waiting for what is found by looking.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often it is looked whether something has happened.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Looks again and again for something, `at_most` so long.
pub(crate) async fn wait<T>(at_most: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let since = Instant::now();
    loop {
        let found = look();
        if found.is_some() || since.elapsed() > at_most {
            return found;
        }
        sleep(LOOK_INTERVAL).await;
    }
}
