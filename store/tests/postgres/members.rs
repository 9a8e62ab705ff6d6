//! Heartbeats go on while everything else waits for a standby that isn't there.

use std::pin::pin;

use smol_str::SmolStr;
use trunkline_shared::{Incarnation, Member, NodeId, RingView, UnixMillis, ViewVersion};
use trunkline_store::PostgresStore;
use trunkline_store_core::{
    HeartbeatError, JoinRequest, LastSeenStore, MemberStore, MessageStore, ViewChange,
};

use super::support::{
    Outsider, Postgres, block_on, look_again, new_store, options, own_server, with_server,
};

fn member() -> Member {
    Member {
        name: NodeId::parse("backbone-1").unwrap(),
        incarnation: Incarnation([1; 16]),
        address: "127.0.0.1:7443".into(),
    }
}

/// From now on a commit waits for a standby, and there is none.
fn lose_standby(server: &Postgres) {
    let set = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'";
    server.sql("postgres", set);
    server.sql("postgres", "SELECT pg_reload_conf()");
}

/// A store in which the member has joined.
async fn joined(server: &Postgres) -> (PostgresStore, String) {
    let (store, database) = new_store(server).await;
    let (member, expected) = (member(), None);
    let joined = store.join(JoinRequest { member, expected }).await;
    assert_eq!(joined, Ok(true));
    (store, database)
}

async fn heartbeat(store: &PostgresStore) -> Result<u64, HeartbeatError> {
    let member = member();
    let rows = store.heartbeat(member.name, member.incarnation).await?;
    Ok(rows[0].counter)
}

/// That a write waits for the standby; the store's maintenance may wait too.
const WRITE_WAITS: &str = "wait_event = 'SyncRep' AND query LIKE '%last_seen%'";

/// Writes until one waits for the standby: a server's processes learn its settings in their own time.
async fn write_until_it_waits(store: &PostgresStore, outsider: &Outsider) {
    let mut waiting = pin!(outsider.sessions(WRITE_WAITS, 1));
    let mut at = 1;
    loop {
        at += 1;
        let users = vec![(SmolStr::new("ann"), UnixMillis(at))];
        tokio::select! {
            _ = &mut waiting => return,
            written = store.saw(users) => assert_eq!(written, Ok(())),
        }
    }
}

#[test]
fn a_heartbeat_waits_for_no_standby_and_behind_no_write() {
    let Some(server) = own_server(&[]) else {
        return;
    };
    block_on(async {
        let (store, database) = joined(&server).await;
        let outsider = Outsider::connect(&server, &database).await;
        lose_standby(&server);
        write_until_it_waits(&store, &outsider).await;
        for counter in 1..=20 {
            assert_eq!(heartbeat(&store).await, Ok(counter));
        }
        outsider.sessions(WRITE_WAITS, 1).await;
    });
}

#[test]
fn heartbeats_go_on_after_their_connection_was_lost() {
    let Some(server) = own_server(&[]) else {
        return;
    };
    block_on(async {
        let (store, database) = joined(&server).await;
        assert_eq!(heartbeat(&store).await, Ok(1));
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND application_name = 'trunkline'";
        server.sql(&database, end);
        let counter = loop {
            match heartbeat(&store).await {
                Err(HeartbeatError::Store(_)) => look_again().await,
                answer => break answer,
            }
        };
        assert!(counter.unwrap() > 1, "its row is still its own");
    });
}

#[test]
fn who_sends_heartbeats_is_told_of_changed_views() {
    with_server(|server| async move {
        let (writer, database) = new_store(server).await;
        let reader = PostgresStore::open(&options(server.dsn(&database))).await;
        let reader = reader.unwrap();
        let (member, expected) = (member(), None);
        let joined = writer.join(JoinRequest {
            member: member.clone(),
            expected,
        });
        assert_eq!(joined.await, Ok(true));
        let mut changes = reader.view_changes();
        // The first heartbeat makes the connection that is told.
        heartbeat(&reader).await.unwrap();
        for number in 1..=3 {
            changes.mark_unchanged();
            let version = |number| ViewVersion {
                number,
                ..ViewVersion::default()
            };
            let change = ViewChange {
                expected: (number > 1).then(|| version(number - 1)),
                view: RingView::of_one(version(number), 1, member.clone()),
                rules: Some(format!("rules {number}").into()),
            };
            assert_eq!(writer.change_view(change.clone()).await, Ok(true));
            changes.changed().await.unwrap();
            let read = reader.view().await.unwrap().unwrap();
            assert_eq!(read.view, change.view);
            assert_eq!(read.rules, change.rules);
            assert_eq!(
                writer.change_view(change).await,
                Ok(false),
                "it is another by now"
            );
        }
    });
}
