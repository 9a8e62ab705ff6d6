//! What becomes of calls when connections, servers and rows fail them.

use std::time::Duration;

use trunkline_shared::Offset;
use trunkline_store::PostgresStore;
use trunkline_store::postgres::Options;
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{AppendOutcome, Claimed, MessageStore, StoreError};

use super::support::{
    COMMITTED, Outsider, Postgres, block_on, look_again, new_store, options, own_server,
    with_server,
};

/// A store whose appends all take one connection.
async fn with_one_writer(server: &Postgres) -> (PostgresStore, Outsider) {
    let database = server.database();
    let one = Options {
        writers: 1,
        ..options(server.dsn(&database))
    };
    let store = PostgresStore::open(&one).await.unwrap();
    (store, Outsider::connect(server, &database).await)
}

fn append(
    store: &PostgresStore,
    claimed: Claimed,
    follows: u64,
) -> impl Future<Output = AppendOutcome> {
    store.append(vec![make::part(
        claimed,
        vec![make::messages("chat:1", follows, 1)],
    )])
}

/// What an owner does after an unknown outcome: claims, reads the head, appends the rest; nothing is there twice.
async fn settle(store: &PostgresStore, slot: u16) {
    while store.stats().reopenings == 0 {
        look_again().await;
    }
    let sample = Sample(store);
    let claimed = sample.claim(slot).await;
    if sample.head(slot, "chat:1").await.offset == Offset(0) {
        sample.append(claimed, "chat:1", 0, 1).await;
    }
    let all = make::offsets(claimed.slot, "chat:1", 0, u64::MAX);
    assert_eq!(sample.read(all).await, [1]);
    let found = sample.find(vec![(claimed.slot, make::id(1))]).await;
    assert_eq!(found.len(), 1);
}

#[test]
fn an_append_whose_connection_is_lost_is_unknown_and_settled_by_a_claim() {
    with_server(|server| async {
        let (store, outsider) = with_one_writer(server).await;
        let claimed = Sample(&store).claim(5).await;
        outsider.hold_slot(5).await;
        let lost = append(&store, claimed, 0);
        let [writer] = *outsider.waiters(1).await else {
            panic!("one append waits");
        };
        let end = "SELECT pg_terminate_backend($1)";
        outsider.0.execute(end, &[&writer]).await.unwrap();
        let outcome = lost.await;
        assert!(matches!(outcome, AppendOutcome::Unknown(_)), "{outcome:?}");
        outsider.release().await;
        settle(&store, 5).await;
        assert_eq!(store.stats().calls_unknown, 1);
        assert_eq!(store.stats().reopenings, 1);
    });
}

/// A store that has given up an append which waits for a slot that somebody else holds.
async fn after_a_slow_append(server: &Postgres) -> (PostgresStore, Outsider) {
    let database = server.database();
    let impatient = Options {
        answer_timeout: Duration::from_secs(2),
        ..options(server.dsn(&database))
    };
    let store = PostgresStore::open(&impatient).await.unwrap();
    let outsider = Outsider::connect(server, &database).await;
    let claimed = Sample(&store).claim(5).await;
    outsider.hold_slot(5).await;
    let outcome = append(&store, claimed, 0).await;
    assert!(matches!(outcome, AppendOutcome::Unknown(_)), "{outcome:?}");
    (store, outsider)
}

#[test]
fn a_writer_that_is_too_slow_is_closed_and_its_append_is_unknown() {
    with_server(|server| async {
        let (store, outsider) = after_a_slow_append(server).await;
        outsider.release().await;
        settle(&store, 5).await;
    });
}

#[test]
fn an_abandoned_session_ends_though_what_it_waits_for_never_comes() {
    with_server(|server| async {
        let (store, outsider) = after_a_slow_append(server).await;
        outsider.waiters(0).await;
        outsider.release().await;
        assert_eq!(Sample(&store).head(5, "chat:1").await.offset, Offset(0));
    });
}

#[test]
fn what_waits_behind_an_append_goes_in_one_commit() {
    with_server(|server| async {
        let (store, outsider) = with_one_writer(server).await;
        let mut claimed = Vec::new();
        for slot in 0..50 {
            claimed.push(Sample(&store).claim(slot).await);
        }
        outsider.hold_slot(0).await;
        let first = append(&store, claimed[0], 0);
        outsider.waiters(1).await;
        let rest: Vec<_> = claimed[1..]
            .iter()
            .map(|claimed| append(&store, *claimed, 0))
            .collect();
        outsider.release().await;
        assert_eq!(first.await, COMMITTED);
        for outcome in rest {
            assert_eq!(outcome.await, COMMITTED);
        }
        let stats = store.stats();
        assert_eq!(
            (stats.commits, stats.appends, stats.largest_commit),
            (2, 50, 49)
        );
    });
}

