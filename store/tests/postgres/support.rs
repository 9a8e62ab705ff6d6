//! Servers and stores for the tests: one server for all tests that don't harm it, each in a database of its own.

#[path = "../../../tests/harness/postgres.rs"]
mod server;

use std::net::IpAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use trunkline_shared::UnixMillis;
use trunkline_store::PostgresStore;
use trunkline_store::postgres::Options;
use trunkline_store_core::AppendOutcome;

pub(crate) use self::server::{Postgres, dsn, lend};

/// Far above what anything takes, so that only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// An address of this test's own.
pub(crate) fn own_ip() -> IpAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let process = u8::try_from(std::process::id() % 200).unwrap();
    IpAddr::from([127, 1 + process, NEXT.fetch_add(1, Ordering::Relaxed), 1])
}

/// A server of one test's own; `None` where there is no PostgreSQL.
pub(crate) fn own_server(settings: &[&str]) -> Option<Postgres> {
    Postgres::start(own_ip(), settings)
}

/// The server that tests share. It ends with the process.
pub(crate) fn shared_server() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    let server = || own_server(&["max_connections=500"]);
    SERVER.get_or_init(server).as_ref()
}

pub(crate) fn options(dsn: String) -> Options {
    Options {
        dsn,
        ..Options::default()
    }
}

/// A store in a new database of a server.
pub(crate) async fn new_store(server: &Postgres) -> (PostgresStore, String) {
    let database = server.database();
    let store = PostgresStore::open(&options(server.dsn(&database))).await;
    (store.unwrap(), database)
}

/// Runs a test to its end, unless it hangs.
pub(crate) fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let test = async { tokio::time::timeout(PATIENCE, test).await };
    runtime.block_on(test).expect("the test hangs")
}

/// The pause between two looks at what a server does: it is another process, which tells nobody. [`block_on`] has the bound.
pub(crate) async fn look_again() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// Runs a test of the shared server; nothing where there is none.
pub(crate) fn with_server<F: Future<Output = ()>>(test: impl FnOnce(&'static Postgres) -> F) {
    if let Some(server) = shared_server() {
        block_on(test(server));
    }
}

/// Somebody else's session in a test's database.
pub(crate) struct Outsider(pub(crate) tokio_postgres::Client);

impl Outsider {
    pub(crate) async fn connect(server: &Postgres, database: &str) -> Self {
        let dsn = server.dsn(database) + " application_name=outsider";
        let (client, connection) = tokio_postgres::connect(&dsn, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        Self(client)
    }

    /// Holds a slot's row until [`release`](Self::release): appends to the slot and claims of it wait.
    pub(crate) async fn hold_slot(&self, slot: u16) {
        let lock = format!("BEGIN; SELECT FROM trunkline.slot WHERE number = {slot} FOR UPDATE");
        self.0.batch_execute(&lock).await.unwrap();
    }

    pub(crate) async fn release(&self) {
        self.0.batch_execute("COMMIT").await.unwrap();
    }

    /// Waits until as many sessions as said wait for a lock; returns their process ids.
    pub(crate) async fn waiters(&self, count: usize) -> Vec<i32> {
        self.sessions("wait_event_type = 'Lock'", count).await
    }

    /// Waits until as many sessions of the store as said are as said.
    pub(crate) async fn sessions(&self, state: &str, count: usize) -> Vec<i32> {
        let query = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'trunkline' AND {state} ORDER BY pid"
        );
        // In a transaction the server shows what it has shown before.
        let forget = "SELECT pg_stat_clear_snapshot()";
        loop {
            self.0.batch_execute(forget).await.unwrap();
            let rows = self.0.query(&query, &[]).await.unwrap();
            if rows.len() == count {
                return rows.iter().map(|row| row.get(0)).collect();
            }
            look_again().await;
        }
    }
}

/// What the clock of a server shows, never later than it is: a plain cast would round up.
pub(crate) async fn clock(server: &Postgres, database: &str) -> UnixMillis {
    let outsider = Outsider::connect(server, database).await;
    let clock = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::int8";
    let now: i64 = outsider.0.query_one(clock, &[]).await.unwrap().get(0);
    UnixMillis(now.try_into().unwrap())
}

/// Does what a node's maintenance does: messages leave as their partitions would, then heads that nothing holds.
pub(crate) async fn forget_heads(server: &Postgres, database: &str, since: UnixMillis) {
    let outsider = Outsider::connect(server, database).await;
    let millis = since.0;
    let expire = format!(
        "DELETE FROM message WHERE stored < to_timestamp({millis} / 1000.0) AND sent < {millis}"
    );
    let forget = format!("SELECT forget_heads(-1, '', 100000, to_timestamp({millis} / 1000.0))");
    for step in ["SET search_path = trunkline, pg_catalog", &expire, &forget] {
        outsider.0.batch_execute(step).await.unwrap();
    }
}

pub(crate) const COMMITTED: AppendOutcome = AppendOutcome::Committed { refused: vec![] };
