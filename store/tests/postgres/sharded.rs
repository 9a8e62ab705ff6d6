//! The behaviour suite over a store in two databases, and what only such a store may do wrong.

use trunkline_shared::UnixMillis;
use trunkline_store::PostgresStore;
use trunkline_store::postgres::{OpenError, Options, ShardOptions};
use trunkline_store_core::MessageStore;
use trunkline_store_core::suite::{Harness, Sample, make};

use super::support::{COMMITTED, block_on, clock, forget_heads, shared_server, with_server};

/// Slots of the suite's tests lie on both sides.
fn options(databases: &[String; 2], border: u16) -> Options {
    let server = shared_server().unwrap();
    let slots = [0..=border, border + 1..=4095];
    let shards = databases.iter().zip(slots);
    Options {
        writers: 2,
        readers: 1,
        shards: shards
            .map(|(database, slots)| ShardOptions {
                dsn: server.dsn(database),
                slots,
            })
            .collect(),
        ..Options::default()
    }
}

struct Sharded {
    store: PostgresStore,
    databases: [String; 2],
}

impl Sharded {
    async fn again(databases: [String; 2]) -> Self {
        let store = PostgresStore::open(&options(&databases, 5)).await.unwrap();
        Self { store, databases }
    }
}

impl Harness for Sharded {
    type Store = PostgresStore;

    async fn open() -> Self {
        let server = shared_server().unwrap();
        Self::again([server.database(), server.database()]).await
    }

    fn store(&self) -> &PostgresStore {
        &self.store
    }

    async fn reopen(self) -> Self {
        drop(self.store);
        Self::again(self.databases).await
    }

    async fn crash(self) -> Self {
        self.reopen().await
    }

    async fn clock(&self) -> UnixMillis {
        clock(shared_server().unwrap(), &self.databases[0]).await
    }

    async fn forget_heads(&self, untouched_since: UnixMillis) {
        for database in &self.databases {
            forget_heads(shared_server().unwrap(), database, untouched_since).await;
        }
    }
}

fn run(test: impl Future<Output = ()>) {
    if shared_server().is_some() {
        block_on(test);
    }
}

trunkline_store_core::store_suite!(Sharded, run);

#[test]
fn each_database_has_the_messages_of_its_slots() {
    with_server(|server| async {
        let Sharded { store, databases } = Sharded::open().await;
        let sample = Sample(&store);
        let mut parts = Vec::new();
        for (slot, count) in [(5, 2), (6, 3)] {
            let claimed = sample.claim(slot).await;
            parts.push(make::part(
                claimed,
                vec![make::messages("chat:1", 0, count)],
            ));
        }
        assert_eq!(store.append(parts).await, COMMITTED);
        let count = |database| {
            server.sql(
                database,
                "SELECT slot, count(*) FROM trunkline.message GROUP BY slot",
            )
        };
        assert_eq!(databases.each_ref().map(|name| count(name)), ["5|2", "6|3"]);
    });
}

#[test]
fn slots_stay_where_they_were_when_the_first_was_claimed() {
    with_server(|_| async {
        let Sharded { store, databases } = Sharded::open().await;
        drop(store);
        let moved = PostgresStore::open(&options(&databases, 7)).await.unwrap();
        Sample(&moved).claim(5).await;
        drop(moved);
        let error = PostgresStore::open(&options(&databases, 8))
            .await
            .unwrap_err();
        let other = matches!(
            error,
            OpenError::OtherSlots {
                found: [0, 7],
                wanted: [0, 8]
            }
        );
        assert!(other, "{error}");
    });
}
