//! Members: a name has one life at a time, and a counter that only this life moves.

use trunkline_shared::{Incarnation, Member, NodeId};

use super::Harness;
use crate::members::{Beat, HeartbeatError, JoinRequest, MemberRow, MemberStore};

fn name(node: &str) -> NodeId {
    NodeId::parse(node).expect("tests use good names")
}

const fn life(number: u8) -> Incarnation {
    Incarnation([number; 16])
}

fn member(node: &str, number: u8) -> Member {
    Member {
        name: name(node),
        incarnation: life(number),
        address: format!("10.0.0.{number}:7443").into(),
    }
}

fn row(node: &str, number: u8, counter: u64) -> MemberRow {
    let member = member(node, number);
    MemberRow { member, counter }
}

async fn join(store: &impl MemberStore, node: &str, number: u8, expected: Option<Beat>) -> bool {
    let member = member(node, number);
    let request = JoinRequest { member, expected };
    store.join(request).await.expect("the store is there")
}

async fn heartbeat(
    store: &impl MemberStore,
    node: &str,
    number: u8,
) -> Result<Vec<MemberRow>, HeartbeatError> {
    store.heartbeat(name(node), life(number)).await
}

/// Rows come by name, whoever joined first; a heartbeat tells what others' counters are.
pub async fn a_heartbeat_raises_ones_own_counter_and_reads_all<H: Harness>() {
    let harness = H::open().await;
    let store = harness.store();
    assert_eq!(store.members().await, Ok(vec![]));
    assert!(join(store, "b", 2, None).await);
    assert!(join(store, "a", 1, None).await);
    let expected = vec![row("a", 1, 0), row("b", 2, 0)];
    assert_eq!(store.members().await, Ok(expected));
    for counter in 1..=3 {
        let expected = vec![row("a", 1, counter), row("b", 2, 0)];
        assert_eq!(heartbeat(store, "a", 1).await, Ok(expected));
    }
    let expected = vec![row("a", 1, 3), row("b", 2, 1)];
    assert_eq!(heartbeat(store, "b", 2).await, Ok(expected.clone()));
    assert_eq!(store.members().await, Ok(expected));
}

/// A name that is taken is taken over only by who saw its row as it is: not by a guess, not after it has moved.
pub async fn a_name_is_taken_over_only_where_its_counter_stands_still<H: Harness>() {
    let harness = H::open().await;
    let store = harness.store();
    assert!(join(store, "a", 1, None).await);
    heartbeat(store, "a", 1).await.expect("its own name");
    let seen = row("a", 1, 1).beat();
    let other_life = Beat {
        incarnation: life(9),
        ..seen
    };
    let earlier = Beat { counter: 0, ..seen };
    for wrong in [None, Some(other_life), Some(earlier)] {
        assert!(!join(store, "a", 2, wrong).await, "{wrong:?}");
    }
    heartbeat(store, "a", 1).await.expect("its own name");
    assert!(!join(store, "a", 2, Some(seen)).await, "it has moved");
    assert_eq!(store.members().await, Ok(vec![row("a", 1, 2)]));
    assert!(join(store, "a", 2, Some(row("a", 1, 2).beat())).await);
    assert_eq!(store.members().await, Ok(vec![row("a", 2, 0)]));
    assert!(!join(store, "b", 3, Some(seen)).await, "there is no row");
}

/// Who was taken for dead and comes back is told so, and moves nothing.
pub async fn a_life_that_was_replaced_moves_nothing<H: Harness>() {
    let harness = H::open().await;
    let store = harness.store();
    assert_eq!(
        heartbeat(store, "a", 1).await,
        Err(HeartbeatError::Replaced)
    );
    assert!(join(store, "a", 1, None).await);
    assert!(join(store, "a", 2, Some(row("a", 1, 0).beat())).await);
    assert_eq!(
        heartbeat(store, "a", 1).await,
        Err(HeartbeatError::Replaced)
    );
    assert_eq!(store.leave(name("a"), life(1)).await, Ok(false));
    assert_eq!(store.members().await, Ok(vec![row("a", 2, 0)]));
}

/// Who leaves gives its name free; its heartbeats are over.
pub async fn a_member_that_left_is_gone<H: Harness>() {
    let harness = H::open().await;
    let store = harness.store();
    for (node, number) in [("a", 1), ("b", 2)] {
        assert!(join(store, node, number, None).await);
    }
    assert_eq!(store.leave(name("a"), life(1)).await, Ok(true));
    assert_eq!(store.leave(name("a"), life(1)).await, Ok(false));
    assert_eq!(
        heartbeat(store, "a", 1).await,
        Err(HeartbeatError::Replaced)
    );
    assert_eq!(store.members().await, Ok(vec![row("b", 2, 0)]));
    assert!(join(store, "a", 3, None).await);
}

/// The next process of a node finds its name free, or its own last life's row that nobody moves.
pub async fn a_name_is_had_again_after_a_crash<H: Harness>() {
    let harness = H::open().await;
    assert!(join(harness.store(), "a", 1, None).await);
    heartbeat(harness.store(), "a", 1)
        .await
        .expect("its own name");
    let harness = harness.crash().await;
    let rows = harness.store().members().await.expect("the store is there");
    let left = rows.first().map(MemberRow::beat);
    assert!(
        left.is_none_or(|beat| beat.incarnation == life(1)),
        "{rows:?}"
    );
    assert!(join(harness.store(), "a", 2, left).await);
    let expected = vec![row("a", 2, 1)];
    assert_eq!(heartbeat(harness.store(), "a", 2).await, Ok(expected));
}
