//! When slots were claimed anew, as far as one sees who looks at the database again and again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, sleep};

use super::ledger::generations;
use crate::postgres::connect;

/// From one look to the next.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// A slot that was claimed between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) slot: i32,
    /// Before it.
    pub(super) after: Instant,
    /// Behind it.
    pub(super) by: Instant,
}

/// Looks until it is dropped.
#[derive(Debug)]
pub(super) struct Moves {
    claims: Rc<RefCell<Vec<Claim>>>,
    work: AbortHandle,
}

impl Moves {
    /// Looks at slots from now on; a database that is away is looked at again when it is back.
    pub(super) fn watch(dsn: String, slots: Vec<i32>) -> Self {
        let claims = Rc::<RefCell<Vec<Claim>>>::default();
        let work = spawn_local(watch(dsn, slots, Rc::clone(&claims))).abort_handle();
        Self { claims, work }
    }

    /// What was claimed so far.
    pub(super) fn claims(&self) -> Vec<Claim> {
        self.claims.borrow().clone()
    }
}

impl Drop for Moves {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// A look: when it began, and the generations that it found.
type Look = (Instant, BTreeMap<i32, i64>);

async fn watch(dsn: String, slots: Vec<i32>, claims: Rc<RefCell<Vec<Claim>>>) {
    let mut last = None;
    loop {
        // What goes wrong here is found by those who need the database.
        let _ = look(&dsn, &slots, &mut last, &claims).await;
        sleep(LOOK_INTERVAL).await;
    }
}

async fn look(
    dsn: &str,
    slots: &[i32],
    last: &mut Option<Look>,
    claims: &RefCell<Vec<Claim>>,
) -> Result<()> {
    let client = connect(dsn).await?;
    loop {
        let began = Instant::now();
        let found = generations(&client, slots).await?;
        if let Some(last) = last {
            claims
                .borrow_mut()
                .extend(claimed(last, &found, Instant::now()));
        }
        *last = Some((began, found));
        sleep(LOOK_INTERVAL).await;
    }
}

/// The slots that have another generation than at the last look.
fn claimed(last: &Look, found: &BTreeMap<i32, i64>, by: Instant) -> Vec<Claim> {
    let (after, known) = last;
    let differs = |(slot, generation): (&i32, &i64)| {
        let is_new = known.get(slot).is_some_and(|known| known != generation);
        is_new.then_some(Claim {
            slot: *slot,
            after: *after,
            by,
        })
    };
    found.iter().filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_with_another_generation_was_claimed_between_the_looks() {
        let (after, by) = (Instant::now(), Instant::now() + LOOK_INTERVAL);
        let last = (after, BTreeMap::from([(1, 5), (2, 5)]));
        let found = BTreeMap::from([(1, 5), (2, 6), (3, 1)]);
        assert_eq!(claimed(&last, &found, by), [Claim { slot: 2, after, by }]);
    }
}
