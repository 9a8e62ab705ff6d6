//! Partitions come and go with time, and nobody waits for that.

use std::time::Duration;

use trunkline_store::PostgresStore;
use trunkline_store::postgres::Options;
use trunkline_store_core::MessageStore;
use trunkline_store_core::suite::{Sample, make};

use super::support::{COMMITTED, Outsider, new_store, options, with_server};

/// A partition whose rows expired an hour ago, with one row.
const OLD: &str = "SET search_path = trunkline; \
    CREATE TABLE message_1000_2000 PARTITION OF message FOR VALUES FROM (to_timestamp(1000)) TO (to_timestamp(2000)); \
    INSERT INTO message SELECT to_timestamp(1500), 5, 1, 1, 1, 1, 'chat:1', 'edge', 'record'";

/// A partition of idempotency keys that expired as long ago.
const OLD_KEYS: &str = "SET search_path = trunkline; \
    CREATE TABLE idempotency_key_1000_2000 PARTITION OF idempotency_key \
    FOR VALUES FROM (to_timestamp(1000)) TO (to_timestamp(2000)); \
    INSERT INTO idempotency_key SELECT to_timestamp(1500), 5, 1, 1, 'chat:1', 'old'";

const COUNT: &str = "SELECT count(*) FROM pg_class WHERE relname = 'message_1000_2000'";

/// Takes the lock of the node that looks after partitions.
const MAINTENANCE: &str = "SELECT pg_advisory_lock(8390898172853774703)";

async fn count(outsider: &Outsider) -> i64 {
    outsider.0.query_one(COUNT, &[]).await.unwrap().get(0)
}

#[test]
fn expired_partitions_are_dropped_and_appends_go_on_meanwhile() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        let outsider = Outsider::connect(server, &database).await;
        outsider.0.batch_execute(OLD).await.unwrap();
        // Dropping waits for this reader of the old partition; appends must not wait behind it.
        let reader = Outsider::connect(server, &database).await;
        let read = "BEGIN; SELECT FROM trunkline.message_1000_2000";
        reader.0.batch_execute(read).await.unwrap();
        let options = options(server.dsn(&database));
        let second = PostgresStore::open(&options).await.unwrap();
        outsider
            .0
            .query("SELECT 1", &[])
            .await
            .expect("the server lives");
        wait_for_detach(&outsider).await;
        let claimed = Sample(&store).claim(5).await;
        for follows in 0..10 {
            let part = make::part(claimed, vec![make::messages("chat:1", follows, 1)]);
            assert_eq!(store.append(vec![part]).await, COMMITTED);
        }
        assert_eq!(count(&outsider).await, 1);
        reader.release().await;
        while count(&outsider).await > 0 {
            tokio::task::yield_now().await;
        }
        let all = make::offsets(claimed.slot, "chat:1", 0, u64::MAX);
        assert_eq!(
            Sample(&second).read(all).await,
            (1..=10).collect::<Vec<_>>()
        );
    });
}

#[test]
fn a_store_is_opened_while_another_node_drops_partitions() {
    with_server(|server| async {
        let (_store, database) = new_store(server).await;
        let outsider = Outsider::connect(server, &database).await;
        outsider.0.batch_execute(MAINTENANCE).await.unwrap();
        let options = options(server.dsn(&database));
        PostgresStore::open(&options).await.unwrap();
    });
}

/// Waits until the old partition is on its way out and waits for its reader.
async fn wait_for_detach(outsider: &Outsider) {
    let query = "SELECT FROM pg_inherits WHERE inhdetachpending";
    while outsider.0.query(query, &[]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn what_a_crash_left_half_dropped_is_dropped_by_the_next_node() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        drop(store);
        let outsider = Outsider::connect(server, &database).await;
        outsider.0.batch_execute(OLD).await.unwrap();
        let detach = "ALTER TABLE trunkline.message DETACH PARTITION trunkline.message_1000_2000";
        outsider.0.batch_execute(detach).await.unwrap();
        let store = PostgresStore::open(&options(server.dsn(&database)))
            .await
            .unwrap();
        while count(&outsider).await > 0 {
            tokio::task::yield_now().await;
        }
        Sample(&store).claim(5).await;
    });
}

#[test]
fn there_are_few_partitions_and_one_for_now() {
    with_server(|server| async {
        let (_store, database) = new_store(server).await;
        for table in ["message", "idempotency_key"] {
            let count = format!(
                "SELECT count(*) FROM pg_inherits WHERE inhparent = 'trunkline.{table}'::regclass"
            );
            let count: u32 = server.sql(&database, &count).parse().unwrap();
            assert!((2..=8).contains(&count), "{table}: {count}");
        }
    });
}

async fn wait_for_keys_dropped(outsider: &Outsider) {
    let left = "SELECT FROM pg_class WHERE relname = 'idempotency_key_1000_2000'";
    while !outsider.0.query(left, &[]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

/// A node whose configuration keeps messages for less long than the mesh does must not drop them.
#[test]
fn nothing_is_dropped_before_it_is_said_for_how_long_it_is_kept() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        let sample = Sample(&store);
        let claimed = sample.claim(5).await;
        sample.append(claimed, "chat:2", 0, 1).await;
        let outsider = Outsider::connect(server, &database).await;
        outsider.0.batch_execute(OLD).await.unwrap();
        let untouched = "UPDATE trunkline.head SET touched = to_timestamp(0); \
            DELETE FROM trunkline.message WHERE channel = 'chat:2'";
        outsider.0.batch_execute(untouched).await.unwrap();
        let options = Options {
            heads_kept: Some(Duration::from_hours(1)),
            keeps_all_at_first: true,
            ..options(server.dsn(&database))
        };
        // Keys always go in a pass, after messages would: they show that it was made.
        outsider.0.batch_execute(OLD_KEYS).await.unwrap();
        let second = PostgresStore::open(&options).await.unwrap();
        wait_for_keys_dropped(&outsider).await;
        assert_eq!(count(&outsider).await, 1);
        outsider.0.batch_execute(OLD_KEYS).await.unwrap();
        second.keep(None, None);
        wait_for_keys_dropped(&outsider).await;
        assert_eq!(count(&outsider).await, 1, "for ever");
        assert_eq!(second.stats().heads_removed, 0);
        let hour = Some(Duration::from_hours(1));
        second.keep(hour, hour);
        while count(&outsider).await > 0 || second.stats().heads_removed < 1 {
            tokio::task::yield_now().await;
        }
    });
}

/// Keys are kept for minutes, however long messages are.
#[test]
fn expired_idempotency_keys_are_dropped_with_their_partition() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        let claimed = Sample(&store).claim(5).await;
        let keyed = make::keyed("chat:1", 0, b"once");
        let outcome = store.append(vec![make::part(claimed, vec![keyed])]).await;
        assert_eq!(outcome, COMMITTED);
        let outsider = Outsider::connect(server, &database).await;
        outsider.0.batch_execute(OLD_KEYS).await.unwrap();
        let asked = || make::keys_of(claimed.slot, "chat:1", &[b"old", b"once"]);
        assert_eq!(Sample(&store).find_keys(asked()).await, [1], "no old ones");
        let second = PostgresStore::open(&options(server.dsn(&database)))
            .await
            .unwrap();
        wait_for_keys_dropped(&outsider).await;
        assert_eq!(Sample(&second).find_keys(asked()).await, [1]);
    });
}
