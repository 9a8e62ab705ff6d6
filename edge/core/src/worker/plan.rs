//! What a subscribe asks for as far as it is allowed, and the reply that follows from upstream's answer.

use std::sync::Arc;

use bytes::Bytes;
use trunkline_protocol::message::{Publication, SubscribeRequest, SubscribeResult};
use trunkline_shared::rules::{Class, Namespace};
use trunkline_shared::{Epoch, Offset, Position, UnixMillis};

use super::permission::Access;
use super::subscription::{Side, Subscription};
use crate::convert;
use crate::exchange::Recover;
use crate::shared_publication::SharedPublication;

/// Bit of a subscribe's flags: a position that can't be recovered is an error, 112.
const REJECT_UNRECOVERED: i64 = 2;

/// No channel comes as far; it keeps sums of offsets from overflowing anywhere.
pub(super) const OFFSET_MAX: u64 = u64::MAX / 2;

/// Where a client wants to go on.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    after: Offset,
    numbering: Numbering,
}

/// The numbering that a client's offset belongs to.
#[derive(Clone, Copy, Debug)]
enum Numbering {
    /// Whichever it is.
    Any,
    /// This one.
    Of(Epoch),
    /// None of ours.
    Foreign,
}

/// What a token grants to a subscription; nothing without one.
#[derive(Clone, Debug, Default)]
pub(super) struct Grant {
    pub(super) info: Bytes,
    pub(super) data: Bytes,
    pub(super) expire_at: Option<UnixMillis>,
}

/// What a subscribe asks for as far as it is allowed.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    positioned: bool,
    recoverable: bool,
    join_leave: bool,
    /// Whether the owner is told of the client.
    pub(super) announces: bool,
    wanted: Option<Wanted>,
    rejects_unrecovered: bool,
    data: Bytes,
    expire_at: Option<UnixMillis>,
}

impl Plan {
    /// Drops what isn't allowed, in silence (`client-protocol.md` §7.3); forced options are on without being asked for.
    pub(super) fn new(access: Access<'_>, request: &SubscribeRequest, grant: &Grant) -> Self {
        let Namespace {
            allow_positioning,
            allow_recovery,
            ..
        } = *access.namespace;
        let rules = access.namespace;
        let is_numbered = rules.class() != Class::Ephemeral;
        let history = access.may_read_history();
        let positioning = request.positioned && (allow_positioning || history);
        let recovery = request.recoverable && (allow_recovery || history);
        let recoverable = is_numbered && (rules.force_recovery || recovery);
        let joins = request.join_leave && access.may_read_presence();
        Self {
            positioned: recoverable || is_numbered && (rules.force_positioning || positioning),
            recoverable,
            join_leave: rules.join_leave && (rules.force_push_join_leave || joins),
            announces: rules.presence || rules.join_leave,
            wanted: (recoverable && request.recover).then(|| Wanted::new(request)),
            rejects_unrecovered: request.flag & REJECT_UNRECOVERED != 0,
            data: grant.data.clone(),
            expire_at: grant.expire_at,
        }
    }

    /// What upstream is asked to catch up with.
    pub(super) fn recover(&self, limit: u32) -> Option<Recover> {
        let Wanted { after, numbering } = self.wanted?;
        match numbering {
            Numbering::Any => Some(Recover {
                epoch: None,
                after,
                limit,
            }),
            Numbering::Of(epoch) => Some(Recover {
                epoch: Some(epoch),
                after,
                limit,
            }),
            Numbering::Foreign => None,
        }
    }

    /// What the client has missed, if upstream's answer holds all of it (`client-protocol.md` §7.5).
    pub(super) fn missed(
        &self,
        position: Option<Position>,
        caught_up: Option<&[Arc<SharedPublication>]>,
    ) -> Option<Vec<Publication>> {
        let (wanted, position, caught_up) = (self.wanted?, position?, caught_up?);
        let mut offset = wanted.after;
        for shared in caught_up {
            let before = shared.publication.offset.0.checked_sub(1)?;
            if before != offset.0 {
                return None;
            }
            offset = shared.publication.offset;
        }
        let is_whole = wanted.is_of(position.epoch) && offset == position.offset;
        is_whole.then(|| {
            caught_up
                .iter()
                .map(|p| convert::publication(&p.publication))
                .collect()
        })
    }

    /// Whether a recovery was asked for.
    pub(super) const fn was_recovering(&self) -> bool {
        self.wanted.is_some()
    }

    /// Whether the client wants an error if it can't recover.
    pub(super) const fn rejects_unrecovered(&self) -> bool {
        self.rejects_unrecovered && self.wanted.is_some()
    }

    /// The reply; `missed` makes it a successful recovery.
    pub(super) fn result(
        &self,
        now: UnixMillis,
        position: Option<Position>,
        missed: Option<Vec<Publication>>,
    ) -> SubscribeResult {
        let told = position.filter(|_| self.positioned);
        let is_told = told.is_some();
        let top = told.map_or(0, |position| position.offset.0);
        let recovered = is_told && missed.is_some();
        let asked = self.wanted.map_or(0, |wanted| wanted.after.0);
        SubscribeResult {
            expires: self.expire_at.is_some(),
            ttl: self.expire_at.map_or(0, |at| ttl(now, at)),
            recoverable: self.recoverable && is_told,
            epoch: told.map_or_else(String::new, |position| position.epoch.to_string()),
            publications: missed.unwrap_or_default(),
            recovered,
            offset: if recovered { asked } else { top },
            positioned: is_told,
            data: self.data.clone(),
            was_recovering: self.wanted.is_some(),
            delta: false,
        }
    }

    /// The subscription, from its reply on.
    pub(super) fn subscription(&self, position: Option<Position>) -> Subscription {
        Subscription {
            side: Side::Client,
            positioned: self.positioned && position.is_some(),
            position,
            join_leave: self.join_leave,
            is_present: self.announces,
            expire_at: self.expire_at,
            awaits_telling: false,
        }
    }
}

impl Wanted {
    fn new(request: &SubscribeRequest) -> Self {
        let numbering = match request.epoch.as_str() {
            _ if request.offset > OFFSET_MAX => Numbering::Foreign,
            "" => Numbering::Any,
            text => Epoch::parse(text).map_or(Numbering::Foreign, Numbering::Of),
        };
        Self {
            after: Offset(request.offset),
            numbering,
        }
    }

    fn is_of(self, epoch: Epoch) -> bool {
        match self.numbering {
            Numbering::Any => true,
            Numbering::Of(wanted) => wanted == epoch,
            Numbering::Foreign => false,
        }
    }
}

/// Whole seconds until something is over; at least 1, as SDKs want a time to wait.
pub(super) fn ttl(now: UnixMillis, at: UnixMillis) -> u32 {
    u32::try_from(at.as_secs().saturating_sub(now.as_secs()))
        .unwrap_or(u32::MAX)
        .max(1)
}
