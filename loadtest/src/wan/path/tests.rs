//! Paths in virtual time: every moment is an input.

use std::num::NonZeroU64;
use std::time::Duration;

use super::*;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn delayed(delay: u64) -> PathConfig {
    PathConfig {
        delay: millis(delay),
        ..PathConfig::default()
    }
}

/// 8 kbit/s: a byte per millisecond.
fn narrow(queue_bytes_max: u64) -> PathConfig {
    PathConfig {
        rate_bits: NonZeroU64::new(8000),
        queue_bytes_max,
        ..PathConfig::default()
    }
}

/// A path, its beginning, and what it delivers.
struct Bench {
    path: Path<usize>,
    start: Instant,
}

impl Bench {
    fn new(config: PathConfig, seed: u64) -> Self {
        Self {
            path: Path::new(config, seed),
            start: Instant::now(),
        }
    }

    /// Sends at a moment since the beginning; the milliseconds of the arrival.
    fn send(&mut self, at: u64, bytes: usize, item: usize) -> Result<u128, Verdict> {
        match self.path.handle_input(self.start + millis(at), bytes, item) {
            Verdict::Due(due) => Ok((due - self.start).as_millis()),
            verdict @ (Verdict::Lost | Verdict::QueueFull | Verdict::Cut) => Err(verdict),
        }
    }

    fn arrived(&mut self, at: u64) -> Vec<usize> {
        let now = self.start + millis(at);
        std::iter::from_fn(|| self.path.poll_output(now)).collect()
    }
}

/// Which of 10,000 datagrams are lost.
fn lost(config: PathConfig, seed: u64) -> Vec<usize> {
    let mut bench = Bench::new(config, seed);
    let lost = |item: &usize| bench.send(*item as u64, 100, *item) == Err(Verdict::Lost);
    (0..10_000).filter(lost).collect()
}

#[test]
fn a_datagram_arrives_after_the_delay_and_not_before() {
    let mut bench = Bench::new(delayed(75), 1);
    assert_eq!(bench.send(10, 1200, 7), Ok(85));
    let due = bench.path.poll_timeout().expect("one is in flight");
    assert_eq!(due, bench.start + millis(85));
    assert_eq!(bench.arrived(84), [0; 0]);
    assert_eq!(bench.arrived(85), [7]);
    assert_eq!(bench.path.poll_timeout(), None);
    assert_eq!(bench.path.counts().passed, 1);
}

#[test]
fn the_same_seed_loses_the_same_datagrams_at_about_the_rate() {
    let config = PathConfig {
        loss: 0.02,
        ..PathConfig::default()
    };
    let first = lost(config, 1);
    assert!((150..250).contains(&first.len()), "{}", first.len());
    assert_eq!(first, lost(config, 1));
    assert_ne!(first, lost(config, 2));
    let elsewhere = PathConfig {
        jitter: millis(5),
        delay: millis(75),
        ..config
    };
    assert_eq!(first, lost(elsewhere, 1), "delay and jitter change no fate");
}

#[test]
fn none_are_lost_at_0_and_all_at_1() {
    assert_eq!(lost(delayed(0), 1), [0; 0]);
    let config = PathConfig {
        loss: 1.0,
        ..PathConfig::default()
    };
    assert_eq!(lost(config, 1).len(), 10_000);
}

#[test]
fn the_wire_takes_one_datagram_after_another() {
    let mut bench = Bench::new(
        PathConfig {
            delay: millis(50),
            ..narrow(1000)
        },
        1,
    );
    assert_eq!(bench.send(0, 100, 0), Ok(150));
    assert_eq!(bench.send(0, 100, 1), Ok(250));
    assert_eq!(bench.send(40, 100, 2), Ok(350));
    assert_eq!(
        bench.send(1000, 100, 3),
        Ok(1150),
        "the wire was free again"
    );
}

#[test]
fn a_full_queue_drops_its_tail_until_there_is_room() {
    let mut bench = Bench::new(narrow(200), 1);
    assert_eq!(bench.send(0, 500, 0), Ok(500), "on the wire, not queued");
    assert_eq!(bench.send(0, 100, 1), Ok(600));
    assert_eq!(bench.send(0, 100, 2), Ok(700));
    assert_eq!(bench.send(0, 1, 3), Err(Verdict::QueueFull));
    assert_eq!(bench.send(499, 1, 4), Err(Verdict::QueueFull));
    assert_eq!(bench.send(500, 100, 5), Ok(800), "the first has left");
    assert_eq!(bench.arrived(800), [0, 1, 2, 5]);
    assert_eq!(bench.path.counts().queue_full, 2);
}

