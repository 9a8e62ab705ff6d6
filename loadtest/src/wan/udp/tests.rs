//! Relays between real sockets.

use std::net::UdpSocket;
use std::time::Instant;

use super::*;

const RTT: Duration = Duration::from_millis(20);

/// Longer than anything here takes: a receiver that waits for so long has lost something.
const PATIENCE: Duration = Duration::from_secs(20);

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket
        .set_read_timeout(Some(PATIENCE))
        .expect("it isn't zero");
    socket
}

/// A target that answers each datagram with itself, until it gets an empty one.
fn echo() -> SocketAddr {
    let socket = socket();
    socket.set_read_timeout(None).expect("none is allowed");
    let address = socket.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let mut buffer = [0; 2000];
        while let Ok((count, from)) = socket.recv_from(&mut buffer) {
            if count == 0 || socket.send_to(&buffer[..count], from).is_err() {
                return;
            }
        }
    });
    address
}

fn relay(config: WanConfig) -> UdpRelay {
    relay_limited(config, Limits::default())
}

fn relay_limited(config: WanConfig, limits: Limits) -> UdpRelay {
    UdpRelay::start_limited(any_port(), echo(), config, 1, limits).expect("a free port")
}

fn relay_to(target: &UdpSocket) -> UdpRelay {
    let target = target.local_addr().expect("it is bound");
    UdpRelay::start(any_port(), target, WanConfig::default(), 1).expect("a free port")
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn ask(client: &UdpSocket, relay: &UdpRelay, text: &str) -> String {
    send(client, relay, text);
    answer(client)
}

fn send(client: &UdpSocket, relay: &UdpRelay, text: &str) {
    client
        .send_to(text.as_bytes(), relay.address())
        .expect("it is sent");
}

fn answer(client: &UdpSocket) -> String {
    let mut buffer = [0; 2000];
    let count = client.recv(&mut buffer).expect("an answer comes");
    String::from_utf8_lossy(&buffer[..count]).into_owned()
}

/// Waits until a relay has done what is asked.
fn wait_for(relay: &UdpRelay, done: impl Fn(RelayCounts) -> bool) {
    let start = Instant::now();
    while !done(relay.counts()) {
        assert!(start.elapsed() < PATIENCE, "{:?}", relay.counts());
        std::thread::yield_now();
    }
}

#[test]
fn an_answer_takes_at_least_the_round_trip() {
    let relay = relay(WanConfig::round_trip(RTT));
    let client = socket();
    for number in 0..5 {
        let text = format!("question {number}");
        let start = Instant::now();
        assert_eq!(ask(&client, &relay, &text), text);
        assert!(start.elapsed() >= RTT, "{:?}", start.elapsed());
    }
    assert_eq!(relay.counts().up.passed, 5);
    assert_eq!(relay.counts().down.passed, 5);
}

#[test]
fn datagrams_stay_in_order() {
    let mut config = WanConfig::round_trip(RTT);
    config.up.jitter = RTT;
    config.down.jitter = RTT;
    let relay = relay(config);
    let client = socket();
    let texts: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    for text in &texts {
        send(&client, &relay, text);
    }
    let answers: Vec<_> = texts.iter().map(|_| answer(&client)).collect();
    assert_eq!(answers, texts);
}

#[test]
fn a_cut_stops_both_directions_until_it_heals() {
    let relay = relay(WanConfig::round_trip(RTT));
    let client = socket();
    assert_eq!(ask(&client, &relay, "before"), "before");
    relay.cut(true);
    send(&client, &relay, "lost");
    wait_for(&relay, |counts| counts.up.cut == 1);
    relay.cut(false);
    assert_eq!(
        ask(&client, &relay, "after"),
        "after",
        "and not the lost one"
    );
    assert_eq!(relay.counts().down.passed, 2);
}

#[test]
fn one_client_can_be_cut_alone() {
    let relay = relay(WanConfig::default());
    let (first, second) = (socket(), socket());
    assert_eq!(ask(&first, &relay, "before"), "before");
    let known = relay.clients(PATIENCE);
    assert_eq!(known, [first.local_addr().expect("it is bound")]);
    relay.cut_client(known[0], true);
    send(&first, &relay, "lost");
    assert_eq!(ask(&second, &relay, "other"), "other");
    relay.cut_client(known[0], false);
    assert_eq!(ask(&first, &relay, "after"), "after");
}

#[test]
fn one_direction_can_be_cut_alone() {
    let mut config = WanConfig::default();
    config.down.cut = true;
    let relay = relay(config);
    let client = socket();
    send(&client, &relay, "unanswered");
    wait_for(&relay, |counts| counts.down.cut == 1);
    assert_eq!(relay.counts().up.passed, 1);
    relay.set(WanConfig::default());
    assert_eq!(ask(&client, &relay, "answered"), "answered");
}

#[test]
fn a_longer_round_trip_holds_at_once() {
    let relay = relay(WanConfig::default());
    let client = socket();
    assert_eq!(ask(&client, &relay, "near"), "near");
    relay.set(WanConfig::round_trip(RTT));
    let start = Instant::now();
    assert_eq!(ask(&client, &relay, "far"), "far");
    assert!(start.elapsed() >= RTT, "{:?}", start.elapsed());
}

#[test]
fn clients_get_their_own_answers() {
    let relay = relay(WanConfig::round_trip(RTT));
    let clients = [socket(), socket()];
    for round in 0..5 {
        for (number, client) in clients.iter().enumerate() {
            send(client, &relay, &format!("{number} {round}"));
        }
        for (number, client) in clients.iter().enumerate() {
            assert_eq!(answer(client), format!("{number} {round}"));
        }
    }
    assert_eq!(relay.counts().clients, 2);
}

#[test]
fn the_largest_datagram_passes() {
    let (client, target) = (socket(), socket());
    let relay = relay_to(&target);
    let largest = vec![7; 65_507];
    client
        .send_to(&largest, relay.address())
        .expect("it is sent");
    let mut buffer = vec![0; 70_000];
    let count = target.recv(&mut buffer).expect("it comes");
    assert_eq!(&buffer[..count], largest);
}

#[test]
fn what_others_than_the_target_send_is_dropped() {
    let (client, target, stranger) = (socket(), socket(), socket());
    let relay = relay_to(&target);
    send(&client, &relay, "question");
    let mut buffer = [0; 100];
    let (_, back) = target.recv_from(&mut buffer).expect("it comes");
    stranger.send_to(b"forged", back).expect("it is sent");
    target.send_to(b"answer", back).expect("it is sent");
    assert_eq!(answer(&client), "answer");
}

#[test]
fn one_client_too_many_is_turned_away_until_another_is_idle() {
    let limits = Limits {
        clients: 1,
        idle: Duration::from_millis(50),
    };
    let relay = relay_limited(WanConfig::default(), limits);
    let (first, second) = (socket(), socket());
    assert_eq!(ask(&first, &relay, "first"), "first");
    send(&second, &relay, "too many");
    wait_for(&relay, |counts| {
        counts.turned_away == 1 || counts.clients == 0
    });
    wait_for(&relay, |counts| counts.clients == 0);
    assert_eq!(ask(&second, &relay, "second"), "second");
}

#[test]
fn a_relay_that_is_dropped_gives_its_address_back() {
    let relay = relay(WanConfig::default());
    let address = relay.address();
    drop(relay);
    UdpSocket::bind(address).expect("it is free again");
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error_inside_of_a_runtime_too() {
    let held = socket();
    let taken = held.local_addr().expect("it is bound");
    let refused = UdpRelay::start(taken, taken, WanConfig::default(), 1);
    let error = refused.expect_err("it is taken");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}
