//! The loss of a server with a synchronous standby loses nothing that was acknowledged.

use trunkline_store::PostgresStore;
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{ClaimRequest, Claimed, MessageStore};

use super::support::{
    COMMITTED, Outsider, Postgres, block_on, dsn, look_again, options, own_ip, own_server,
};

/// Makes the primary wait for its standby from now on.
async fn synchronize(primary: &Postgres) {
    let outsider = Outsider::connect(primary, "postgres").await;
    let set = "ALTER SYSTEM SET synchronous_standby_names = 'standby'";
    outsider.0.batch_execute(set).await.unwrap();
    primary.sql("postgres", "SELECT pg_reload_conf()");
    let query = "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'";
    while outsider.0.query(query, &[]).await.unwrap().is_empty() {
        look_again().await;
    }
}

async fn try_claim(store: &PostgresStore) -> Option<Claimed> {
    let slots = vec![(make::slot(5), false)];
    let view = make::view(1);
    let claimed = store.claim(ClaimRequest { view, slots }).await;
    claimed.ok().and_then(|claimed| claimed.first().copied())
}

#[test]
fn what_was_acknowledged_survives_a_fail_over_to_a_synchronous_standby() {
    let Some(mut primary) = own_server(&[]) else {
        return;
    };
    let database = primary.database();
    let standby = primary.standby(own_ip());
    block_on(async {
        synchronize(&primary).await;
        let both = options(dsn(&[&standby, &primary], &database));
        let store = PostgresStore::open(&both).await.unwrap();
        let claimed = Sample(&store).claim(5).await;
        let mut acknowledged = 0;
        let append = |claimed, follows| {
            store.append(vec![make::part(
                claimed,
                vec![make::messages("chat:1", follows, 1)],
            )])
        };
        while acknowledged < 50 {
            assert_eq!(append(claimed, acknowledged).await, COMMITTED);
            acknowledged += 1;
        }
        let in_flight = append(claimed, acknowledged);
        primary.crash();
        acknowledged += u64::from(in_flight.await == COMMITTED);
        standby.sql("postgres", "SELECT pg_promote()");
        let claimed = loop {
            match try_claim(&store).await {
                Some(claimed) => break claimed,
                None => look_again().await,
            }
        };
        assert!(claimed.generation.0 >= 2);
        let (slot, channel) = (make::slot(5), make::channel("chat:1"));
        let head = loop {
            match store.heads(vec![(slot, channel.clone())]).await {
                Ok(heads) => break heads[0].offset.0,
                Err(_) => look_again().await,
            }
        };
        assert!(head >= acknowledged, "{head} of {acknowledged}");
        while append(claimed, head).await != COMMITTED {
            look_again().await;
        }
        let all = make::offsets(slot, "chat:1", 0, u64::MAX);
        let expected: Vec<_> = (1..=head + 1).collect();
        assert_eq!(Sample(&store).read(all).await, expected);
    });
}