#[test]
fn a_lost_datagram_has_used_the_wire() {
    let mut bench = Bench::new(
        PathConfig {
            loss: 1.0,
            ..narrow(1000)
        },
        1,
    );
    assert_eq!(bench.send(0, 100, 0), Err(Verdict::Lost));
    bench.path.configure(narrow(1000));
    assert_eq!(bench.send(0, 100, 1), Ok(200));
}

#[test]
fn jitter_adds_up_to_its_bound_and_keeps_order() {
    let config = PathConfig {
        jitter: millis(20),
        ..delayed(50)
    };
    let mut bench = Bench::new(config, 3);
    for item in 0..1000 {
        let sent = item as u64;
        let due = bench.send(sent, 100, item).expect("nothing is lost") as u64;
        assert!((sent + 50..=sent + 70).contains(&due), "{sent}: {due}");
    }
    assert_eq!(bench.arrived(10_000), Vec::from_iter(0..1000));
}

#[test]
fn jitter_reorders_only_when_asked() {
    let config = PathConfig {
        jitter: millis(20),
        reorder: true,
        ..delayed(50)
    };
    let mut bench = Bench::new(config, 3);
    for item in 0..1000 {
        bench.send(item as u64, 100, item).expect("nothing is lost");
    }
    let mut arrived = bench.arrived(10_000);
    assert_ne!(arrived, Vec::from_iter(0..1000));
    arrived.sort_unstable();
    assert_eq!(arrived, Vec::from_iter(0..1000));
}

#[test]
fn a_cut_drops_what_is_in_flight_and_what_comes() {
    let mut bench = Bench::new(delayed(50), 1);
    assert_eq!(bench.send(0, 100, 0), Ok(50));
    bench.path.configure(PathConfig {
        cut: true,
        ..delayed(50)
    });
    assert_eq!(bench.send(10, 100, 1), Err(Verdict::Cut));
    assert_eq!(bench.arrived(1000), [0; 0]);
    assert_eq!((bench.path.counts().cut, bench.path.in_flight()), (2, 0));
}

#[test]
fn a_healed_path_begins_empty() {
    let mut bench = Bench::new(narrow(1000), 1);
    assert_eq!(bench.send(0, 1000, 0), Ok(1000));
    assert_eq!(bench.send(0, 1000, 1), Ok(2000));
    bench.path.configure(PathConfig {
        cut: true,
        ..narrow(1000)
    });
    bench.path.configure(narrow(1000));
    assert_eq!(bench.send(10, 100, 2), Ok(110), "no queue is left");
    assert_eq!(bench.arrived(110), [2]);
}

#[test]
fn a_change_leaves_what_is_in_flight_its_time_and_the_order() {
    let mut bench = Bench::new(delayed(100), 1);
    assert_eq!(bench.send(0, 100, 0), Ok(100));
    bench.path.configure(delayed(10));
    assert_eq!(bench.send(1, 100, 1), Ok(100), "it doesn't overtake");
    assert_eq!(bench.send(95, 100, 2), Ok(105));
    assert_eq!(bench.arrived(100), [0, 1]);
}

#[test]
fn a_change_of_rate_leaves_what_waits_its_time() {
    let mut bench = Bench::new(narrow(1000), 1);
    assert_eq!(bench.send(0, 100, 0), Ok(100));
    assert_eq!(bench.send(0, 100, 1), Ok(200));
    bench.path.configure(delayed(0));
    assert_eq!(bench.send(50, 100, 2), Ok(200), "behind what waits");
    assert_eq!(bench.send(300, 100, 3), Ok(300));
}

#[test]
fn memory_has_a_bound_without_a_rate_too() {
    let mut bench = Bench::new(delayed(1000), 1);
    assert_eq!(bench.send(0, IN_FLIGHT_BYTES_MAX, 0), Ok(1000));
    assert_eq!(bench.send(0, 1, 1), Err(Verdict::QueueFull));
    assert_eq!(bench.arrived(1000), [0]);
    assert_eq!(bench.send(1000, 1, 2), Ok(2000));
}

#[test]
fn every_datagram_is_counted_once() {
    let config = PathConfig {
        loss: 0.1,
        ..narrow(300)
    };
    let mut bench = Bench::new(config, 9);
    for item in 0..1000 {
        let _ = bench.send(item as u64 * 50, 100, item);
        bench.arrived(item as u64 * 50);
    }
    let counts = bench.path.counts();
    let told = counts.passed + counts.lost + counts.queue_full + counts.cut;
    assert_eq!(told + bench.path.in_flight() as u64, 1000);
    assert!(counts.queue_full > 0 && counts.lost > 0, "{counts:?}");
}
