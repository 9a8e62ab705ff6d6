//! Callers that break HTTP or the server API.

use crate::harness::raw_socket::RawSocket;
use crate::rig::{Rig, metric};

/// Sends bytes on a fresh connection and expects a status; 0 where the edge may only hang up.
#[track_caller]
fn check(rig: &Rig, what: &str, bytes: &[u8], status: u16) {
    let mut socket = RawSocket::connect(&rig.listen());
    socket.send(bytes);
    let head = socket.response_head();
    let got = head
        .split(' ')
        .nth(1)
        .map_or(0, |code| code.parse().expect("a status"));
    assert_eq!(got, status, "{what}: {head}");
}

fn call(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: dev\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

#[test]
fn what_is_no_http_or_no_call_is_refused_by_status() {
    let rig = Rig::start();
    let check = |what: &str, bytes: &[u8], status| check(&rig, what, bytes, status);
    check(
        "a TLS hello",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
        400,
    );
    check("garbage", &[0xff; 4096], 400);
    check(
        "a plain GET",
        b"GET /connection/websocket HTTP/1.1\r\nHost: x\r\n\r\n",
        400,
    );
    check(
        "headers without end",
        &[
            b"GET / HTTP/1.1\r\n".as_slice(),
            &b"a: b\r\n".repeat(100_000),
        ]
        .concat(),
        431,
    );
    check(
        "no key",
        b"POST /api/publish HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        401,
    );
    check(
        "a wrong key",
        b"POST /api/info HTTP/1.1\r\nHost: x\r\nX-API-Key: ded\r\nContent-Length: 0\r\n\r\n",
        401,
    );
    check(
        "no method of the API",
        &call("/api/format_disk", "", "{}"),
        404,
    );
    check("no JSON", &call("/api/publish", "", "garbage"), 400);
    check(
        "60,000 brackets",
        &call("/api/publish", "", &"[".repeat(60_000)),
        400,
    );
    let long = format!(
        "{{\"channel\":\"chat:1\",\"data\":\"{}\"}}",
        "x".repeat(1 << 20)
    );
    check("a body over 1 MiB", &call("/api/publish", "", &long), 413);
    let foreign = b"GET /connection/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: http://evil.example\r\n\r\n";
    check("a foreign page", foreign, 403);
    assert_eq!(
        metric(&rig.edge, "trunkline_edge_refused_total{reason=\"origin\"}"),
        1
    );
    rig.goes_on();
}

#[test]
fn a_request_that_does_not_come_is_not_waited_for() {
    let rig = Rig::start_impatient();
    let mut silent = RawSocket::connect(&rig.listen());
    let mut slow = RawSocket::connect(&rig.listen());
    slow.send(b"GET / HTTP/1.1\r\nHost: ");
    let mut bodiless = RawSocket::connect(&rig.listen());
    bodiless.send(
        b"POST /api/publish HTTP/1.1\r\nHost: x\r\nX-API-Key: dev\r\nContent-Length: 100\r\n\r\n{",
    );
    assert!(bodiless.response_head().starts_with("HTTP/1.1 408 "));
    silent.hung_up();
    slow.hung_up();
    rig.goes_on();
}
