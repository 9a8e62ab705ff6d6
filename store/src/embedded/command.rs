//! What the writer is asked to do, and how it answers.

use futures_channel::oneshot::Sender;
use smol_str::SmolStr;
use trunkline_shared::UnixMillis;
use trunkline_store_core::{
    AppendOutcome, ChannelAppend, ClaimError, ClaimRequest, Claimed, FloorError, FloorRequest,
    Head, SlotPart, StoreError, ViewChange,
};

use super::stage::Stage;
use crate::queue::Cost;

/// A call that writes.
#[derive(Debug)]
pub(super) enum Command {
    Append {
        parts: Vec<SlotPart>,
        answer: Sender<AppendOutcome>,
    },
    Claim {
        request: ClaimRequest,
        answer: Sender<Result<Vec<Claimed>, ClaimError>>,
    },
    RaiseFloor {
        request: FloorRequest,
        answer: Sender<Result<Head, FloorError>>,
    },
    ChangeView {
        change: ViewChange,
        answer: Sender<Result<bool, StoreError>>,
    },
    Saw {
        users: Vec<(SmolStr, UnixMillis)>,
        answer: Sender<Result<(), StoreError>>,
    },
    ForgetHeads {
        untouched_since: UnixMillis,
        answer: Sender<Result<(), StoreError>>,
    },
}

/// A call whose answer waits for the commit.
#[derive(Debug)]
pub(super) enum Pending {
    Append {
        outcome: AppendOutcome,
        answer: Sender<AppendOutcome>,
    },
    Claim {
        outcome: Result<Vec<Claimed>, ClaimError>,
        answer: Sender<Result<Vec<Claimed>, ClaimError>>,
    },
    RaiseFloor {
        outcome: Result<Head, FloorError>,
        answer: Sender<Result<Head, FloorError>>,
    },
    ChangeView {
        outcome: Result<bool, StoreError>,
        answer: Sender<Result<bool, StoreError>>,
    },
    Done {
        outcome: Result<(), StoreError>,
        answer: Sender<Result<(), StoreError>>,
    },
}

impl Command {
    /// What it counts for in the queue and in a commit: a unit is a slot's part.
    pub(super) fn cost(&self) -> Cost {
        const SMALL: usize = 128;
        let (bytes, units) = match self {
            Self::Append { parts, .. } => (parts.iter().map(weight).sum(), parts.len()),
            Self::Claim { request, .. } => (request.slots.len() * 48, 1),
            Self::Saw { users, .. } => (users.iter().map(|(user, _)| user.len() + 48).sum(), 1),
            Self::RaiseFloor { .. } | Self::ChangeView { .. } | Self::ForgetHeads { .. } => (0, 1),
        };
        Cost {
            bytes: bytes + SMALL,
            units,
        }
    }

    /// Puts its changes into the commit that is being made.
    pub(super) fn stage(self, stage: &mut Stage<'_>) -> Pending {
        match self {
            Self::Append { parts, answer } => Pending::Append {
                outcome: stage.append(parts),
                answer,
            },
            Self::Claim { request, answer } => Pending::Claim {
                outcome: stage.claim(&request),
                answer,
            },
            Self::RaiseFloor { request, answer } => Pending::RaiseFloor {
                outcome: stage.raise_floor(&request),
                answer,
            },
            Self::ChangeView { change, answer } => Pending::ChangeView {
                outcome: stage.change_view(change),
                answer,
            },
            Self::Saw { users, answer } => Pending::Done {
                outcome: stage.saw(users),
                answer,
            },
            Self::ForgetHeads {
                untouched_since,
                answer,
            } => Pending::Done {
                outcome: {
                    stage.forget_heads(untouched_since);
                    Ok(())
                },
                answer,
            },
        }
    }

    /// Answers that nothing was done. Who doesn't wait any more for an answer isn't told.
    pub(super) fn answer_away(self, why: &str) {
        let away = || StoreError::Away(why.to_owned());
        match self {
            Self::Append { answer, .. } => drop(answer.send(AppendOutcome::Failed(away()))),
            Self::Claim { answer, .. } => drop(answer.send(Err(away().into()))),
            Self::RaiseFloor { answer, .. } => drop(answer.send(Err(away().into()))),
            Self::ChangeView { answer, .. } => drop(answer.send(Err(away()))),
            Self::Saw { answer, .. } | Self::ForgetHeads { answer, .. } => {
                drop(answer.send(Err(away())));
            }
        }
    }
}

fn weight(part: &SlotPart) -> usize {
    part.channels.iter().map(ChannelAppend::weight).sum()
}

impl Pending {
    /// Answers after the commit succeeded.
    pub(super) fn answer(self) {
        match self {
            Self::Append { outcome, answer } => drop(answer.send(outcome)),
            Self::Claim { outcome, answer } => drop(answer.send(outcome)),
            Self::RaiseFloor { outcome, answer } => drop(answer.send(outcome)),
            Self::ChangeView { outcome, answer } => drop(answer.send(outcome)),
            Self::Done { outcome, answer } => drop(answer.send(outcome)),
        }
    }

    /// Why the store did nothing, where it is the store's fault.
    pub(super) fn error(&self) -> Option<&StoreError> {
        match self {
            Self::Append {
                outcome: AppendOutcome::Failed(error),
                ..
            }
            | Self::Claim {
                outcome: Err(ClaimError::Store(error)),
                ..
            }
            | Self::RaiseFloor {
                outcome: Err(FloorError::Store(error)),
                ..
            } => Some(error),
            Self::ChangeView { outcome, .. } => outcome.as_ref().err(),
            Self::Done { outcome, .. } => outcome.as_ref().err(),
            Self::Append { .. } | Self::Claim { .. } | Self::RaiseFloor { .. } => None,
        }
    }

    /// Answers after the commit failed: whether it was taken will be seen when the database is open again.
    pub(super) fn answer_unknown(self, why: &str) {
        let away = || StoreError::Away(why.to_owned());
        match self {
            Self::Append {
                outcome: AppendOutcome::Committed { .. },
                answer,
            } => {
                drop(answer.send(AppendOutcome::Unknown(why.to_owned())));
            }
            Self::Append { outcome, answer } => drop(answer.send(outcome)),
            Self::Claim { answer, .. } => drop(answer.send(Err(away().into()))),
            Self::RaiseFloor { answer, .. } => drop(answer.send(Err(away().into()))),
            Self::ChangeView { answer, .. } => drop(answer.send(Err(away()))),
            Self::Done { answer, .. } => drop(answer.send(Err(away()))),
        }
    }
}
