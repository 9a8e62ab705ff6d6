//! The ring view's row: one of two writers wins, and the rules change with the view or not at all.

use bytes::Bytes;
use smol_str::SmolStr;

use super::forget::forget_all;
use super::{Harness, Sample, make};
use crate::request::{ViewChange, ViewRow};
use crate::traits::MessageStore;

fn change(expected: Option<u64>, number: u64, rules: Option<&'static str>) -> ViewChange {
    ViewChange {
        expected: expected.map(make::view),
        view: make::ring_view(number),
        rules: rules.map(Bytes::from),
    }
}

fn row(number: u64, rules: Option<&'static str>) -> ViewRow {
    ViewRow {
        view: make::ring_view(number),
        rules: rules.map(Bytes::from),
    }
}

/// Of two writers that saw the same row one wins.
pub async fn a_view_is_replaced_at_the_version_expected<H: Harness>() {
    let harness = H::open().await;
    let store = harness.store();
    let change = |expected, number| change(expected, number, None);
    assert_eq!(store.view().await, Ok(None));
    assert_eq!(store.change_view(change(Some(0), 1)).await, Ok(false));
    assert_eq!(store.change_view(change(None, 1)).await, Ok(true));
    assert_eq!(store.change_view(change(None, 2)).await, Ok(false));
    assert_eq!(store.change_view(change(Some(1), 2)).await, Ok(true));
    assert_eq!(store.change_view(change(Some(1), 3)).await, Ok(false));
    assert_eq!(store.view().await, Ok(Some(row(2, None))));
}

/// Rules are read with the view that they came with; a change that is refused leaves both.
pub async fn rules_change_with_the_view_or_not_at_all<H: Harness>() {
    let harness = H::open().await;
    let store = harness.store();
    let made = store.change_view(change(None, 1, Some("first"))).await;
    assert_eq!(made, Ok(true));
    for refused in [
        change(None, 2, Some("other")),
        change(Some(7), 2, Some("other")),
    ] {
        assert_eq!(store.change_view(refused).await, Ok(false));
    }
    assert_eq!(store.view().await, Ok(Some(row(1, Some("first")))));
    let next = store.change_view(change(Some(1), 2, Some("second"))).await;
    assert_eq!(next, Ok(true));
    assert_eq!(store.view().await, Ok(Some(row(2, Some("second")))));
}

/// A view of a store that knew no rules gets them later, and a change without rules keeps those that are there.
pub async fn a_view_without_new_rules_leaves_the_old_ones<H: Harness>() {
    let harness = H::open().await;
    let store = harness.store();
    for (expected, number, rules, kept) in [
        (None, 1, None, None),
        (Some(1), 2, Some("any\0bytes"), Some("any\0bytes")),
        (Some(2), 3, None, Some("any\0bytes")),
    ] {
        let changed = store.change_view(change(expected, number, rules)).await;
        assert_eq!(changed, Ok(true));
        assert_eq!(store.view().await, Ok(Some(row(number, kept))));
    }
}

/// Every change of the view and of the rules that was acknowledged is there after a restart and after a crash.
pub async fn rules_survive_restarts_and_crashes<H: Harness>() {
    let harness = H::open().await;
    for (expected, number, rules) in [(None, 1, Some("first")), (Some(1), 2, None)] {
        let changed = harness
            .store()
            .change_view(change(expected, number, rules))
            .await;
        assert_eq!(changed, Ok(true));
    }
    let harness = harness.reopen().await;
    let read = harness.store().view().await;
    assert_eq!(read, Ok(Some(row(2, Some("first")))));
    let changed = harness
        .store()
        .change_view(change(Some(2), 3, Some("second")));
    assert_eq!(changed.await, Ok(true));
    let harness = harness.crash().await;
    let read = harness.store().view().await;
    assert_eq!(read, Ok(Some(row(3, Some("second")))));
}

/// A namespace has data as long as one of its channels has a head, whichever its slot; not one whose name begins alike.
pub async fn a_namespace_has_heads_where_one_of_its_channels_does<H: Harness>() {
    let harness = H::open().await;
    let asked = ["chat", "cha", "chats", "private", "Aa"].map(SmolStr::new);
    let sample = Sample(harness.store());
    let found = async || sample.0.have_heads(asked.to_vec()).await;
    assert_eq!(found().await, Ok(vec![false; asked.len()]));
    let first = sample.claim(0).await;
    sample.append(first, "chat:1", 0, 1).await;
    let last = sample.claim(4095).await;
    sample.append(last, "$private:1", 0, 1).await;
    let expected = vec![true, false, false, true, false];
    assert_eq!(found().await, Ok(expected));
    assert_eq!(sample.0.have_heads(vec![]).await, Ok(vec![]));
    forget_all(&harness).await;
    assert_eq!(found().await, Ok(vec![false; asked.len()]));
}

/// Channels without a namespace, and of users, are found among those of namespaces, before and behind them.
pub async fn channels_without_a_namespace_have_heads_of_their_own<H: Harness>() {
    for name in ["lobby", "#chat:1", "Aa", "zzz"] {
        let harness = H::open().await;
        let sample = Sample(harness.store());
        let nameless = async || sample.0.have_heads(vec!["".into()]).await;
        let claimed = sample.claim(7).await;
        for beside in ["Aa:1", "chat:1", "chat:2", "$chat:1", "zz:1"] {
            sample.append(claimed, beside, 0, 1).await;
        }
        assert_eq!(nameless().await, Ok(vec![false]));
        sample.append(claimed, name, 0, 1).await;
        assert_eq!(nameless().await, Ok(vec![true]), "{name}");
    }
}
