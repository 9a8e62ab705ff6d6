//! What is going to happen, ordered by time and, at one time, by when it was planned.

use std::collections::BTreeMap;

use trunkline_shared::Instant;

/// Events to come.
#[derive(Debug)]
pub(crate) struct Agenda<E> {
    events: BTreeMap<(Instant, u64), E>,
    planned: u64,
}

impl<E> Agenda<E> {
    /// Makes an empty agenda.
    pub(crate) const fn new() -> Self {
        Self {
            events: BTreeMap::new(),
            planned: 0,
        }
    }

    /// Plans an event.
    pub(crate) fn plan(&mut self, at: Instant, event: E) {
        self.planned += 1;
        self.events.insert((at, self.planned), event);
    }

    /// Takes the next event.
    pub(crate) fn next(&mut self) -> Option<(Instant, E)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_one_time_keep_the_order_in_which_they_were_planned() {
        let mut agenda = Agenda::new();
        let at = Instant::from_micros;
        agenda.plan(at(2), 'c');
        agenda.plan(at(1), 'a');
        agenda.plan(at(1), 'b');
        let order: Vec<char> =
            std::iter::from_fn(|| agenda.next().map(|(_, event)| event)).collect();
        assert_eq!(order, ['a', 'b', 'c']);
    }
}
