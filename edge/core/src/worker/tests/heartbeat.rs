use std::time::Duration;

use trunkline_protocol::{Encoding, Request};
use trunkline_shared::Instant;

use super::requests::publish;
use super::rig::{Rig, config};
use crate::worker::{ClientConfig, ConnId};

fn rig() -> Rig {
    Rig::with(ClientConfig {
        ping_interval: Duration::from_secs(2),
        pong_timeout: Duration::from_secs(1),
        ..config()
    })
}

/// Lets time pass until the client is pinged.
fn await_ping(rig: &mut Rig, conn: ConnId) -> Instant {
    for _ in 0..3_000 {
        if rig.lines(conn).iter().any(|line| line == "ping") {
            return rig.now.instant;
        }
        rig.pass(Duration::from_millis(1));
    }
    panic!("no ping");
}

#[test]
fn pings_come_at_the_interval_after_a_random_first_one() {
    for encoding in Encoding::ALL {
        let mut rig = rig();
        let begin = rig.now.instant;
        let conn = rig.connected(encoding);
        let mut last = await_ping(&mut rig, conn);
        let first = last.since(begin);
        assert!((1_000..2_001).contains(&first.as_millis()), "{first:?}");
        for _ in 0..5 {
            rig.send(conn, [(0, Request::None)]);
            let next = await_ping(&mut rig, conn);
            assert_eq!(next.since(last), Duration::from_secs(2));
            last = next;
        }
        assert_eq!(rig.close_code(conn), None);
    }
}

#[test]
fn a_missing_pong_closes_exactly_at_its_timeout_whatever_else_is_sent() {
    let mut rig = rig();
    let conn = rig.connected(Encoding::Json);
    await_ping(&mut rig, conn);
    let at = rig.worker.poll_timeout().expect("a pong is awaited");
    assert_eq!(at.1, "a pong is late");
    rig.pass(at.0.since(rig.now.instant) - Duration::from_micros(1));
    rig.send(conn, [(2, publish("plain:a", "1"))]);
    assert_eq!(rig.close_code(conn), None);
    rig.pass(Duration::from_micros(1));
    assert_eq!(rig.close_code(conn), Some(3012));
}

#[test]
fn a_second_pong_to_one_ping_is_refused() {
    for encoding in Encoding::ALL {
        let mut rig = rig();
        let conn = rig.connected(encoding);
        await_ping(&mut rig, conn);
        rig.send(conn, [(0, Request::None)]);
        assert_eq!(rig.close_code(conn), None);
        rig.send(conn, [(0, Request::None)]);
        assert_eq!(rig.close_code(conn), Some(3501));
    }
}

#[test]
fn first_pings_are_spread_over_half_the_interval() {
    let mut rig = rig();
    let conns: Vec<ConnId> = (0..100).map(|_| rig.connected(Encoding::Json)).collect();
    let pinged = |rig: &mut Rig| {
        rig.pass(Duration::from_millis(250));
        conns
            .iter()
            .filter(|conn| rig.lines(**conn) == ["ping"])
            .count()
    };
    let counts: Vec<usize> = (0..8).map(|_| pinged(&mut rig)).collect();
    assert_eq!(counts[..4], [0, 0, 0, 0]);
    assert!(counts[4..].iter().all(|count| *count > 10), "{counts:?}");
}

#[test]
fn a_shell_that_pings_by_itself_is_not_helped() {
    let mut rig = rig();
    let conn = rig.open_with(Encoding::Json, false);
    rig.send(conn, [(1, super::requests::connect(""))]);
    assert_eq!(rig.lines(conn), ["1 connect ping=0 pong=false"]);
    rig.pass(Duration::from_secs(60));
    assert!(rig.lines(conn).is_empty());
}
