//! What is shown of one process: the numbers of its last page, and rates since the one before.

use std::time::{Duration, Instant};

use trunkline_backbone::RingPage;
use trunkline_telemetry::Metric;
use trunkline_telemetry::names::{backbone, edge, link, upstream};

use super::page::Page;

/// A page and when it was read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) at: Instant,
    /// Or why there is none.
    pub(super) page: Result<Page, String>,
    /// What a node tells of its ring.
    pub(super) ring: Option<RingPage>,
    /// Bytes in memory, where the process is on this machine.
    pub(super) memory: Option<u64>,
}

/// A process and its last two readings.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) name: String,
    before: Option<Reading>,
    now: Reading,
}

/// The numbers of a process; none where it has no such thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Numbers {
    pub(super) clients: Option<f64>,
    pub(super) channels: Option<f64>,
    pub(super) subscriptions: Option<f64>,
    /// Per second, as the following two.
    pub(super) publishes: Option<f64>,
    /// Publications on their way: to clients by an edge, to edges by a node.
    pub(super) deliveries: Option<f64>,
    pub(super) bytes: Option<f64>,
    pub(super) links: Option<f64>,
    /// Of the slowest link.
    pub(super) round_trip: Option<Duration>,
    pub(super) memory: Option<u64>,
}

impl Process {
    pub(super) const fn new(name: String, before: Option<Reading>, now: Reading) -> Self {
        Self { name, before, now }
    }

    pub(super) const fn is_up(&self) -> bool {
        self.now.page.is_ok()
    }

    /// What it tells of its ring, where it is a node.
    pub(super) const fn ring(&self) -> Option<&RingPage> {
        self.now.ring.as_ref()
    }

    /// What it told of its ring before.
    pub(super) fn ring_before(&self) -> Option<&RingPage> {
        self.before.as_ref()?.ring.as_ref()
    }

    /// The growth of a counter per second; none after a restart, which begins it anew.
    pub(super) fn growth(&self, before: f64, now: f64) -> Option<f64> {
        let first = self.before.as_ref()?.at;
        let seconds = self.now.at.saturating_duration_since(first).as_secs_f64();
        let growth = now - before;
        (growth >= 0.0 && seconds > 0.0).then(|| growth / seconds)
    }

    /// Its numbers, or why there are none.
    pub(super) fn numbers(&self) -> Result<Numbers, &str> {
        let page = self.now.page.as_ref().map_err(String::as_str)?;
        let numbers = if page.is_of_edge() {
            self.of_edge(page)
        } else {
            self.of_node(page)
        };
        Ok(Numbers {
            round_trip: page
                .largest(link::RTT)
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            memory: self.now.memory,
            ..numbers
        })
    }

    fn of_edge(&self, page: &Page) -> Numbers {
        Numbers {
            clients: page.gauge(edge::CLIENTS),
            channels: page.gauge(edge::CHANNELS),
            subscriptions: page.gauge(edge::SUBSCRIPTIONS),
            publishes: self.rate(&[upstream::PUBLISHES]),
            deliveries: self.rate(&[edge::PUBLICATIONS_OUT]),
            bytes: self.rate(&[edge::BYTES_OUT]),
            links: page.gauge(upstream::LINKS),
            ..Numbers::default()
        }
    }

    fn of_node(&self, page: &Page) -> Numbers {
        Numbers {
            channels: page.gauge(backbone::CHANNELS_NOW),
            subscriptions: page.gauge(backbone::SUBSCRIPTIONS_NOW),
            publishes: self.rate(&[backbone::PUBLISHED, backbone::EPHEMERAL_PUBLISHED]),
            deliveries: self.rate(&[backbone::PUSHES]),
            bytes: self.rate(&[link::BYTES_OUT]),
            // Each shard counts the node's links; each link has a round trip of its own.
            links: Some(page.count(link::RTT)),
            ..Numbers::default()
        }
    }

    /// The growth of counters together per second.
    fn rate(&self, counters: &[Metric]) -> Option<f64> {
        let sum = |page: &Page| {
            let found = counters.iter().filter_map(|metric| page.counter(*metric));
            found.sum::<f64>()
        };
        let first = self.before.as_ref()?.page.as_ref().ok()?;
        self.growth(sum(first), sum(self.now.page.as_ref().ok()?))
    }
}

/// A node that tells this of its ring.
#[cfg(test)]
pub(super) fn node(
    name: &str,
    incarnation: &str,
    ring: &serde_json::Value,
    links: &serde_json::Value,
) -> Process {
    let page = serde_json::json!({
        "ring": ring,
        "node": {
            "name": name, "incarnation": incarnation, "ready": true, "lease_held": true, "alive": 2, "rejoins": 0,
            "slots": 4000, "slots_claiming": 64, "slots_moving": 32, "channels": 5, "subscriptions": 6,
        },
        "links": links,
    });
    let reading = Reading {
        at: Instant::now(),
        page: Ok(Page::default()),
        ring: Some(serde_json::from_value(page).expect("a page")),
        memory: None,
    };
    Process::new(name.to_owned(), None, reading)
}

/// A process that is read again after a time.
#[cfg(test)]
pub(super) fn later(before: &Process, now: &Process, time: Duration) -> Process {
    let mut reading = now.now.clone();
    reading.at = before.now.at + time;
    Process::new(now.name.clone(), Some(before.now.clone()), reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at: Instant, text: &str) -> Reading {
        Reading {
            at,
            page: Ok(Page::parse(text)),
            ring: None,
            memory: None,
        }
    }

    fn edge_page(publishes: u64) -> String {
        format!("trunkline_edge_clients 3\ntrunkline_upstream_publishes_total {publishes}\n")
    }

    fn process(before: u64, now: u64) -> Process {
        let at = Instant::now();
        let later = at + Duration::from_secs(2);
        let before = reading(at, &edge_page(before));
        Process::new(
            "e".to_owned(),
            Some(before),
            reading(later, &edge_page(now)),
        )
    }

    #[test]
    fn a_rate_is_the_growth_over_the_time_between() {
        let numbers = process(10, 30).numbers().expect("it is up");
        assert_eq!(
            (numbers.clients, numbers.publishes),
            (Some(3.0), Some(10.0))
        );
    }

    #[test]
    fn a_restarted_process_has_no_rate_at_first() {
        assert_eq!(process(30, 10).numbers().expect("it is up").publishes, None);
    }

    #[test]
    fn a_node_is_told_by_its_page() {
        let text = "trunkline_backbone_channels_now 5\ntrunkline_link_rtt_seconds{peer=\"a\"} 0.15\n\
            trunkline_link_rtt_seconds{peer=\"b\"} 0.01\n";
        let node = Process::new("n".to_owned(), None, reading(Instant::now(), text));
        let numbers = node.numbers().expect("it is up");
        assert_eq!((numbers.clients, numbers.links), (None, Some(2.0)));
        assert_eq!(numbers.channels, Some(5.0));
        assert_eq!(numbers.round_trip, Some(Duration::from_millis(150)));
    }

    #[test]
    fn a_number_that_is_no_time_is_not_shown() {
        for number in ["NaN", "-1", "+Inf", "1e300"] {
            let text = format!("trunkline_link_rtt_seconds{{peer=\"a\"}} {number}\n");
            let node = Process::new("n".to_owned(), None, reading(Instant::now(), &text));
            assert_eq!(
                node.numbers().expect("it is up").round_trip,
                None,
                "{number}"
            );
        }
    }
}
