//! The behaviour suite over PostgreSQL, with a crash of the node; what survives a crash of the server is apart.

use trunkline_shared::UnixMillis;
use trunkline_store::PostgresStore;
use trunkline_store_core::suite::{self, Harness};

use super::support::{
    Postgres, block_on, clock, forget_heads, new_store, options, own_server, shared_server,
};

struct Shared {
    store: PostgresStore,
    database: String,
}

impl Shared {
    fn server() -> &'static Postgres {
        shared_server().unwrap()
    }

    async fn again(database: String) -> Self {
        let dsn = Self::server().dsn(&database);
        let store = PostgresStore::open(&options(dsn)).await.unwrap();
        Self { store, database }
    }
}

impl Harness for Shared {
    type Store = PostgresStore;

    async fn open() -> Self {
        let (store, database) = new_store(Self::server()).await;
        Self { store, database }
    }

    fn store(&self) -> &PostgresStore {
        &self.store
    }

    async fn reopen(self) -> Self {
        drop(self.store);
        Self::again(self.database).await
    }

    /// The node's connections are cut, whatever is in flight on them.
    async fn crash(self) -> Self {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        Self::server().sql(&self.database, end);
        drop(self.store);
        Self::again(self.database).await
    }

    async fn clock(&self) -> UnixMillis {
        clock(Self::server(), &self.database).await
    }

    async fn forget_heads(&self, untouched_since: UnixMillis) {
        forget_heads(Self::server(), &self.database, untouched_since).await;
    }
}

fn run(test: impl Future<Output = ()>) {
    if shared_server().is_some() {
        block_on(test);
    }
}

trunkline_store_core::store_suite!(Shared, run);

/// A server that crashes, and with it all that isn't on disk.
struct Crashing {
    store: PostgresStore,
    database: String,
    server: Postgres,
}

impl Harness for Crashing {
    type Store = PostgresStore;

    async fn open() -> Self {
        let server = own_server(&[]).unwrap();
        let (store, database) = new_store(&server).await;
        Self {
            store,
            database,
            server,
        }
    }

    fn store(&self) -> &PostgresStore {
        &self.store
    }

    async fn reopen(self) -> Self {
        self.crash().await
    }

    async fn crash(mut self) -> Self {
        self.server.crash();
        drop(self.store);
        self.server.run();
        let dsn = self.server.dsn(&self.database);
        self.store = PostgresStore::open(&options(dsn)).await.unwrap();
        self
    }

    async fn clock(&self) -> UnixMillis {
        clock(&self.server, &self.database).await
    }

    async fn forget_heads(&self, untouched_since: UnixMillis) {
        forget_heads(&self.server, &self.database, untouched_since).await;
    }
}

#[test]
fn what_was_acknowledged_survives_a_crash_of_the_server() {
    run(suite::what_was_acknowledged_survives_a_crash::<Crashing>());
}
