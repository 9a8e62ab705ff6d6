//! Heads that go while others append, by the maintenance of a node.

use std::time::Duration;

use trunkline_shared::Offset;
use trunkline_store::PostgresStore;
use trunkline_store::postgres::Options;
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{FloorRequest, Head, MessageStore};

use super::support::{COMMITTED, Outsider, look_again, new_store, options, with_server};

/// What two hours without a message leave.
const TWO_HOURS_LATER: &str = "TRUNCATE trunkline.message; \
    UPDATE trunkline.head SET touched = touched - interval '2 hours'";

/// Begins a removal of everything that wasn't touched in the last hour, and leaves it open.
const BEGIN_REMOVAL: &str = "SET search_path = trunkline, pg_catalog; BEGIN; \
    SELECT forget_heads(-1, '', 1000, now() - interval '1 hour')";

#[test]
fn a_node_removes_heads_that_nothing_touched_for_long() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        let sample = Sample(&store);
        let claimed = sample.claim(5).await;
        for (channel, count) in [("chat:1", 3), ("chat:2", 4), ("chat:3", 5), ("chat:4", 6)] {
            sample.append(claimed, channel, 0, count).await;
        }
        let outsider = Outsider::connect(server, &database).await;
        outsider.0.batch_execute(TWO_HOURS_LATER).await.unwrap();
        sample.append(claimed, "chat:2", 4, 1).await;
        let floor = FloorRequest {
            slot: claimed.slot,
            generation: claimed.generation,
            channel: make::channel("chat:3"),
            floor: Offset(2),
        };
        let raised = store.raise_floor(floor).await.unwrap();
        let options = Options {
            heads_kept: Some(Duration::from_hours(1)),
            ..options(server.dsn(&database))
        };
        let second = PostgresStore::open(&options).await.unwrap();
        while second.stats().heads_removed < 2 {
            look_again().await;
        }
        let at_mark = Head::at_mark(Offset(6));
        assert_eq!(sample.head(5, "chat:1").await, at_mark);
        assert_eq!(sample.head(5, "chat:4").await, at_mark);
        assert_eq!(sample.head(5, "chat:2").await.offset, Offset(5));
        assert_eq!(sample.head(5, "chat:3").await, raised);
        assert_eq!(second.stats().heads_removed, 2);
    });
}

#[test]
fn a_removal_waits_for_no_append() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        let sample = Sample(&store);
        let claimed = sample.claim(5).await;
        sample.append(claimed, "chat:1", 0, 3).await;
        sample.append(claimed, "chat:2", 0, 2).await;
        let outsider = Outsider::connect(server, &database).await;
        outsider.0.batch_execute(TWO_HOURS_LATER).await.unwrap();
        let moving = Outsider::connect(server, &database).await;
        let lock = "BEGIN; SELECT FROM trunkline.slot WHERE number = 5 FOR NO KEY UPDATE; \
            UPDATE trunkline.head SET head_offset = 4, touched = now() WHERE channel = 'chat:1'";
        moving.0.batch_execute(lock).await.unwrap();
        outsider.0.batch_execute(BEGIN_REMOVAL).await.unwrap();
        outsider.release().await;
        moving.release().await;
        assert_eq!(sample.head(5, "chat:1").await.offset, Offset(4));
        assert_eq!(sample.head(5, "chat:2").await, Head::at_mark(Offset(2)));
    });
}

/// It has compared the head before that goes; what it then writes follows what it compared.
#[test]
fn an_append_that_has_compared_a_head_is_taken_though_the_head_goes() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        let sample = Sample(&store);
        let claimed = sample.claim(5).await;
        sample.append(claimed, "chat:1", 0, 3).await;
        sample.append(claimed, "chat:far", 0, 9).await;
        let outsider = Outsider::connect(server, &database).await;
        outsider.0.batch_execute(TWO_HOURS_LATER).await.unwrap();
        outsider.0.batch_execute(BEGIN_REMOVAL).await.unwrap();
        let part = make::part(claimed, vec![make::messages("chat:1", 3, 2)]);
        let append = store.append(vec![part]);
        outsider.waiters(1).await;
        outsider.release().await;
        assert_eq!(append.await, COMMITTED);
        let head = Head {
            offset: Offset(5),
            floor: Offset(3),
        };
        assert_eq!(sample.head(5, "chat:1").await, head);
        assert_eq!(sample.head(5, "chat:far").await, Head::at_mark(Offset(9)));
        sample.append(claimed, "chat:1", 5, 1).await;
        let all = make::offsets(claimed.slot, "chat:1", 1, u64::MAX);
        assert_eq!(sample.read(all).await, [4, 5, 6]);
    });
}
