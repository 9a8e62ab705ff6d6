//! One direction of a link: queues as the shell would hold them, a writer of limited bandwidth, frames under way.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use trunkline_shared::limits::LANES;
use trunkline_shared::{Instant, Slot, StreamId};

use crate::dice::Dice;
use crate::scenario::Tuning;

/// Bytes that a writer gives to a link that is broken before it stands still, as a congestion window would make it.
const WINDOW: usize = 16 << 10;

/// One direction of a link; each stream keeps its order, streams overtake each other.
#[derive(Debug)]
pub(crate) struct Direction<F> {
    queues: BTreeMap<StreamId, VecDeque<Queued<F>>>,
    turn: u8,
    writing: bool,
    broken: bool,
    window: usize,
    bandwidth: u64,
    frozen_until: Instant,
    arrivals: BTreeMap<StreamId, Instant>,
    under_way: BTreeMap<StreamId, VecDeque<F>>,
}

#[derive(Debug)]
struct Queued<F> {
    weight: usize,
    slot: Option<Slot>,
    frame: F,
}

/// A frame that the writer has handed to the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Its stream.
    pub(crate) stream: StreamId,
    /// The slot that it names.
    pub(crate) slot: Option<Slot>,
    /// Its weight, to be reported to the machine.
    pub(crate) weight: usize,
    /// When it arrives; `None` when it never does.
    pub(crate) arrives: Option<Instant>,
}

impl<F> Direction<F> {
    /// Makes a direction with nothing under way, in bytes per second; nothing arrives before `opens`.
    pub(crate) const fn new(bandwidth: u64, opens: Instant) -> Self {
        Self {
            queues: BTreeMap::new(),
            turn: 0,
            writing: false,
            broken: false,
            window: WINDOW,
            bandwidth,
            frozen_until: opens,
            arrivals: BTreeMap::new(),
            under_way: BTreeMap::new(),
        }
    }

    /// Queues a frame; the time that the writer needs for the next one, when it has to be started.
    pub(crate) fn push(
        &mut self,
        stream: StreamId,
        (weight, slot): (usize, Option<Slot>),
        frame: F,
    ) -> Option<Duration> {
        self.queues.entry(stream).or_default().push_back(Queued {
            weight,
            slot,
            frame,
        });
        self.start()
    }

    /// The writer is done with a frame: takes it over, and says what became of it.
    ///
    /// `None` when the link is broken and the writer stands still.
    pub(crate) fn write(
        &mut self,
        now: Instant,
        tuning: &Tuning,
        dice: &mut Dice,
    ) -> Option<Written> {
        self.writing = false;
        let stream = self.next_stream()?;
        let Queued {
            weight,
            slot,
            frame,
        } = self.queues.get_mut(&stream)?.pop_front()?;
        self.turn = (self.turn + 1) % LANES;
        if self.broken {
            self.window = self.window.saturating_sub(weight);
            return Some(Written {
                stream,
                slot,
                weight,
                arrives: None,
            });
        }
        let arrives = self.arrival(now, stream, tuning, dice);
        self.under_way.entry(stream).or_default().push_back(frame);
        Some(Written {
            stream,
            slot,
            weight,
            arrives: Some(arrives),
        })
    }

    /// Starts the writer if there is work for it; the time that it needs.
    pub(crate) fn start(&mut self) -> Option<Duration> {
        if self.writing || (self.broken && self.window == 0) {
            return None;
        }
        let stream = self.next_stream()?;
        let weight = self.queues[&stream].front()?.weight;
        self.writing = true;
        let bytes = u64::try_from(weight).expect("a frame is small");
        Some(Duration::from_micros(bytes * 1_000_000 / self.bandwidth))
    }

    /// Takes the frame of a stream that has arrived; `None` when it was lost with the link.
    pub(crate) fn arrive(&mut self, stream: StreamId) -> Option<F> {
        self.under_way.get_mut(&stream)?.pop_front()
    }

    /// Loses everything under way, and everything to come.
    pub(crate) fn break_off(&mut self) {
        self.broken = true;
        self.under_way.clear();
    }

    /// Writes so many bytes per second from now on.
    pub(crate) const fn widen(&mut self, bandwidth: u64) {
        self.bandwidth = bandwidth;
    }

    /// Nothing arrives until then.
    pub(crate) fn freeze(&mut self, until: Instant) {
        self.frozen_until = self.frozen_until.max(until);
    }

    /// Control first, then the lanes in turn, ephemeral publications last.
    fn next_stream(&self) -> Option<StreamId> {
        let has = |stream: &StreamId| {
            self.queues
                .get(stream)
                .is_some_and(|queue| !queue.is_empty())
        };
        let lanes = (0..LANES).map(|lane| StreamId::Lane((lane + self.turn) % LANES));
        std::iter::once(StreamId::Control)
            .chain(lanes)
            .chain([StreamId::Ephemeral])
            .find(has)
    }

    fn arrival(
        &mut self,
        now: Instant,
        stream: StreamId,
        tuning: &Tuning,
        dice: &mut Dice,
    ) -> Instant {
        let mut at = now + dice.micros(tuning.link_delay.0, tuning.link_delay.1);
        if dice.permille(tuning.loss) {
            at = at + tuning.retransmission;
        }
        let last = self.arrivals.entry(stream).or_insert(at);
        *last = at.max(*last).max(self.frozen_until);
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(direction: &mut Direction<u32>) -> Vec<Written> {
        let mut dice = Dice::new(1, 1);
        let tuning = Tuning::new(&mut dice);
        let mut all = Vec::new();
        while let Some(written) = direction.write(Instant::ZERO, &tuning, &mut dice) {
            all.push(written);
        }
        all
    }

    #[test]
    fn the_control_stream_goes_first_and_ephemeral_publications_last() {
        let mut direction = Direction::new(1000, Instant::ZERO);
        for stream in [StreamId::Ephemeral, StreamId::Lane(3), StreamId::Control] {
            direction.push(stream, (10, None), 0);
        }
        let order: Vec<StreamId> = drain(&mut direction)
            .iter()
            .map(|written| written.stream)
            .collect();
        assert_eq!(
            order,
            [StreamId::Control, StreamId::Lane(3), StreamId::Ephemeral]
        );
    }

    #[test]
    fn a_stream_keeps_its_order() {
        let mut direction = Direction::new(1000, Instant::ZERO);
        for frame in 0..50 {
            direction.push(StreamId::Lane(1), (10, None), frame);
        }
        let arrivals: Vec<_> = drain(&mut direction)
            .iter()
            .map(|written| written.arrives)
            .collect();
        assert!(arrivals.is_sorted());
        assert_eq!(direction.arrive(StreamId::Lane(1)), Some(0));
    }

    #[test]
    fn a_break_loses_what_is_under_way() {
        let mut direction = Direction::new(1000, Instant::ZERO);
        direction.push(StreamId::Control, (10, None), 1);
        drain(&mut direction);
        direction.break_off();
        assert_eq!(direction.arrive(StreamId::Control), None);
        direction.push(StreamId::Control, (10, None), 2);
        assert!(
            drain(&mut direction)
                .iter()
                .all(|written| written.arrives.is_none())
        );
    }
}
