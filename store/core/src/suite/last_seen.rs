//! Last seen: only ever later, for names that are anybody's bytes.

use smol_str::SmolStr;
use trunkline_shared::UnixMillis;

use super::Harness;
use crate::last_seen::LastSeenStore;

async fn saw(store: &impl LastSeenStore, users: &[(&str, u64)]) {
    let users = users
        .iter()
        .map(|(user, at)| (SmolStr::new(user), UnixMillis(*at)));
    assert_eq!(store.saw(users.collect()).await, Ok(()));
}

async fn last_seen(store: &impl LastSeenStore, users: &[&str]) -> Vec<Option<u64>> {
    let users = users.iter().map(SmolStr::new).collect();
    let seen = store.last_seen(users).await.expect("the store is there");
    seen.into_iter().map(|at| at.map(|at| at.0)).collect()
}

/// Many at once, in the order asked, one that is asked twice included.
pub async fn users_are_seen_at_their_times<H: Harness>() {
    let harness = H::open().await;
    let store = harness.store();
    saw(store, &[("ann", 10), ("bob", 20)]).await;
    let seen = last_seen(store, &["bob", "nobody", "ann", "bob"]).await;
    assert_eq!(seen, [Some(20), None, Some(10), Some(20)]);
    assert_eq!(last_seen(store, &[]).await, []);
    saw(store, &[]).await;
}

/// Batches of several nodes arrive in any order; within one the latest counts, wherever it stands.
pub async fn a_user_is_never_seen_earlier_than_before<H: Harness>() {
    let harness = H::open().await;
    let store = harness.store();
    saw(store, &[("ann", 10), ("ann", 30), ("ann", 20)]).await;
    assert_eq!(last_seen(store, &["ann"]).await, [Some(30)]);
    saw(store, &[("ann", 29), ("bob", 5)]).await;
    assert_eq!(last_seen(store, &["ann", "bob"]).await, [Some(30), Some(5)]);
    saw(store, &[("ann", 31)]).await;
    assert_eq!(last_seen(store, &["ann"]).await, [Some(31)]);
}

/// Users' names come from outside: none of them stops the others, and each is only itself.
pub async fn users_of_any_text_are_kept_apart<H: Harness>() {
    let harness = H::open().await;
    let store = harness.store();
    let longest = "ß".repeat(127);
    let too_long = longest.clone() + "x";
    let users = [
        "",
        "\0",
        "a\0",
        "a\0\0",
        "a",
        "A",
        "ключ:日本",
        "\u{10ffff}",
        "'; --",
        "%_\\",
        &longest,
        &too_long,
    ];
    let told: Vec<_> = users.iter().copied().zip(1..).collect();
    saw(store, &told).await;
    let mut expected: Vec<_> = told.iter().map(|(_, at)| Some(*at)).collect();
    *expected.last_mut().expect("there are some") = None;
    assert_eq!(last_seen(store, &users).await, expected);
}

/// What was answered stays.
pub async fn last_seen_survives_restarts_and_crashes<H: Harness>() {
    let harness = H::open().await;
    saw(harness.store(), &[("ann", 10)]).await;
    let harness = harness.reopen().await;
    assert_eq!(last_seen(harness.store(), &["ann"]).await, [Some(10)]);
    saw(harness.store(), &[("ann", 20), ("bob", 1)]).await;
    let harness = harness.crash().await;
    let seen = last_seen(harness.store(), &["ann", "bob"]).await;
    assert_eq!(seen, [Some(20), Some(1)]);
}
