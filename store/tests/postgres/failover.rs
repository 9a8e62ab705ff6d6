//! The loss of a server with a synchronous standby loses nothing that was acknowledged; with one that may be behind, what
//! it loses changes every epoch.

use trunkline_store::PostgresStore;
use trunkline_store::postgres::{Options, Renewals, Replication};
use trunkline_store_core::suite::{Sample, make};
use trunkline_store_core::{
    AppendOutcome, ClaimRequest, Claimed, Generation, MessageStore, Refused,
};

use super::support::{COMMITTED, block_on, dsn, look_again, options, own_ip, own_server};

/// Claims a slot as soon as the store is there.
async fn claim_again(store: &PostgresStore, slot: u16) -> Claimed {
    loop {
        match try_claim(store, slot).await {
            Some(claimed) => return claimed,
            None => look_again().await,
        }
    }
}

async fn try_claim(store: &PostgresStore, slot: u16) -> Option<Claimed> {
    let slots = vec![(make::slot(slot), false)];
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
        primary.synchronize();
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
        standby.promote();
        let before = claimed;
        let claimed = claim_again(&store, 5).await;
        assert!(claimed.generation.0 >= 2);
        assert_eq!(claimed.epoch, before.epoch, "nothing was lost");
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

/// One message after what is said to be there.
async fn append(store: &PostgresStore, claimed: Claimed, follows: u64) -> AppendOutcome {
    let messages = vec![make::messages("chat:1", follows, 1)];
    store.append(vec![make::part(claimed, messages)]).await
}

/// Appends under an older claim until a server answers; returns what it says.
async fn append_once_there(store: &PostgresStore, claimed: Claimed, follows: u64) -> AppendOutcome {
    loop {
        match append(store, claimed, follows).await {
            AppendOutcome::Failed(_) | AppendOutcome::Unknown(_) => look_again().await,
            outcome @ AppendOutcome::Committed { .. } => return outcome,
        }
    }
}

#[test]
fn a_fail_over_that_may_have_lost_commits_fences_owners_and_changes_every_epoch() {
    let Some(mut primary) = own_server(&[]) else {
        return;
    };
    let database = primary.database();
    let standby = primary.standby(own_ip());
    block_on(async {
        let asynchronous = Options {
            replication: Replication::Async,
            ..options(dsn(&[&primary, &standby], &database))
        };
        let store = PostgresStore::open(&asynchronous).await.unwrap();
        let mut renewals = store.renewals();
        let sample = Sample(&store);
        let (first, idle) = (sample.claim(5).await, sample.claim(6).await);
        assert_eq!((store.timeline(), first.epoch.timeline), (1, 1));
        assert_eq!(append(&store, first, 0).await, COMMITTED);
        primary.leave_behind(&standby);
        assert_eq!(append(&store, first, 1).await, COMMITTED);
        primary.crash();
        standby.promote();
        // The head that it follows is the one that the new server has: only the generation can stop it.
        let refused = vec![(first.slot, Refused::Generation)];
        let outcome = append_once_there(&store, first, 1).await;
        assert_eq!(outcome, AppendOutcome::Committed { refused });
        renewals.changed().await.unwrap();
        assert_eq!((renewals.borrow().fail_overs, store.timeline()), (1, 2));
        for before in [first, idle] {
            let after = claim_again(&store, before.slot.number()).await;
            assert!(after.generation > before.generation);
            assert_eq!(after.epoch.timeline, 2);
            assert_ne!(after.epoch.id, before.epoch.id);
        }
        let unclaimed = claim_again(&store, 7).await;
        assert_eq!(unclaimed.generation, Generation(1));
        assert_eq!(unclaimed.epoch.timeline, 2);
    });
}

#[test]
fn another_kind_of_replication_begins_new_epochs_once() {
    let Some(server) = own_server(&[]) else {
        return;
    };
    let synchronous = options(server.dsn(&server.database()));
    let asynchronous = Options {
        replication: Replication::Async,
        ..synchronous.clone()
    };
    block_on(async {
        let mut epochs = Vec::new();
        for options in [
            &synchronous,
            &synchronous,
            &asynchronous,
            &asynchronous,
            &synchronous,
        ] {
            let store = PostgresStore::open(options).await.unwrap();
            let claimed = Sample(&store).claim(5).await;
            assert_eq!(store.timeline(), claimed.epoch.timeline);
            assert_eq!(*store.renewals().borrow(), Renewals::default());
            epochs.push(claimed.epoch);
        }
        assert_eq!(epochs[0], epochs[1]);
        assert_ne!(epochs[1].id, epochs[2].id);
        assert_eq!(epochs[2], epochs[3]);
        assert_ne!(epochs[3].id, epochs[4].id);
        let timelines: Vec<_> = epochs.iter().map(|epoch| epoch.timeline).collect();
        assert_eq!(timelines, [0, 0, 1, 1, 0]);
    });
}
