use trunkline_protocol::Encoding;
use trunkline_shared::Offset;

use super::requests::{E1, E2, at, recover, shared};
use super::rig::{Rig, config};
use crate::exchange::{Answer, Recover, ToUpstream};
use crate::worker::ClientConfig;

const NAME: &str = "rec:x";

fn answer(epoch: trunkline_shared::Epoch, top: u64, offsets: Option<&[u64]>) -> Answer {
    let caught_up =
        offsets.map(|offsets| offsets.iter().map(|o| shared(NAME, epoch, *o)).collect());
    Answer::Subscribed {
        position: Some(at(epoch, top)),
        caught_up,
    }
}

/// What a client that asks for what follows `offset` of `epoch` is answered.
#[track_caller]
fn check(offset: u64, epoch: &str, flag: i64, answer: &Answer, line: &str) {
    for encoding in Encoding::ALL {
        let mut rig = Rig::new();
        let conn = rig.connected(encoding);
        rig.send(conn, [(2, recover(NAME, offset, epoch, flag))]);
        let ticket = rig.ticket();
        rig.answer(ticket, answer.clone());
        assert_eq!(rig.lines(conn), [line]);
    }
}

#[test]
fn what_was_missed_comes_in_the_reply_with_the_offset_asked() {
    let line = "2 subscribe e1@1 positioned recoverable was_recovering recovered [2, 3]";
    check(1, &E1.to_string(), 0, &answer(E1, 3, Some(&[2, 3])), line);
}

#[test]
fn nothing_missed_is_recovered_without_publications() {
    let line = "2 subscribe e1@3 positioned recoverable was_recovering recovered";
    check(3, &E1.to_string(), 0, &answer(E1, 3, Some(&[])), line);
}

#[test]
fn an_empty_epoch_takes_any() {
    let line = "2 subscribe e1@0 positioned recoverable was_recovering recovered [1, 2]";
    check(0, "", 0, &answer(E1, 2, Some(&[1, 2])), line);
}

#[test]
fn what_upstream_cannot_give_is_not_recovered() {
    let line = "2 subscribe e2@7 positioned recoverable was_recovering";
    check(1, &E1.to_string(), 0, &answer(E2, 7, None), line);
    check(9, &E2.to_string(), 0, &answer(E2, 7, None), line);
}

#[test]
fn a_client_that_wants_all_or_nothing_gets_error_112() {
    check(1, &E1.to_string(), 2, &answer(E2, 7, None), "2 error 112");
    let line = "2 subscribe e1@1 positioned recoverable was_recovering recovered [2]";
    check(1, &E1.to_string(), 3, &answer(E1, 2, Some(&[2])), line);
}

#[test]
fn after_error_112_nothing_is_left() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, [(2, recover(NAME, 1, "_", 2))]);
    let ticket = rig.ticket();
    rig.answer(ticket, answer(E1, 7, None));
    assert_eq!(rig.lines(conn), ["2 error 112"]);
    let asked = rig.asked();
    assert!(
        matches!(&asked[..], [ToUpstream::Unsubscribe { .. }]),
        "{asked:?}"
    );
    rig.publication(NAME, E1, 8);
    assert!(rig.lines(conn).is_empty());
}

#[test]
fn a_list_with_a_hole_or_too_short_is_not_recovered() {
    let line = "2 subscribe e1@4 positioned recoverable was_recovering";
    for offsets in [
        &[3, 4][..],
        &[2, 4],
        &[2, 3],
        &[4, 3, 2],
        &[2, 2, 3, 4],
        &[0],
    ] {
        check(1, &E1.to_string(), 0, &answer(E1, 4, Some(offsets)), line);
    }
}

#[test]
fn upstream_is_asked_with_epoch_offset_and_limit() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    let mut recovers = |epoch: &str, offset| {
        rig.send(
            conn,
            [(
                2,
                recover(&format!("rec:{epoch}{offset}"), offset, epoch, 0),
            )],
        );
        let asked = rig.asked();
        let [ToUpstream::Subscribe { recover, .. }] = asked[..] else {
            panic!("{asked:?}")
        };
        recover
    };
    let wanted = |epoch| {
        Some(Recover {
            epoch,
            after: Offset(4),
            limit: 300,
        })
    };
    assert_eq!(recovers(&E1.to_string(), 4), wanted(Some(E1)));
    assert_eq!(recovers("", 4), wanted(None));
    assert_eq!(recovers("_", 4), None);
    assert_eq!(recovers("XyZq", 4), None);
    assert_eq!(recovers("", u64::MAX), None);
}

#[test]
fn an_epoch_that_is_none_of_ours_is_never_recovered() {
    let line = "2 subscribe e1@4 positioned recoverable was_recovering";
    check(4, "_", 0, &answer(E1, 4, Some(&[])), line);
    check(u64::MAX, "", 0, &answer(E1, 4, Some(&[4])), line);
}

#[test]
fn after_a_recovery_delivery_goes_on_behind_it() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, [(2, recover(NAME, 1, "", 0))]);
    let ticket = rig.ticket();
    rig.answer(ticket, answer(E1, 3, Some(&[2, 3])));
    for offset in [2, 3, 4] {
        rig.publication(NAME, E1, offset);
    }
    assert_eq!(rig.lines(conn)[1..], ["rec:x pub 4"]);
}

#[test]
fn a_recovery_that_does_not_fit_the_queue_is_none() {
    let large = |offset| {
        let data = [&b"\""[..], &b"x".repeat(60_000), b"\""].concat();
        let message = super::requests::publication(offset, &data);
        let shared = crate::shared_publication::SharedPublication::new(
            super::rig::channel(NAME),
            Some(E1),
            message,
        );
        std::sync::Arc::new(shared)
    };
    for (flag, line) in [
        (0, "2 subscribe e1@4 positioned recoverable was_recovering"),
        (2, "2 error 112"),
    ] {
        let size = bytesize::ByteSize::kib(128);
        let mut rig = Rig::with(ClientConfig {
            queue_max_size: size,
            ..config()
        });
        let conn = rig.connected(Encoding::Json);
        rig.send(conn, [(2, recover(NAME, 1, "", flag))]);
        let ticket = rig.ticket();
        let caught_up = Some((2..=4).map(large).collect());
        rig.answer(
            ticket,
            Answer::Subscribed {
                position: Some(at(E1, 4)),
                caught_up,
            },
        );
        assert_eq!(rig.lines(conn), [line]);
        assert_eq!(rig.close_code(conn), None);
        assert_eq!(rig.worker.stats().counters.unfit_recoveries, 1);
    }
}

#[test]
fn a_namespace_without_recovery_does_not_recover() {
    let mut rig = Rig::new();
    let conn = rig.connected(Encoding::Json);
    rig.send(conn, [(2, recover("plain:x", 1, "", 0))]);
    let asked = rig.asked();
    assert!(
        matches!(&asked[..], [ToUpstream::Subscribe { recover: None, .. }]),
        "{asked:?}"
    );
}
