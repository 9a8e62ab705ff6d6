//! New epochs in databases that lack what was acknowledged: a backup was put back.

use std::time::Duration;

use trunkline_shared::Epoch;
use trunkline_store::PostgresStore;
use trunkline_store::postgres::{NewEpochsError, OpenError, Options, ShardOptions, begin_epochs};
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{
    AppendOutcome, ClaimRequest, Claimed, Generation, MessageStore, Refused,
};

use super::support::{COMMITTED, Outsider, new_store, options, shared_server, with_server};

/// Appends one message to a new channel, under a claim that may be old.
async fn append(store: &PostgresStore, claimed: Claimed) -> AppendOutcome {
    let part = make::part(claimed, vec![make::messages("chat:1", 0, 1)]);
    store.append(vec![part]).await
}

fn fenced(claimed: Claimed) -> AppendOutcome {
    let refused = vec![(claimed.slot, Refused::Generation)];
    AppendOutcome::Committed { refused }
}

#[test]
fn new_epochs_fence_living_owners_and_outrank_what_was_before() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        let options = options(server.dsn(&database));
        let sample = Sample(&store);
        let before = [sample.claim(5).await, sample.claim(4095).await];
        let (birth, mut renewals) = (store.birth(), store.renewals());
        assert_eq!(begin_epochs(&options).await.unwrap(), 2);
        for claimed in before {
            assert_eq!(append(&store, claimed).await, fenced(claimed));
        }
        renewals.changed().await.unwrap();
        assert!(store.birth() > birth);
        for before in before {
            let after = sample.claim(before.slot.number()).await;
            assert!(after.generation > before.generation);
            assert!(after.epoch != before.epoch && after.epoch != Epoch::new(0));
            assert_eq!(append(&store, after).await, COMMITTED);
        }
        assert_eq!(sample.claim(7).await.generation, Generation(1));
        let born = store.birth();
        drop(store);
        let store = PostgresStore::open(&options).await.unwrap();
        assert_eq!(store.birth(), born);
        let births = store.renewals().borrow().births;
        assert_eq!(births, 0, "it was there from the start");
    });
}

#[test]
fn every_beginning_of_epochs_is_told_once_to_a_store_that_is_open() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        let options = options(server.dsn(&database));
        Sample(&store).claim(5).await;
        let (mut renewals, mut births) = (store.renewals(), vec![store.birth()]);
        for count in 1..=3 {
            begin_epochs(&options).await.unwrap();
            renewals.changed().await.unwrap();
            assert_eq!(renewals.borrow_and_update().births, count);
            births.push(store.birth());
        }
        assert!(births.is_sorted_by(|one, next| one < next), "{births:?}");
    });
}

#[test]
fn a_store_that_was_away_meanwhile_hears_of_new_epochs_when_it_is_back() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        Sample(&store).claim(5).await;
        let mut renewals = store.renewals();
        let outsider = Outsider::connect(server, "postgres").await;
        let admit = |admit| format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {admit}");
        let cut = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        );
        outsider.0.batch_execute(&admit(false)).await.unwrap();
        outsider.0.batch_execute(&cut).await.unwrap();
        // As `begin_epochs` leaves it, by somebody whom no connection of the store can hear.
        let template = format!("CREATE DATABASE {database}_copy TEMPLATE {database}");
        while outsider.0.batch_execute(&template).await.is_err() {
            super::support::look_again().await;
        }
        begin_epochs(&options(server.dsn(&format!("{database}_copy"))))
            .await
            .unwrap();
        let replace = [
            format!("DROP DATABASE {database}"),
            format!("ALTER DATABASE {database}_copy RENAME TO {database}"),
        ];
        for statement in replace {
            outsider.0.batch_execute(&statement).await.unwrap();
        }
        renewals.changed().await.unwrap();
        assert_eq!(renewals.borrow().births, 1);
    });
}

