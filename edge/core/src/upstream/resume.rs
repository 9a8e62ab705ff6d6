//! A resume answered from the edge's own ring, with no trip to the owner.
//!
//! The answer puts a subscriber where one stands that never left: at the ring's top, in its epoch, with everything before
//! it. Whatever the edge owes to that one it owes to this one from here on, by the same table of readers. So the answer is
//! true with the channel live, behind, or without a link; ADR 0006 goes through the events.

use std::sync::Arc;
use std::time::Duration;

use trunkline_shared::{Now, UnixMillis};

use super::channel_state::ChannelState;
use super::judge::subscribed;
use super::ring::Ring;
use crate::exchange::{Answer, Recover};
use crate::shared_publication::SharedPublication;

/// How far back a namespace's recoveries reach, and how large one may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Publications behind the newest one.
    pub(super) size: u64,
    pub(super) ttl: Duration,
    /// Weight of publications in one answer.
    pub(super) bytes_max: usize,
    pub(super) now: Now,
}

impl Reach {
    /// The time before which publications are expired, by the later one of the edge's and the owner's clock.
    ///
    /// A clock that is wrong makes a publication expire here too early, and the owner is asked; never too late.
    fn not_before(self, ring: &Ring) -> UnixMillis {
        let owner = ring.owner_clock().at_least(self.now.instant);
        owner.max(self.now.unix).minus(self.ttl)
    }
}

/// What a resume is told by the ring; `None` when the owner must say.
pub(super) fn answer(state: &ChannelState, recover: Recover, reach: Reach) -> Option<Answer> {
    let top = state.position()?;
    // Without a link the owner may have begun another numbering: only who names ours is surely of it.
    let is_of_epoch = match recover.epoch {
        Some(epoch) => epoch == top.epoch,
        None => state.is_live(),
    };
    let missed = top.offset.0.checked_sub(recover.after.0);
    let missed = missed.filter(|_| is_of_epoch)?;
    if missed > u64::from(recover.limit) {
        // The owner's head is no lower, so it would find no less missing.
        return Some(subscribed(top, None));
    }
    if missed > reach.size && missed > 0 {
        return None;
    }
    kept(&state.ring, recover, reach).map(|missed| subscribed(top, Some(missed)))
}

/// Everything after a position, when the ring has all of it and nothing of it is expired or too large.
fn kept(ring: &Ring, recover: Recover, reach: Reach) -> Option<Vec<Arc<SharedPublication>>> {
    let mut missed = ring.after(recover.after)?.peekable();
    // Times never fall within a numbering: with the first one all are young enough.
    let not_before = reach.not_before(ring);
    let is_young = |first: &&Arc<SharedPublication>| first.publication.time >= not_before;
    if !missed.peek().is_none_or(is_young) {
        return None;
    }
    let missed: Vec<_> = missed.cloned().collect();
    let bytes: usize = missed
        .iter()
        .map(|shared| shared.publication.weight())
        .sum();
    (bytes <= reach.bytes_max).then_some(missed)
}
