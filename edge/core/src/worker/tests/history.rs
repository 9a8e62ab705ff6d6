use bytesize::ByteSize;
use trunkline_protocol::message::{HistoryRequest, StreamPosition};
use trunkline_protocol::{Encoding, Request};
use trunkline_shared::Offset;
use trunkline_shared::frame::HistoryQuery;

use super::requests::{E1, E2, at, history, publication};
use super::rig::{Rig, config};
use crate::exchange::{Answer, ToUpstream};
use crate::worker::{ClientConfig, ConnId};

fn subscriber(encoding: Encoding) -> (Rig, ConnId) {
    let mut rig = Rig::new();
    let conn = rig.connected(encoding);
    rig.subscribed_at(conn, "open:x", Some(at(E1, 15)));
    (rig, conn)
}

fn since(offset: u64, epoch: &str, limit: i32, reverse: bool) -> Request {
    let since = Some(StreamPosition {
        offset,
        epoch: epoch.into(),
    });
    Request::History(HistoryRequest {
        channel: "open:x".into(),
        limit,
        since,
        reverse,
    })
}

#[test]
fn without_a_limit_only_the_position_is_told() {
    for encoding in Encoding::ALL {
        let (mut rig, conn) = subscriber(encoding);
        rig.send(conn, [(3, history("open:x", 0))]);
        let ticket = rig.ticket();
        rig.answer(
            ticket,
            Answer::History {
                head: at(E1, 15),
                floor: Offset::ZERO,
                publications: Vec::new(),
            },
        );
        assert_eq!(rig.lines(conn), ["3 history [] e1@15"]);
    }
}

#[test]
fn publications_come_as_upstream_gives_them() {
    for encoding in Encoding::ALL {
        let (mut rig, conn) = subscriber(encoding);
        rig.send(conn, [(3, since(5, &E1.to_string(), 3, true))]);
        let asked = rig.asked();
        let [
            ToUpstream::History {
                ticket,
                query,
                bytes_max,
                ..
            },
        ] = asked[..]
        else {
            panic!("{asked:?}");
        };
        assert_eq!(
            query,
            HistoryQuery::Backward {
                before: Some(Offset(5)),
                limit: 3
            }
        );
        assert_eq!(bytes_max, 1 << 20);
        let publications = [4, 3, 2].map(|offset| publication(offset, b"1")).to_vec();
        rig.answer(
            ticket,
            Answer::History {
                head: at(E1, 15),
                floor: Offset::ZERO,
                publications,
            },
        );
        assert_eq!(rig.lines(conn), ["3 history [4, 3, 2] e1@15"]);
    }
}

#[test]
fn another_epoch_is_error_112() {
    let (mut rig, conn) = subscriber(Encoding::Json);
    rig.send(conn, [(3, since(5, &E1.to_string(), 3, false))]);
    let ticket = rig.ticket();
    rig.answer(
        ticket,
        Answer::History {
            head: at(E2, 15),
            floor: Offset::ZERO,
            publications: Vec::new(),
        },
    );
    assert_eq!(rig.lines(conn), ["3 error 112"]);
}

#[test]
fn what_makes_no_sense_is_off_or_is_not_permitted_is_refused() {
    let (mut rig, conn) = subscriber(Encoding::Json);
    rig.send(
        conn,
        [(3, since(0, "", 3, true)), (4, history("plain:x", 1))],
    );
    rig.send(
        conn,
        [(5, history("open:other", 1)), (6, history("nosuch:x", 1))],
    );
    assert_eq!(
        rig.lines(conn),
        ["3 error 107", "4 error 108", "5 error 103", "6 error 102"]
    );
}

#[test]
fn a_reply_is_cut_to_what_fits_the_queue() {
    let size = ByteSize::kib(128);
    let mut rig = Rig::with(ClientConfig {
        queue_max_size: size,
        ..config()
    });
    let conn = rig.connected(Encoding::Json);
    rig.subscribed_at(conn, "open:x", Some(at(E1, 15)));
    rig.send(conn, [(3, history("open:x", 10))]);
    let asked = rig.asked();
    let [
        ToUpstream::History {
            ticket, bytes_max, ..
        },
    ] = asked[..]
    else {
        panic!("{asked:?}")
    };
    assert_eq!(bytes_max, 128 << 10);
    let data = [&b"\""[..], &b"x".repeat(30_000), b"\""].concat();
    let publications = (1..=10).map(|offset| publication(offset, &data)).collect();
    rig.answer(
        ticket,
        Answer::History {
            head: at(E1, 15),
            floor: Offset::ZERO,
            publications,
        },
    );
    let lines = rig.lines(conn);
    assert!(
        lines[0].starts_with("3 history [1, 2, 3") && lines[0].ends_with("] e1@15"),
        "{lines:?}"
    );
    assert_eq!(rig.close_code(conn), None);
}

#[test]
fn history_that_is_not_json_closes_a_json_client() {
    let (mut rig, conn) = subscriber(Encoding::Json);
    rig.send(conn, [(3, history("open:x", 10))]);
    let ticket = rig.ticket();
    let publications = vec![publication(1, b"\xff")];
    rig.answer(
        ticket,
        Answer::History {
            head: at(E1, 15),
            floor: Offset::ZERO,
            publications,
        },
    );
    assert_eq!(rig.close_code(conn), Some(3506));
}