#[test]
fn generations_that_a_backup_has_forgotten_are_not_given_again() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        let sample = Sample(&store);
        for _ in 0..5 {
            sample.claim(5).await;
        }
        let living = sample.claim(5).await;
        // A backup of the first claim is put back.
        server.sql(
            &database,
            "UPDATE trunkline.slot SET generation = 1 WHERE number = 5",
        );
        begin_epochs(&options(server.dsn(&database))).await.unwrap();
        for _ in 0..10 {
            assert_eq!(append(&store, living).await, fenced(living));
            assert!(sample.claim(5).await.generation > living.generation);
        }
    });
}

#[test]
fn new_epochs_wait_for_what_holds_a_slot_and_change_nothing_when_given_up() {
    with_server(|server| async {
        let (store, database) = new_store(server).await;
        let before = Sample(&store).claim(5).await;
        let (birth, renewals) = (store.birth(), store.renewals());
        let outsider = Outsider::connect(server, &database).await;
        outsider.hold_slot(5).await;
        let patient = options(server.dsn(&database));
        let hasty = Options {
            answer_timeout: Duration::from_millis(100),
            ..patient.clone()
        };
        let error = begin_epochs(&hasty).await.unwrap_err();
        let said = error.to_string();
        assert!(
            said.starts_with("slots 0 to 4095 may not have new epochs: no answer in 100ms"),
            "{said}"
        );
        outsider.waiters(0).await;
        let (begun, ()) = tokio::join!(begin_epochs(&patient), async {
            outsider.waiters(1).await;
            assert_eq!(store.birth(), birth);
            assert!(!renewals.has_changed().unwrap());
            outsider.release().await;
        });
        assert_eq!(begun.unwrap(), 1);
        assert_eq!(append(&store, before).await, fenced(before));
    });
}

/// Two databases with the slots to 5 and from 6 on.
fn shards(first: &str, second: &str) -> Options {
    let server = shared_server().unwrap();
    let shard = |database, slots| ShardOptions {
        dsn: server.dsn(database),
        slots,
    };
    Options {
        shards: vec![shard(first, 0..=5), shard(second, 6..=4095)],
        ..Options::default()
    }
}

#[test]
fn of_several_databases_all_get_new_epochs() {
    with_server(|server| async {
        let options = shards(&server.database(), &server.database());
        let store = PostgresStore::open(&options).await.unwrap();
        let sample = Sample(&store);
        let before = [sample.claim(5).await, sample.claim(6).await];
        let (birth, mut renewals) = (store.birth(), store.renewals());
        assert_eq!(begin_epochs(&options).await.unwrap(), 2);
        renewals
            .wait_for(|renewals| renewals.births == 2)
            .await
            .unwrap();
        assert!(store.birth() > birth);
        for before in before {
            assert_eq!(append(&store, before).await, fenced(before));
            let after = sample.claim(before.slot.number()).await;
            assert_ne!(after.epoch, before.epoch);
        }
    });
}

#[test]
fn databases_that_are_not_a_store_of_ours_are_refused_before_anything_changes() {
    with_server(|server| async {
        let (first, second) = (server.database(), server.database());
        let both = shards(&first, &second);
        let store = PostgresStore::open(&both).await.unwrap();
        let slots = [5, 6].map(|slot| (make::slot(slot), false));
        let request = ClaimRequest {
            view: make::view(1),
            slots: slots.to_vec(),
        };
        store.claim(request).await.unwrap();
        let epochs = || server.sql(&second, "SELECT sum(epoch::numeric) FROM trunkline.slot");
        let before = epochs();
        let empty = server.database();
        let refusal = begin_epochs(&shards(&empty, &second)).await.unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "there is no message store for slots 0 to 5"
        );
        let tables = "SELECT count(*) FROM pg_namespace WHERE nspname = 'trunkline'";
        assert_eq!(server.sql(&empty, tables), "0", "none is made");
        let swapped = begin_epochs(&shards(&second, &first)).await.unwrap_err();
        let other = matches!(swapped, NewEpochsError::Open(OpenError::OtherSlots { .. }));
        assert!(other, "{swapped}");
        server.sql(&first, "UPDATE trunkline.store SET format = 99");
        let later = begin_epochs(&both).await.unwrap_err();
        let unknown = matches!(
            later,
            NewEpochsError::Open(OpenError::UnknownFormat { found: 99, .. })
        );
        assert!(unknown, "{later}");
        assert_eq!(epochs(), before);
    });
}
