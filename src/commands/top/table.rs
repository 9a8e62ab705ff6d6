//! Processes as lines of text.

use std::time::Duration;

use bytesize::ByteSize;

use super::columns::aligned;
use super::process::{Numbers, Process};

const TITLES: [&str; 10] = [
    "PROCESS",
    "CLIENTS",
    "CHANNELS",
    "SUBS",
    "PUBLISH/s",
    "DELIVER/s",
    "BYTES/s",
    "LINKS",
    "RTT",
    "MEMORY",
];

/// A title and a line for each process, columns aligned.
pub(super) fn table(processes: &[Process]) -> Vec<String> {
    let titles = TITLES.map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(titles)
        .chain(processes.iter().map(row))
        .collect();
    aligned(&rows, 1)
}

fn row(process: &Process) -> Vec<String> {
    let name = process.name.clone();
    match process.numbers() {
        Ok(numbers) => std::iter::once(name).chain(cells(&numbers)).collect(),
        Err(why) => vec![name, format!("down: {why}")],
    }
}

fn cells(numbers: &Numbers) -> [String; 9] {
    [
        count(numbers.clients),
        count(numbers.channels),
        count(numbers.subscriptions),
        rate(numbers.publishes),
        rate(numbers.deliveries),
        bytes(numbers.bytes),
        count(numbers.links),
        round_trip(numbers.round_trip),
        memory(numbers.memory),
    ]
}

pub(super) fn none() -> String {
    "-".to_owned()
}

pub(super) fn count(value: Option<f64>) -> String {
    value.map_or_else(none, |value| format!("{value:.0}"))
}

/// Slow ones with a decimal: one in ten seconds isn't none.
fn rate(value: Option<f64>) -> String {
    value.map_or_else(none, |value| {
        if value > 0.0 && value < 10.0 {
            format!("{value:.1}")
        } else {
            format!("{value:.0}")
        }
    })
}

pub(super) fn bytes(value: Option<f64>) -> String {
    memory(value.map(|value| value as u64))
}

pub(super) fn round_trip(value: Option<Duration>) -> String {
    value.map_or_else(none, |time| format!("{:.1} ms", time.as_secs_f64() * 1e3))
}

fn memory(value: Option<u64>) -> String {
    value.map_or_else(none, |value| ByteSize::b(value).to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::page::Page;
    use super::super::process::Reading;
    use super::*;

    fn process(name: &str, page: Result<&str, &str>) -> Process {
        let page = page.map(Page::parse).map_err(str::to_owned);
        let reading = Reading {
            at: Instant::now(),
            page,
            ring: None,
            memory: Some(12 << 20),
        };
        Process::new(name.to_owned(), None, reading)
    }

    #[test]
    fn columns_are_aligned_and_a_dead_process_says_why() {
        let page = "trunkline_edge_clients 12345\ntrunkline_edge_channels 7\ntrunkline_link_rtt_seconds 0.0104\n";
        let processes = [
            process("edge-eu-west", Ok(page)),
            process("edge-ap-south", Err("connection refused")),
        ];
        assert_eq!(
            table(&processes),
            [
                "PROCESS        CLIENTS  CHANNELS  SUBS  PUBLISH/s  DELIVER/s  BYTES/s  LINKS      RTT    MEMORY",
                "edge-eu-west     12345         7     -          -          -        -      -  10.4 ms  12.0 MiB",
                "edge-ap-south  down: connection refused",
            ]
        );
    }

    #[test]
    fn a_slow_rate_is_not_none() {
        assert_eq!(rate(Some(0.25)), "0.2");
        assert_eq!(rate(Some(0.0)), "0");
        assert_eq!(rate(Some(1234.5)), "1234");
    }
}
