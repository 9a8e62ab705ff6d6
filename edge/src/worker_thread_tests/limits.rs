//! A slow reader hurts only itself.

use tokio::io::AsyncReadExt;

use super::client::Client;
use super::fixture::{Thread, config, publication, within};

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_others_miss_nothing() {
    let mut thread = Thread::start(config());
    let mut slow = thread.subscriber("live:1").await;
    let mut good = thread.subscriber("live:1").await;
    // More than all buffers between take: some 6 MiB here, and the queue of 1 MiB.
    for offset in 1..=600 {
        thread.tell(publication(offset, format!("\"{}\"", "x".repeat(40 << 10))));
        let push = good.text().await;
        assert!(
            push.ends_with(&format!("\"offset\":{offset}}}}}}}")),
            "{offset}"
        );
    }
    let mut rest = Vec::new();
    let _ = within(slow.0.read_to_end(&mut rest)).await;
    assert!(rest.len() < 600 * (40 << 10));
    assert_eq!(
        thread.report().await.stats.counters.closes.get(&3008),
        Some(&1)
    );
}

#[tokio::test]
async fn a_client_that_reads_late_gets_everything_in_order() {
    let mut thread = Thread::start(config());
    let mut late: Client = thread.subscriber("live:1").await;
    // Less than the queue and the socket's buffers take together.
    for offset in 1..=20 {
        thread.tell(publication(offset, format!("\"{}\"", "x".repeat(40 << 10))));
    }
    while thread.report().await.stats.counters.publications_out < 20 {}
    for offset in 1..=20 {
        assert!(
            late.text()
                .await
                .ends_with(&format!("\"offset\":{offset}}}}}}}")),
            "{offset}"
        );
    }
}
