//! A bounded queue between callers and those who work for them, which can be closed for a while.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// What an entry counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) bytes: usize,
    pub(crate) units: usize,
}

impl Cost {
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            units: self.units.saturating_add(other.units),
        }
    }

    const fn minus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes - other.bytes,
            units: self.units - other.units,
        }
    }

    const fn fits(self, limit: Self) -> bool {
        self.bytes <= limit.bytes && self.units <= limit.units
    }
}

/// Why an entry wasn't taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Full,
    Closed,
    Stopped,
}

impl Reason {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Full => "its queue is full",
            Self::Closed => "it is being opened again",
            Self::Stopped => "it has ended",
        }
    }
}

/// An entry that wasn't taken in.
#[derive(Debug)]
pub(crate) struct Refusal<T> {
    pub(crate) item: T,
    pub(crate) reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Closed,
    Stopped,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(T, Cost)>,
    waiting: Cost,
    gate: Gate,
}

impl<T> State<T> {
    fn take(&mut self, bound: Cost) -> Vec<T> {
        let (mut taken, mut sum) = (Vec::new(), Cost::default());
        while let Some((item, cost)) = self.items.pop_front() {
            if !sum.plus(cost).fits(bound) && !taken.is_empty() {
                self.items.push_front((item, cost));
                break;
            }
            sum = sum.plus(cost);
            self.waiting = self.waiting.minus(cost);
            taken.push(item);
        }
        taken
    }
}

/// Entries in order, up to a limit; beyond it an entry is refused. One entry fits an empty queue however large it is.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    limit: Cost,
    state: Mutex<State<T>>,
    changed: Condvar,
}

impl<T> Queue<T> {
    pub(crate) fn new(limit: Cost) -> Self {
        let state = State {
            items: VecDeque::new(),
            waiting: Cost::default(),
            gate: Gate::Open,
        };
        Self {
            limit,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    /// Adds an entry, or gives it back.
    pub(crate) fn push(&self, item: T, cost: Cost) -> Result<(), Refusal<T>> {
        let mut state = self.state();
        let waiting = state.waiting.plus(cost);
        match state.gate {
            Gate::Closed => {
                return Err(Refusal {
                    item,
                    reason: Reason::Closed,
                });
            }
            Gate::Stopped => {
                return Err(Refusal {
                    item,
                    reason: Reason::Stopped,
                });
            }
            Gate::Open if !waiting.fits(self.limit) && !state.items.is_empty() => {
                return Err(Refusal {
                    item,
                    reason: Reason::Full,
                });
            }
            Gate::Open => {}
        }
        state.items.push_back((item, cost));
        state.waiting = waiting;
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for entries and takes what has queued, up to a bound, at least one; `None` when stopped and empty.
    pub(crate) fn take(&self, bound: Cost) -> Option<Vec<T>> {
        let state = self.state();
        let idle = |state: &mut State<T>| state.items.is_empty() && state.gate != Gate::Stopped;
        let mut state = self
            .changed
            .wait_while(state, idle)
            .expect("nothing panics while it holds this lock");
        let taken = state.take(bound);
        (!taken.is_empty()).then_some(taken)
    }

    /// Takes what has queued, up to a bound, and doesn't wait for it; `None` when stopped and empty.
    pub(crate) fn try_take(&self, bound: Cost) -> Option<Vec<T>> {
        let mut state = self.state();
        let taken = state.take(bound);
        (!taken.is_empty() || state.gate != Gate::Stopped).then_some(taken)
    }

    /// Refuses entries until [`reopen`](Self::reopen); returns those that wait.
    pub(crate) fn close(&self) -> Vec<T> {
        self.empty(Gate::Closed)
    }

    /// Takes entries again.
    pub(crate) fn reopen(&self) {
        let mut state = self.state();
        if state.gate == Gate::Closed {
            state.gate = Gate::Open;
        }
    }

    /// Refuses entries for good; those that wait can still be taken.
    pub(crate) fn stop(&self) {
        self.state().gate = Gate::Stopped;
        self.changed.notify_all();
    }

    /// Refuses entries for good; returns those that wait.
    pub(crate) fn abandon(&self) -> Vec<T> {
        self.empty(Gate::Stopped)
    }

    fn empty(&self, gate: Gate) -> Vec<T> {
        let mut state = self.state();
        if state.gate != Gate::Stopped {
            state.gate = gate;
        }
        state.waiting = Cost::default();
        state.items.drain(..).map(|(item, _)| item).collect()
    }

    /// Waits, at most `time`, for the queue to be stopped; whether it is.
    pub(crate) fn wait_for_stop(&self, time: Duration) -> bool {
        let state = self.state();
        let goes_on = |state: &mut State<T>| state.gate != Gate::Stopped;
        let waited = self.changed.wait_timeout_while(state, time, goes_on);
        !waited
            .expect("nothing panics while it holds this lock")
            .1
            .timed_out()
    }

    /// What waits.
    pub(crate) fn waiting(&self) -> Cost {
        self.state().waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn bytes(bytes: usize) -> Cost {
        Cost { bytes, units: 1 }
    }

    const ALL: Cost = Cost {
        bytes: usize::MAX,
        units: usize::MAX,
    };

    fn queue_of_ten_bytes() -> Queue<u8> {
        Queue::new(Cost {
            bytes: 10,
            units: usize::MAX,
        })
    }

    fn reason(result: Result<(), Refusal<u8>>) -> Option<Reason> {
        result.err().map(|refusal| refusal.reason)
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let queue = queue_of_ten_bytes();
        assert_eq!(reason(queue.push(1, bytes(11))), None);
        assert_eq!(reason(queue.push(2, bytes(1))), Some(Reason::Full));
        assert_eq!(queue.take(ALL), Some(vec![1]));
        assert_eq!(reason(queue.push(3, bytes(10))), None);
        assert_eq!(queue.waiting(), bytes(10));
    }

    #[test]
    fn a_batch_ends_at_its_bound_but_holds_one_entry() {
        let queue = queue_of_ten_bytes();
        for (item, size) in [(1, 2), (2, 3), (3, 5)] {
            assert_eq!(reason(queue.push(item, bytes(size))), None);
        }
        assert_eq!(queue.take(Cost { bytes: 1, units: 9 }), Some(vec![1]));
        assert_eq!(queue.take(Cost { bytes: 8, units: 1 }), Some(vec![2]));
        assert_eq!(queue.take(ALL), Some(vec![3]));
    }

    #[test]
    fn a_closed_queue_gives_back_what_waits_and_takes_nothing() {
        let queue = queue_of_ten_bytes();
        assert_eq!(reason(queue.push(1, bytes(2))), None);
        assert_eq!(queue.close(), [1]);
        assert_eq!(reason(queue.push(2, bytes(2))), Some(Reason::Closed));
        queue.reopen();
        assert_eq!(reason(queue.push(3, bytes(2))), None);
    }

    #[test]
    fn a_stopped_queue_is_emptied_first_and_stays_stopped() {
        let queue = queue_of_ten_bytes();
        assert_eq!(reason(queue.push(1, bytes(2))), None);
        queue.stop();
        queue.reopen();
        assert_eq!(reason(queue.push(2, bytes(2))), Some(Reason::Stopped));
        assert_eq!(queue.take(ALL), Some(vec![1]));
        assert_eq!(queue.take(ALL), None);
        assert!(queue.wait_for_stop(Duration::from_secs(9)));
    }
}
