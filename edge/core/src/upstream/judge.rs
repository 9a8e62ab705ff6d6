//! What a subscriber is told: where the channel stands, and all that it missed or nothing (`client-protocol.md` §7.5).

use std::sync::Arc;

use trunkline_shared::{Epoch, Position};

use super::channel_state::{ChannelState, Recovered, Waiter};
use super::resume::{self, Reach};
use super::ring::Ring;
use crate::exchange::{Answer, Recover};
use crate::shared_publication::SharedPublication;

/// What a waiter is told; `None` while the channel isn't live and its ring can't say, or what was missed isn't known.
pub(super) fn answer(state: &ChannelState, waiter: &Waiter, reach: Reach) -> Option<Answer> {
    let by_ring = waiter
        .recover
        .and_then(|recover| resume::answer(state, recover, reach));
    by_ring.or_else(|| state.is_live().then(|| answer_live(state, waiter))?)
}

/// What a waiter of a live channel is told when its ring can't say.
fn answer_live(state: &ChannelState, waiter: &Waiter) -> Option<Answer> {
    let Some(top) = state.position() else {
        return Some(Answer::Subscribed {
            position: None,
            caught_up: None,
        });
    };
    let Some(recover) = waiter.recover else {
        return Some(subscribed(top, None));
    };
    if recover.epoch.is_some_and(|epoch| epoch != top.epoch) {
        return Some(subscribed(top, None));
    }
    let recovered = state
        .recovered
        .as_ref()
        .filter(|recovered| Some(recovered.request) == waiter.asked)?;
    let (position, caught_up) = judge(recover, top.epoch, recovered, &state.ring);
    Some(subscribed(position, caught_up))
}

/// The answer of a numbered channel.
pub(super) const fn subscribed(
    position: Position,
    caught_up: Option<Vec<Arc<SharedPublication>>>,
) -> Answer {
    Answer::Subscribed {
        position: Some(position),
        caught_up,
    }
}

/// Whether a subscriber can be given everything it missed: what the owner sent, and what the ring has since.
fn judge(
    recover: Recover,
    epoch: Epoch,
    recovered: &Recovered,
    ring: &Ring,
) -> (Position, Option<Vec<Arc<SharedPublication>>>) {
    let top = Position {
        epoch,
        offset: recovered.head.offset.max(ring.top()),
    };
    if recovered.head.epoch != epoch {
        return (
            Position {
                epoch,
                offset: ring.top(),
            },
            None,
        );
    }
    let since = if recovered.head.offset < ring.top() {
        ring.after(recovered.head.offset)
    } else {
        None
    };
    let joined = recovered
        .publications
        .iter()
        .chain(since.into_iter().flatten());
    let missed: Vec<_> = joined
        .filter(|shared| shared.publication.offset > recover.after)
        .cloned()
        .collect();
    let offsets = missed.iter().map(|shared| shared.publication.offset.0);
    let whole = recover.after <= top.offset && offsets.eq(recover.after.0 + 1..=top.offset.0);
    let fits = missed.len() <= usize::try_from(recover.limit).unwrap_or(usize::MAX);
    (top, (whole && fits).then_some(missed))
}
