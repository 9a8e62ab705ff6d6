//! Relays between real connections.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener as Listener, TcpStream};
use std::time::{Duration, Instant};

use super::*;
use crate::wan::{LinkProfile, WanConfig};

const RTT: Duration = Duration::from_millis(20);

/// Longer than anything here takes: a reader that waits for so long has lost something.
const PATIENCE: Duration = Duration::from_secs(20);

/// A relay and both ends of a connection through it.
struct Bench {
    relay: TcpRelay,
    client: TcpStream,
    target: TcpStream,
}

impl Bench {
    fn new(config: WanConfig) -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(any_port).expect("a free port");
        let target = listener.local_addr().expect("it is bound");
        let relay = TcpRelay::start(any_port, target, config, 1).expect("a free port");
        let client = TcpStream::connect(relay.address()).expect("it listens");
        let (target, _) = listener.accept().expect("it dials");
        for socket in [&client, &target] {
            let set = socket.set_read_timeout(Some(PATIENCE));
            set.expect("it isn't zero");
        }
        Self {
            relay,
            client,
            target,
        }
    }
}

fn far() -> WanConfig {
    LinkProfile::new(RTT).config()
}

fn read(mut socket: &TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    socket.read_exact(&mut bytes).expect("they come");
    bytes
}

fn read_to_end(mut socket: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).expect("it ends");
    bytes
}

/// Bytes that don't repeat soon.
fn pattern(count: usize) -> Vec<u8> {
    (0..count)
        .map(|place| ((place * place) >> 7) as u8)
        .collect()
}

#[test]
fn an_answer_takes_at_least_the_round_trip() {
    let bench = Bench::new(far());
    let start = Instant::now();
    (&bench.client).write_all(b"question").expect("it is open");
    assert_eq!(read(&bench.target, 8), b"question");
    assert!(start.elapsed() >= RTT / 2, "{:?}", start.elapsed());
    (&bench.target).write_all(b"answer").expect("it is open");
    assert_eq!(read(&bench.client, 6), b"answer");
    assert!(start.elapsed() >= RTT, "{:?}", start.elapsed());
}

#[test]
fn bytes_arrive_whole_and_in_order_both_ways() {
    let mut config = far();
    config.up.jitter = RTT;
    let bench = Bench::new(config);
    let bytes = pattern(10 << 20);
    std::thread::scope(|scope| {
        let ends = [&bench.client, &bench.target];
        for (mut from, to) in [(ends[0], ends[1]), (ends[1], ends[0])] {
            let bytes = &bytes;
            scope.spawn(move || from.write_all(bytes));
            scope.spawn(move || assert!(read(to, bytes.len()) == *bytes));
        }
    });
    assert_eq!(bench.relay.counts().down_bytes, 10 << 20);
}

#[test]
fn one_half_may_end_before_the_other() {
    let bench = Bench::new(far());
    (&bench.client).write_all(b"all").expect("it is open");
    bench.client.shutdown(Shutdown::Write).expect("it is open");
    assert_eq!(read_to_end(&bench.target), b"all");
    (&bench.target).write_all(b"answer").expect("it is open");
    bench.target.shutdown(Shutdown::Write).expect("it is open");
    assert_eq!(read_to_end(&bench.client), b"answer");
}

#[test]
fn a_cut_holds_bytes_back_until_it_heals() {
    let bench = Bench::new(far());
    bench.relay.cut(true);
    (&bench.client).write_all(b"held").expect("it is open");
    let set = bench.target.set_read_timeout(Some(RTT * 5));
    set.expect("it isn't zero");
    let early = (&bench.target).read(&mut [0; 4]);
    assert!(early.is_err(), "{early:?}");
    let set = bench.target.set_read_timeout(Some(PATIENCE));
    set.expect("it isn't zero");
    bench.relay.cut(false);
    assert_eq!(read(&bench.target, 4), b"held");
}

/// A relay that is cut from the start, and a client that has sent it something.
fn cut_relay(target: SocketAddr) -> (TcpRelay, TcpStream) {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let relay = TcpRelay::start(any_port, target, far(), 1).expect("a free port");
    relay.cut(true);
    let client = TcpStream::connect(relay.address()).expect("it listens");
    (&client).write_all(b"early").expect("it is open");
    (relay, client)
}

#[test]
fn what_a_client_sends_in_a_cut_arrives_when_it_heals() {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let (relay, client) = cut_relay(listener.local_addr().expect("it is bound"));
    wait_for_connections(&relay, 1);
    relay.cut(false);
    let (target, _) = listener.accept().expect("it dials");
    let set = target.set_read_timeout(Some(PATIENCE));
    set.expect("it isn't zero");
    assert_eq!(read(&target, 5), b"early");
    drop(client);
}

#[test]
fn a_client_that_goes_in_a_cut_leaves_its_place() {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let (relay, client) = cut_relay(listener.local_addr().expect("it is bound"));
    wait_for_connections(&relay, 1);
    drop(client);
    wait_for_connections(&relay, 0);
}

fn wait_for_connections(relay: &TcpRelay, count: usize) {
    let start = Instant::now();
    while relay.counts().connections != count {
        assert!(start.elapsed() < PATIENCE, "{:?}", relay.counts());
        std::thread::yield_now();
    }
}

#[test]
fn a_rate_takes_its_time() {
    let mut profile = LinkProfile::new(RTT);
    profile.set("rate", "8mbit").expect("it is a rate");
    let bench = Bench::new(profile.config());
    let (start, bytes) = (Instant::now(), pattern(200_000));
    std::thread::scope(|scope| {
        scope.spawn(|| (&bench.client).write_all(&bytes));
        assert!(read(&bench.target, bytes.len()) == bytes);
    });
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[test]
fn a_target_that_does_not_read_stops_the_client() {
    let bench = Bench::new(far());
    let set = bench.client.set_write_timeout(Some(RTT * 10));
    set.expect("it isn't zero");
    let stopped = (0..1024).any(|_| (&bench.client).write_all(&[0; 64 << 10]).is_err());
    assert!(stopped, "64 MiB were taken");
}

#[test]
fn a_target_that_is_not_there_ends_the_connection() {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let target = Listener::bind(any_port).and_then(|listener| listener.local_addr());
    let target = target.expect("a free port");
    let relay = TcpRelay::start(any_port, target, far(), 1).expect("a free port");
    let client = TcpStream::connect(relay.address()).expect("it listens");
    assert_eq!(read_to_end(&client), b"");
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error_inside_of_a_runtime_too() {
    let held = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let taken = held.local_addr().expect("it is bound");
    let refused = TcpRelay::start(taken, taken, far(), 1);
    let error = refused.expect_err("it is taken");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}
