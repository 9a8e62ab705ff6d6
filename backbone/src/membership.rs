//! The ring view of a node that is alone with its store, at its start and whenever new epochs have begun in its database.
//!
//! The embedded store's lock file is its only member's lease: whoever could open the store takes its predecessor's
//! place at once (`design.md` §5).

use std::sync::Arc;

use trunkline_backbone_core::propose;
use trunkline_shared::{Member, RingView, UnixMillis, ViewVersion};
use trunkline_store_core::{MessageStore, StoreError, ViewChange};

/// Why a node can't take its place.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else changed the view at the same time.
    #[error(
        "the ring view was changed by somebody else while this node joined; is a second node on this store?"
    )]
    ViewRace,
}

/// Writes a view in which `member` owns everything; the slots are claimed afterwards.
pub(crate) async fn join(
    store: &impl MessageStore,
    member: Member,
    now: UnixMillis,
) -> Result<Arc<RingView>, JoinError> {
    let before = store.view().await?;
    let (birth, timeline) = (store.birth(), store.timeline());
    let view = next_view(birth, timeline, before.as_ref(), member, now);
    let expected = before.map(|view| view.version);
    if !store
        .change_view(ViewChange {
            expected,
            view: view.clone(),
        })
        .await?
    {
        return Err(JoinError::ViewRace);
    }
    Ok(Arc::new(view))
}

fn next_view(
    birth: UnixMillis,
    timeline: u32,
    before: Option<&RingView>,
    member: Member,
    now: UnixMillis,
) -> RingView {
    let before_version = before.map(|view| view.version);
    let version = ViewVersion::after(before_version, birth, timeline, now);
    // Rules come from this node's configuration, which may have changed. An edge that outlives its store must take
    // the new store's rules, so the clock leads their version as it leads the view's.
    let rules_version = before.map_or(1, |view| view.rules_version + 1).max(now.0);
    let table = propose(std::slice::from_ref(&member.name));
    RingView::new(version, rules_version, vec![member], table)
        .expect("a table of the members that it was made of")
}
