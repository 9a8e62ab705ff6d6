//! What a store asks of a database before it opens.

use trunkline_store::PostgresStore;
use trunkline_store::postgres::{ConnectError, OpenError, Options};
use trunkline_store_core::MessageStore;
use trunkline_store_core::suite::Sample;

use super::support::{block_on, new_store, options, own_server, with_server};

async fn refusal(options: &Options) -> OpenError {
    PostgresStore::open(options).await.unwrap_err()
}

#[test]
fn a_server_that_does_not_sync_is_refused() {
    let Some(server) = own_server(&["fsync=off"]) else {
        return;
    };
    let error = block_on(refusal(&options(server.dsn("postgres"))));
    let is_fsync = matches!(
        error,
        OpenError::Connect(ConnectError::Unsafe {
            setting: "fsync",
            ..
        })
    );
    assert!(is_fsync, "{error}");
}

#[test]
fn a_database_that_acknowledges_before_it_syncs_is_refused() {
    with_server(|server| async {
        let database = server.database();
        let set = format!("ALTER DATABASE {database} SET synchronous_commit = off");
        server.sql(&database, &set);
        let error = refusal(&options(server.dsn(&database))).await;
        assert_eq!(
            error.to_string(),
            "synchronous_commit = off in PostgreSQL: what it acknowledges would not survive a crash"
        );
    });
}

#[test]
fn a_later_format_is_refused() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        drop(store);
        server.sql(&database, "UPDATE trunkline.store SET format = 99");
        let error = refusal(&options(server.dsn(&database))).await;
        assert!(
            matches!(error, OpenError::UnknownFormat { found: 99, .. }),
            "{error}"
        );
    });
}

#[test]
fn nodes_that_open_an_empty_database_together_make_one_store() {
    with_server(|server| async {
        let options = options(server.dsn(&server.database()));
        let (first, second) =
            tokio::join!(PostgresStore::open(&options), PostgresStore::open(&options));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.birth(), second.birth());
        let claimed = Sample(&first).claim(5).await;
        Sample(&first).append(claimed, "chat:1", 0, 1).await;
        assert_eq!(Sample(&second).head(5, "chat:1").await.offset.0, 1);
        assert_eq!(Sample(&second).claim(5).await.generation.0, 2);
    });
}

#[test]
fn of_several_hosts_one_that_answers_is_used() {
    with_server(|server| async {
        let dsn = server.dsn(&server.database());
        let dsn = dsn
            .replace("host=", "host=127.0.0.1,")
            .replace("port=", "port=1,");
        PostgresStore::open(&options(dsn)).await.unwrap();
    });
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let options = options("host=127.0.0.1 port=1 user=me".to_owned());
    let error = block_on(refusal(&options));
    let said = error.to_string();
    assert!(said.starts_with("127.0.0.1:1: "), "{said}");
    assert!(said.contains("refused"), "{said}");
}
