//! How everybody is closed: when the edge stops, and when it is cut off from the backbone.

use std::time::Duration;

use trunkline_protocol::Encoding;

use super::rig::{Rig, config};
use crate::exchange::ToWorker;
use crate::worker::{ClientConfig, ConnId, Input};

/// Over which clients of a worker that is cut off are closed.
const SPREAD: Duration = Duration::from_secs(4);

fn rig() -> Rig {
    Rig::with(ClientConfig {
        close_spread: SPREAD,
        ..config()
    })
}

/// Twenty clients, and one that hasn't connected.
fn crowd(rig: &mut Rig) -> Vec<ConnId> {
    let mut conns: Vec<ConnId> = (0..20).map(|_| rig.connected(Encoding::Json)).collect();
    conns.push(rig.open(Encoding::Json));
    conns
}

fn closed(rig: &Rig, conns: &[ConnId]) -> usize {
    let codes = conns.iter().filter_map(|conn| rig.close_code(*conn));
    codes.inspect(|code| assert_eq!(*code, 3001)).count()
}

#[test]
fn a_drained_worker_closes_everybody_within_the_time_and_not_at_once() {
    let mut rig = Rig::new();
    let mut conns: Vec<ConnId> = (0..20).map(|_| rig.connected(Encoding::Json)).collect();
    conns.push(rig.open(Encoding::Json));
    rig.input(Input::Drain {
        over: Duration::from_secs(4),
    });
    rig.pass(Duration::from_secs(2));
    let closed = conns
        .iter()
        .filter(|conn| rig.close_code(**conn).is_some())
        .count();
    assert!((2..19).contains(&closed), "{closed}");
    let late = rig.open(Encoding::Json);
    rig.pass(Duration::from_secs(2));
    for conn in conns.into_iter().chain([late]) {
        assert_eq!(rig.close_code(conn), Some(3001));
    }
}

#[test]
fn clients_of_a_worker_that_is_cut_off_are_closed_within_the_time_and_not_at_once() {
    let mut rig = rig();
    let conns = crowd(&mut rig);
    assert!(!rig.worker.is_isolated());
    rig.upstream(ToWorker::Isolated(true));
    assert!(rig.worker.is_isolated());
    assert_eq!(closed(&rig, &conns), 0);
    rig.pass(SPREAD / 2);
    assert!((2..19).contains(&closed(&rig, &conns)));
    let late = rig.open(Encoding::Json);
    rig.pass(SPREAD / 2);
    assert_eq!(closed(&rig, &conns), conns.len());
    assert_eq!(closed(&rig, &[late]), 1);
}

#[test]
fn who_is_still_there_when_the_worker_is_linked_again_stays() {
    let mut rig = rig();
    let conns = crowd(&mut rig);
    rig.upstream(ToWorker::Isolated(true));
    rig.pass(SPREAD / 2);
    let gone = closed(&rig, &conns);
    assert!((2..19).contains(&gone));
    rig.upstream(ToWorker::Isolated(false));
    assert!(!rig.worker.is_isolated());
    let new = rig.connected(Encoding::Json);
    rig.pass(SPREAD);
    assert_eq!(closed(&rig, &conns), gone);
    assert_eq!(closed(&rig, &[new]), 0);
}

#[test]
fn a_worker_that_stops_goes_on_to_stop_whatever_becomes_of_its_links() {
    let mut rig = rig();
    let conns = crowd(&mut rig);
    rig.upstream(ToWorker::Isolated(true));
    rig.input(Input::Drain { over: SPREAD });
    rig.upstream(ToWorker::Isolated(false));
    rig.upstream(ToWorker::Isolated(true));
    rig.pass(SPREAD);
    assert_eq!(closed(&rig, &conns), conns.len());
}
