//! An edge that sends its clients elsewhere: because it stops, or because it is cut off from the backbone.

#[path = "leaving/guest.rs"]
mod guest;
mod harness;

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use guest::{End, Guest};
use harness::papers::{link_section, make_certificates};
use harness::process::Process;
use harness::{api, own_ip, wait_until};
use serde_json::json;

/// Nobody waits long for a link that is dead or can be had again.
const LINK: &str = "idle_timeout = \"1s\"\nkeep_alive = \"300ms\"\nreconnect_max = \"200ms\"";

fn node(dir: &Path, link: &str) -> Process {
    let config = format!(
        "[backbone]\nlisten = \"{link}\"\n[store]\npath = \"{}/store\"\n[admin]\nlisten = \"127.0.0.1:0\"\n{}\
         [[namespace]]\nname = \"chat\"\nclass = \"durable\"\nhistory_size = 100000\nhistory_ttl = \"1h\"\n\
         allow_publish_for_client = true\nallow_publish_for_anonymous = true\n",
        dir.display(),
        link_section(dir, "backbone-1", LINK),
    );
    Process::start(dir, "backbone", "backbone-1", &config)
}

/// Starts an edge; `how` are lines of the section `[edge]`.
fn edge(dir: &Path, name: &str, node: &Process, how: &str) -> Process {
    let config = format!(
        "[edge]\nlisten = \"{}:0\"\nbackbones = [\"{}\"]\n{how}\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [client]\nallow_anonymous_connect_without_token = true\n[api]\nkey = \"dev\"\n{}",
        own_ip(),
        node.address("link"),
        link_section(dir, name, LINK),
    );
    Process::start(dir, "edge", name, &config)
}

/// Whether a load balancer would send clients there.
fn is_ready(edge: &str) -> bool {
    ureq::get(format!("http://{edge}/health/ready"))
        .call()
        .is_ok()
}

/// Connects guests and lets each act on a thread of its own.
fn guests(edge: &str, count: usize, act: fn(usize, Guest) -> End) -> Vec<thread::JoinHandle<End>> {
    let connected = (0..count).map(|_| Guest::connect(edge).expect("the edge is ready"));
    let begun = connected
        .enumerate()
        .map(|(number, guest)| thread::spawn(move || act(number, guest)));
    begun.collect()
}

fn ends(guests: Vec<thread::JoinHandle<End>>) -> Vec<End> {
    let ends = guests.into_iter().map(thread::JoinHandle::join);
    ends.map(|end| end.expect("a guest's thread")).collect()
}

/// The numbers that a channel keeps.
fn kept(edge: &str, channel: &str) -> BTreeSet<u64> {
    let (mut all, mut after) = (BTreeSet::new(), json!(0));
    loop {
        let body = json!({ "channel": channel, "limit": -1, "since": { "offset": after } });
        let answer = api(edge, "history", &body);
        let publications = answer["result"]["publications"].as_array();
        let publications = publications.unwrap_or_else(|| panic!("{answer}"));
        let Some(last) = publications.last() else {
            return all;
        };
        after = last["offset"].clone();
        all.extend(publications.iter().filter_map(|one| one["data"].as_u64()));
    }
}

#[test]
fn a_stopping_edge_serves_while_load_balancers_look_away_then_spreads_3001_and_loses_nothing_acked()
{
    const DELAY: Duration = Duration::from_secs(4);
    const PUBLISHERS: usize = 4;
    let dir = tempfile::tempdir().expect("a directory");
    let edges = ["eu-west/edge-1", "us-east/edge-2"];
    make_certificates(dir.path(), &["backbone-1"], &edges);
    let node = node(dir.path(), &format!("{}:0", own_ip()));
    let how = "drain_delay = \"4s\"\ndrain_seconds = 3";
    let leaving = edge(dir.path(), "edge-1", &node, how);
    let other = edge(dir.path(), "edge-2", &node, "drain_seconds = 1");
    let listen = leaving.address("listen");
    let act = |number, guest: Guest| match number {
        0..PUBLISHERS => guest.publish("chat:1", 1_000_000 * number as u64),
        _ => guest.stay(),
    };
    let guests = guests(&listen, 200, act);
    assert!(is_ready(&listen));

    let asked = Instant::now();
    leaving.ask_to_stop();
    wait_until("an edge that isn't ready", || {
        (!is_ready(&listen)).then_some(())
    });
    let late = Guest::connect(&listen).expect("the edge still accepts");
    let late = thread::spawn(move || late.stay());

    let mut ends = ends(guests);
    ends.push(late.join().expect("a guest's thread"));
    assert_eq!(leaving.ended().code(), Some(0));
    assert!(ends.iter().all(|end| end.code == 3001), "{ends:?}");
    let first = ends.iter().map(|end| end.at).min().expect("some");
    let last = ends.iter().map(|end| end.at).max().expect("some");
    assert!(first >= asked + DELAY, "{:?}", first - asked);
    // Of 201 moments within 3 s the first and the last are far apart.
    assert!(last - first > Duration::from_secs(1), "{:?}", last - first);
    let acked: Vec<u64> = ends.iter().flat_map(|end| end.acked.clone()).collect();
    assert!(acked.len() > PUBLISHERS, "{acked:?}");
    let kept = kept(&other.address("listen"), "chat:1");
    let lost: Vec<_> = acked.iter().filter(|one| !kept.contains(one)).collect();
    assert!(lost.is_empty(), "acked and lost: {lost:?}");
}

#[test]
fn an_edge_that_is_cut_off_sends_its_clients_away_until_it_is_linked_again() {
    let dir = tempfile::tempdir().expect("a directory");
    make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
    let first = node(dir.path(), &format!("{}:0", own_ip()));
    let link = first.address("link");
    let how = "isolation_tolerance = \"1s\"\nclose_when_isolated = true\ndrain_seconds = 1";
    let edge = edge(dir.path(), "edge-1", &first, how);
    let listen = edge.address("listen");
    let guests = guests(&listen, 20, |_, guest| guest.stay());

    first.kill();
    let ends = ends(guests);
    assert!(ends.iter().all(|end| end.code == 3001), "{ends:?}");
    assert!(!is_ready(&listen));
    assert_eq!(Guest::connect(&listen).err(), Some(503));

    let _second = node(dir.path(), &link);
    wait_until("a ready edge", || is_ready(&listen).then_some(()));
    assert!(Guest::connect(&listen).is_ok());
    assert_eq!(edge.stop().code(), Some(0));
}
