//! One question at a time for many who ask the same.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use tokio::sync::oneshot;

use super::trouble::Trouble;

/// What came of a question.
pub(super) type Outcome<V> = Result<V, Trouble>;

/// An answer that many wait for.
pub(super) type Awaited<V> = Shared<oneshot::Receiver<Outcome<V>>>;

/// Questions that are under way, by what they ask.
///
/// Their number is bounded by that of the HTTP connections.
#[derive(Debug)]
pub(super) struct Flights<K, V: Clone>(Mutex<HashMap<K, Flight<V>>>);

#[derive(Debug)]
struct Flight<V: Clone> {
    /// Whether the question was put: its answer may be older than what happens from then on.
    started: Arc<AtomicBool>,
    answer: Awaited<V>,
}

/// A question that is to be put by whoever holds it.
#[derive(Debug)]
pub(super) struct Question<V: Clone> {
    started: Arc<AtomicBool>,
    reply: oneshot::Sender<Outcome<V>>,
    /// The question before it, which is answered first.
    pub(super) before: Option<Awaited<V>>,
}

/// How a request comes to its answer.
pub(super) enum Boarding<V: Clone> {
    /// Another request has asked.
    Joined(Awaited<V>),
    /// It is the first one, and has to see to the question.
    First(Awaited<V>, Question<V>),
}

impl<V: Clone> Flight<V> {
    /// Whether it is answered, or its task has died and it never will be.
    fn is_over(&self) -> bool {
        self.answer.clone().now_or_never().is_some()
    }
}

impl<K, V: Clone> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Flights<K, V> {
    /// Joins the question of `key` that is under way, or begins one.
    pub(super) fn board(&self, key: &K) -> Boarding<V> {
        let mut flights = self.lock();
        match flights.get(key).filter(|flight| !flight.is_over()) {
            Some(flight) => Boarding::Joined(flight.answer.clone()),
            None => begin(&mut flights, key, None),
        }
    }

    /// Joins the question of `key` that is still to be put, or begins one, which is put after the one under way.
    ///
    /// The answer then knows of everything that was done before the call.
    pub(super) fn board_next(&self, key: &K) -> Boarding<V> {
        let mut flights = self.lock();
        match flights.get(key).filter(|flight| !flight.is_over()) {
            Some(flight) if !flight.started.load(Ordering::SeqCst) => {
                Boarding::Joined(flight.answer.clone())
            }
            Some(flight) => {
                let before = flight.answer.clone();
                begin(&mut flights, key, Some(before))
            }
            None => begin(&mut flights, key, None),
        }
    }

    /// Tells all who wait; the next one to ask begins anew.
    pub(super) fn land(&self, key: &K, question: Question<V>, outcome: Outcome<V>) {
        let mut flights = self.lock();
        let is_last = flights
            .get(key)
            .is_some_and(|flight| Arc::ptr_eq(&flight.started, &question.started));
        if is_last {
            flights.remove(key);
        }
        drop(flights);
        // Nobody may be waiting any more.
        let _ = question.reply.send(outcome);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Flight<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin<K: Clone + Eq + Hash, V: Clone>(
    flights: &mut HashMap<K, Flight<V>>,
    key: &K,
    before: Option<Awaited<V>>,
) -> Boarding<V> {
    let (reply, answer) = oneshot::channel();
    let (answer, started) = (answer.shared(), Arc::new(AtomicBool::new(false)));
    let flight = Flight {
        started: Arc::clone(&started),
        answer: answer.clone(),
    };
    flights.insert(key.clone(), flight);
    let question = Question {
        started,
        reply,
        before,
    };
    Boarding::First(answer, question)
}

impl<V: Clone> Question<V> {
    /// Says that it is put now: who comes from now on may want a newer answer.
    pub(super) fn start(&self) {
        self.started.store(true, Ordering::SeqCst);
    }
}

/// Waits for an answer; a worker that ends leaves its questions without one.
pub(super) async fn landed<V: Clone>(answer: Awaited<V>) -> Outcome<V> {
    answer.await.unwrap_or(Err(Trouble::Away))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(boarding: Boarding<u32>) -> (Awaited<u32>, Question<u32>) {
        match boarding {
            Boarding::First(answer, question) => (answer, question),
            Boarding::Joined(_) => panic!("it is the first"),
        }
    }

    fn joined(boarding: Boarding<u32>) -> Awaited<u32> {
        match boarding {
            Boarding::Joined(answer) => answer,
            Boarding::First(..) => panic!("there is one"),
        }
    }

    #[tokio::test]
    async fn all_who_ask_the_same_get_one_answer() {
        let flights = Flights::default();
        let (answer, question) = first(flights.board(&1));
        question.start();
        let other = joined(flights.board(&1));
        flights.land(&1, question, Ok(5));
        assert_eq!(landed(answer).await, Ok(5));
        assert_eq!(landed(other).await, Ok(5));
        drop(first(flights.board(&1)));
    }

    #[tokio::test]
    async fn who_wants_news_waits_for_a_question_that_is_still_to_be_put() {
        let flights = Flights::default();
        let (_, question) = first(flights.board_next(&1));
        drop(joined(flights.board_next(&1)));
        question.start();
        let (answer, next) = first(flights.board_next(&1));
        drop(joined(flights.board_next(&1)));
        let before = next.before.clone().expect("one is under way");
        flights.land(&1, question, Ok(5));
        assert_eq!(landed(before).await, Ok(5));
        flights.land(&1, next, Ok(6));
        assert_eq!(landed(answer).await, Ok(6));
        drop(first(flights.board_next(&1)));
    }

    #[tokio::test]
    async fn a_question_that_is_dropped_leaves_nobody_waiting() {
        let flights = Flights::default();
        let (answer, question) = first(flights.board(&1));
        drop(question);
        assert_eq!(landed(answer).await, Err(Trouble::Away));
        drop(first(flights.board(&1)));
    }
}