#[test]
fn a_row_that_the_database_refuses_fails_alone() {
    with_server(|server| async {
        let (store, outsider) = with_one_writer(server).await;
        let refuse = "CREATE FUNCTION trunkline.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            RAISE EXCEPTION 'poison' USING ERRCODE = '22000'; END $$; \
            CREATE TRIGGER refuse BEFORE INSERT ON trunkline.head FOR EACH ROW \
            WHEN (NEW.slot = 7) EXECUTE FUNCTION trunkline.refuse()";
        outsider.0.batch_execute(refuse).await.unwrap();
        let mut claimed = Vec::new();
        for slot in 5..10 {
            claimed.push(Sample(&store).claim(slot).await);
        }
        outsider.hold_slot(5).await;
        let appends = claimed.iter().map(|claimed| append(&store, *claimed, 0));
        let appends: Vec<_> = appends.collect();
        outsider.waiters(1).await;
        outsider.release().await;
        for (append, claimed) in appends.into_iter().zip(&claimed) {
            let outcome = append.await;
            if claimed.slot.number() == 7 {
                let data = matches!(outcome, AppendOutcome::Failed(StoreError::Data(_)));
                assert!(data, "{outcome:?}");
            } else {
                assert_eq!(outcome, COMMITTED, "{claimed:?}");
            }
        }
        assert_eq!(store.stats().reopenings, 0);
    });
}

#[test]
fn a_claim_waits_for_an_append_in_the_middle_of_its_commit() {
    with_server(|server| async {
        let (store, outsider) = with_one_writer(server).await;
        let sample = Sample(&store);
        let claimed = sample.claim(5).await;
        sample.append(claimed, "chat:1", 0, 1).await;
        let hold = "BEGIN; SELECT FROM trunkline.head FOR UPDATE";
        outsider.0.batch_execute(hold).await.unwrap();
        let append = append(&store, claimed, 1);
        outsider.waiters(1).await;
        let claim = sample.claim(5);
        let release = async {
            outsider.waiters(2).await;
            outsider.release().await;
        };
        let (outcome, claimed, ()) = tokio::join!(append, claim, release);
        assert_eq!((outcome, claimed.generation.0), (COMMITTED, 2));
        assert_eq!(sample.head(5, "chat:1").await.offset, Offset(2));
    });
}

#[test]
fn a_wait_for_a_standby_that_was_cancelled_is_unknown_though_it_reports_success() {
    let Some(server) = own_server(&[]) else {
        return;
    };
    block_on(async {
        let (store, database) = new_store(&server).await;
        let outsider = Outsider::connect(&server, &database).await;
        let claimed = Sample(&store).claim(5).await;
        let set = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'";
        outsider.0.batch_execute(set).await.unwrap();
        server.sql(&database, "SELECT pg_reload_conf()");
        let append = append(&store, claimed, 0);
        // The store's maintenance may wait too.
        let waiting = "wait_event = 'SyncRep' AND query LIKE '%FROM append(%'";
        let [writer] = *outsider.sessions(waiting, 1).await else {
            panic!("one append waits");
        };
        let cancel = "SELECT pg_cancel_backend($1)";
        outsider.0.execute(cancel, &[&writer]).await.unwrap();
        let outcome = append.await;
        assert!(matches!(outcome, AppendOutcome::Unknown(_)), "{outcome:?}");
        let reset = "ALTER SYSTEM RESET synchronous_standby_names";
        outsider.0.batch_execute(reset).await.unwrap();
        server.sql(&database, "SELECT pg_reload_conf()");
        settle(&store, 5).await;
    });
}

#[test]
fn a_server_that_comes_back_is_found_again_and_until_then_calls_fail_at_once() {
    let Some(mut server) = own_server(&[]) else {
        return;
    };
    block_on(async {
        let (store, _) = new_store(&server).await;
        let sample = Sample(&store);
        let claimed = sample.claim(5).await;
        sample.append(claimed, "chat:1", 0, 3).await;
        server.crash();
        let head = (claimed.slot, make::channel("chat:1"));
        while !is_away(&append(&store, claimed, 3).await) {}
        assert!(store.heads(vec![head.clone()]).await.is_err());
        assert!(store.view().await.is_err());
        server.run();
        let mut outcome = append(&store, claimed, 3).await;
        while is_away(&outcome) {
            look_again().await;
            outcome = append(&store, claimed, 3).await;
        }
        assert_eq!(outcome, COMMITTED);
        while store.heads(vec![head.clone()]).await.is_err() {
            look_again().await;
        }
        assert_eq!(sample.head(5, "chat:1").await.offset, Offset(4));
    });
}

fn is_away(outcome: &AppendOutcome) -> bool {
    matches!(outcome, AppendOutcome::Failed(StoreError::Away(_)))
}
