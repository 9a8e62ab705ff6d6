//! Splits a call by server and joins the answers.

use trunkline_shared::Slot;
use trunkline_store_core::{AllFound, AppendOutcome, ClaimError, Claimed, FindRequest};

/// What goes to each server that has something to do, in the order asked.
pub(super) struct Split<T> {
    /// Servers by number, with their share.
    pub(super) shares: Vec<(usize, Vec<T>)>,
    /// Which share each thing asked is in.
    pub(super) order: Vec<usize>,
}

impl<T> Split<T> {
    pub(super) fn new(things: Vec<T>, server_of: impl Fn(&T) -> usize) -> Self {
        let (mut shares, mut order) = (Vec::<(usize, Vec<T>)>::new(), Vec::new());
        for thing in things {
            let server = server_of(&thing);
            let place = shares.iter().position(|(number, _)| *number == server);
            let place = place.unwrap_or_else(|| {
                shares.push((server, Vec::new()));
                shares.len() - 1
            });
            shares[place].1.push(thing);
            order.push(place);
        }
        Self { shares, order }
    }
}

/// Puts answers, one for each thing asked, into the order asked.
pub(super) fn in_order<A>(order: &[usize], answers: Vec<Vec<A>>) -> Vec<A> {
    let mut answers: Vec<_> = answers.into_iter().map(Vec::into_iter).collect();
    order
        .iter()
        .filter_map(|share| answers[*share].next())
        .collect()
}

/// Splits a look-up; servers that have nothing to look for aren't asked.
pub(super) fn split_find(
    request: FindRequest,
    servers: usize,
    server_of: impl Fn(Slot) -> usize,
) -> Vec<(usize, FindRequest)> {
    let share = FindRequest {
        keys_not_before: request.keys_not_before,
        ..FindRequest::default()
    };
    let mut shares = vec![share; servers];
    for id in request.ids {
        shares[server_of(id.0)].ids.push(id);
    }
    for key in request.keys {
        shares[server_of(key.slot)].keys.push(key);
    }
    let shares = shares.into_iter().enumerate();
    shares.filter(|(_, share)| !share.is_empty()).collect()
}

/// What several servers found.
pub(super) fn join_found(answers: Vec<AllFound>) -> AllFound {
    let mut all = AllFound::default();
    for found in answers {
        all.ids.extend(found.ids);
        all.keys.extend(found.keys);
    }
    all
}

/// What became of an append of which each server took its share. Where one did and another didn't, the owner has to look.
pub(super) fn join_appends(outcomes: Vec<AppendOutcome>) -> AppendOutcome {
    let (mut refused, mut committed, mut failure) = (Vec::new(), outcomes.is_empty(), None);
    for outcome in outcomes {
        match outcome {
            AppendOutcome::Committed { refused: more } => {
                committed = true;
                refused.extend(more);
            }
            AppendOutcome::Unknown(why) => return AppendOutcome::Unknown(why),
            AppendOutcome::Failed(error) => failure = Some(error),
        }
    }
    match failure {
        None => AppendOutcome::Committed { refused },
        Some(error) if committed => AppendOutcome::Unknown(format!("one server refused: {error}")),
        Some(error) => AppendOutcome::Failed(error),
    }
}

/// What became of a claim: a later view is what its owner must hear of.
pub(super) fn join_claims(
    order: &[usize],
    answers: Vec<Result<Vec<Claimed>, ClaimError>>,
) -> Result<Vec<Claimed>, ClaimError> {
    let (mut claimed, mut failure) = (Vec::new(), None);
    for answer in answers {
        match answer {
            Ok(slots) => claimed.push(slots),
            Err(later @ ClaimError::LaterView(_)) => return Err(later),
            Err(error @ ClaimError::Store(_)) => failure = Some(error),
        }
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(in_order(order, claimed)),
    }
}

/// The slots of each server: ascending, all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranges(Vec<Slot>);

impl Ranges {
    /// From the last slot of each.
    pub(super) const fn new(last_slots: Vec<Slot>) -> Self {
        Self(last_slots)
    }

    /// The server of a slot.
    pub(super) fn server_of(&self, slot: Slot) -> usize {
        self.0.partition_point(|last| *last < slot)
    }
}

#[cfg(test)]
mod tests {
    use trunkline_store_core::suite::make::{self, slot, view};
    use trunkline_store_core::{Refused, StoreError};

    use super::*;

    const COMMITTED: AppendOutcome = AppendOutcome::Committed { refused: vec![] };

    fn away() -> StoreError {
        StoreError::Away("gone".to_owned())
    }

    #[test]
    fn answers_come_in_the_order_asked() {
        let split = Split::new(vec![30, 10, 31, 20, 11], |number| number / 10);
        assert_eq!(
            split.shares,
            [(3, vec![30, 31]), (1, vec![10, 11]), (2, vec![20])]
        );
        let answers = split.shares.into_iter().map(|(_, share)| share);
        assert_eq!(
            in_order(&split.order, answers.collect()),
            [30, 10, 31, 20, 11]
        );
    }

    #[test]
    fn an_append_that_one_server_took_and_another_did_not_is_unknown() {
        let refused = AppendOutcome::Committed {
            refused: vec![(slot(1), Refused::Head)],
        };
        assert_eq!(join_appends(vec![]), COMMITTED);
        assert_eq!(join_appends(vec![COMMITTED, refused.clone()]), refused);
        let failed = AppendOutcome::Failed(away());
        assert_eq!(join_appends(vec![failed.clone(), failed.clone()]), failed);
        let unknown = join_appends(vec![failed, COMMITTED]);
        assert!(matches!(unknown, AppendOutcome::Unknown(_)), "{unknown:?}");
    }

    #[test]
    fn a_later_view_outweighs_a_server_that_is_away() {
        let answers = vec![
            Err(ClaimError::Store(away())),
            Err(ClaimError::LaterView(view(3))),
        ];
        let joined = join_claims(&[0, 1], answers);
        assert_eq!(joined, Err(ClaimError::LaterView(view(3))));
    }

    #[test]
    fn a_look_up_goes_to_the_servers_of_its_slots() {
        let asked = FindRequest {
            ids: vec![(slot(20), make::id(1)), (slot(21), make::id(2))],
            keys_not_before: trunkline_shared::UnixMillis(7),
            ..make::keys_of(slot(5), "chat:1", &[b"once"])
        };
        let shares = split_find(asked.clone(), 4, |slot| usize::from(slot.number() / 10));
        let only_keys = FindRequest {
            ids: Vec::new(),
            ..asked.clone()
        };
        let only_ids = FindRequest {
            keys: Vec::new(),
            ..asked
        };
        assert_eq!(shares, [(0, only_keys), (2, only_ids)]);
    }

    #[test]
    fn every_slot_has_a_server() {
        let ranges = Ranges::new(vec![slot(5), slot(4095)]);
        let servers = [0, 5, 6, 4095].map(|number| ranges.server_of(slot(number)));
        assert_eq!(servers, [0, 0, 1, 1]);
    }
}
