//! Clients that break WebSocket or the client protocol.

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::harness::raw_socket::{RawSocket, masked};
use crate::rig::{Rig, SECRET, metric};

/// A connection token, or a subscription token, of these claims.
fn token(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::default(), claims, &key).expect("claims can be signed")
}

fn connect(token: &str) -> String {
    json!({ "id": 1, "connect": { "token": token } }).to_string()
}

/// A connection whose connect was answered, and the answer.
fn connected(listen: &str) -> (RawSocket, Value) {
    let mut socket = RawSocket::open(listen, "");
    socket.say(&connect(&token(&json!({ "sub": "ada" }), SECRET)));
    let reply: Value = serde_json::from_str(&socket.text()).expect("JSON");
    assert!(reply["connect"]["client"].is_string(), "{reply}");
    (socket, reply)
}

/// Sends bytes behind the handshake and expects the Close frame.
#[track_caller]
fn check(listen: &str, query: &str, what: &str, bytes: &[u8], code: u16) {
    let mut socket = RawSocket::open(listen, query);
    socket.send(bytes);
    let (got, reason) = socket.closed();
    assert_eq!(got, code, "{what}: {reason:?}");
    assert!(
        !reason.is_empty(),
        "{what}: SDKs ignore a code without a reason"
    );
}

#[test]
fn frames_that_websocket_forbids_end_with_its_codes() {
    let rig = Rig::start();
    let check = |what: &str, bytes: &[u8], code| check(&rig.listen(), "", what, bytes, code);
    check("garbage", &[0xff; 300], 1002);
    check("an HTTP request", b"GET / HTTP/1.1\r\n\r\n", 1002);
    check("no mask", b"\x81\x02{}", 1002);
    check("a reserved bit", &masked(0xc1, b"{}"), 1002);
    check("an unknown opcode", &masked(0x83, b"{}"), 1002);
    check("a continuation of nothing", &masked(0x80, b"{}"), 1002);
    check("a long ping", &masked(0x89, &[0; 126]), 1002);
    check("text that isn't UTF-8", &masked(0x81, b"\xff"), 1007);
    check(
        "64 KiB and a byte",
        &masked(0x81, &[b' '; (64 << 10) + 1]),
        1009,
    );
    // Only its header comes: nothing is reserved for what is declared.
    check(
        "a frame of 2^62 bytes",
        b"\x81\xff\x40\0\0\0\0\0\0\0mask",
        1009,
    );
    let half = vec![b' '; (32 << 10) + 1];
    let fragments = [masked(0x01, &half), masked(0x80, &half)].concat();
    check("64 KiB and a byte in fragments", &fragments, 1009);
    rig.goes_on();
}

#[test]
fn messages_that_the_client_protocol_forbids_end_with_3501() {
    let rig = Rig::start();
    let before = metric(&rig.edge, "trunkline_edge_closes_total{code=\"3501\"}");
    let texts = [
        "",
        "garbage",
        "[]",
        "\u{0}",
        "{\"id\":1",
        "{\"id\":-1,\"connect\":{}}",
        "{\"id\":1,\"connect\":[]}",
        // First frames that aren't connect.
        "{}",
        "{\"id\":1,\"ping\":{}}",
        "{\"id\":1,\"publish\":{\"channel\":\"chat:1\",\"data\":{}}}",
        "{\"id\":1,\"subscribe\":{\"channel\":\"chat:1\"}}",
        "{\"id\":1,\"rpc\":{\"method\":\"x\"}}",
        // Nobody may be anonymous here.
        "{\"id\":1,\"connect\":{}}",
    ];
    for text in texts {
        check(
            &rig.listen(),
            "",
            text,
            &masked(0x81, text.as_bytes()),
            3501,
        );
    }
    let deep = "[".repeat(60_000);
    check(
        &rig.listen(),
        "",
        "60,000 brackets",
        &masked(0x81, deep.as_bytes()),
        3501,
    );
    let protobuf: [&[u8]; 5] = [
        b"",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\x0f",
        b"\x05\x08\x01",
        b"\x02\xff\xff",
    ];
    for message in protobuf {
        let bytes = masked(0x82, message);
        check(
            &rig.listen(),
            "?cf_protocol=protobuf",
            &format!("{message:?}"),
            &bytes,
            3501,
        );
    }
    let count = (texts.len() + 1 + protobuf.len()) as u64;
    let closes = metric(&rig.edge, "trunkline_edge_closes_total{code=\"3501\"}");
    assert_eq!(closes - before, count);
    rig.goes_on();
}

#[test]
fn wrong_tokens_are_not_let_in() {
    let rig = Rig::start();
    let good = token(&json!({ "sub": "ada" }), SECRET);
    let (start, signature) = good.rsplit_once('.').expect("three parts");
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.";
    let wrong = [
        "garbage".to_owned(),
        "..".to_owned(),
        unsigned.to_owned(),
        start.to_owned(),
        format!("{start}.{}", signature.chars().rev().collect::<String>()),
        token(&json!({ "sub": "ada" }), "another secret"),
        token(&json!({ "sub": ["ada"] }), SECRET),
        token(&json!({ "sub": "ada", "channel": "chat:1" }), SECRET),
        token(&json!({ "sub": "ada", "info": "x".repeat(5000) }), SECRET),
    ];
    for token in &wrong {
        let bytes = masked(0x81, connect(token).as_bytes());
        check(&rig.listen(), "", token, &bytes, 3500);
    }
    let mut late = RawSocket::open(&rig.listen(), "");
    late.say(&connect(&token(&json!({ "sub": "ada", "exp": 1 }), SECRET)));
    assert!(late.text().contains("\"code\":109"));
    late.say("{\"id\":2,\"subscribe\":{\"channel\":\"chat:1\"}}");
    assert_eq!(late.closed().0, 3501);
    let closes = metric(&rig.edge, "trunkline_edge_closes_total{code=\"3500\"}");
    assert_eq!(closes, wrong.len() as u64);
    rig.goes_on();
}

#[test]
fn channels_that_are_not_there_are_errors_and_the_connection_lives() {
    let rig = Rig::start();
    let (mut socket, _) = connected(&rig.listen());
    let mut number = 1;
    let mut check = |channel: &str, code: u32| {
        number += 1;
        let command = json!({ "id": number, "subscribe": { "channel": channel } });
        socket.say(&command.to_string());
        let reply: Value = serde_json::from_str(&socket.text()).expect("JSON");
        assert_eq!(
            (&reply["id"], &reply["error"]["code"]),
            (&json!(number), &json!(code)),
            "{channel:?}: {reply}"
        );
    };
    check("nowhere:1", 102);
    check("without a namespace", 102);
    check("chat:\u{e9}", 107);
    check(&format!("chat:{}", "x".repeat(251)), 107);
    socket.say("{\"id\":99,\"subscribe\":{\"channel\":\"chat:1\"}}");
    assert!(socket.text().contains("\"subscribe\""));
    rig.goes_on();
}

#[test]
fn a_connection_that_breaks_the_protocol_later_ends_with_its_code() {
    let rig = Rig::start();
    let check = |what: &str, text: &str, code: u16| {
        let (mut socket, _) = connected(&rig.listen());
        socket.say(text);
        assert_eq!(socket.closed().0, code, "{what}");
    };
    check("a second connect", &connect(""), 3501);
    check("a pong without a ping", "{}", 3501);
    check("no channel", "{\"id\":2,\"subscribe\":{}}", 3501);
    let foreign = token(&json!({ "sub": "bob", "channel": "chat:1" }), SECRET);
    let command = json!({ "id": 2, "subscribe": { "channel": "chat:1", "token": foreign } });
    check("another's subscription token", &command.to_string(), 3500);
    let (mut socket, _) = connected(&rig.listen());
    let command = json!({ "id": 2, "subscribe": { "channel": "chat:1", "token": "garbage" } });
    socket.say(&command.to_string());
    assert!(
        socket.text().contains("\"code\":103"),
        "an invalid subscription token is an error"
    );
    rig.goes_on();
}

/// Sends fragments that carry nothing, so that no limit of bytes ends them, until the edge closes; returns its code.
fn fragment_forever(socket: &mut RawSocket) -> u16 {
    socket.send_frame(0x01, b"");
    let some = [masked(0x00, b"").repeat(100), masked(0x89, b"")].concat();
    loop {
        socket.send(&some);
        // A pong shows that the edge has read them; it may send the client protocol's ping before.
        match socket.frame().expect("a Close frame comes first") {
            (0x88, payload) => return u16::from_be_bytes([payload[0], payload[1]]),
            (0x8a | 0x81, _) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_message_fragmented_forever_ends_with_its_connection() {
    let rig = Rig::start_impatient();
    let before = most_resident_kib(rig.edge.id());
    let mut stranger = RawSocket::open(&rig.listen(), "");
    assert_eq!(fragment_forever(&mut stranger), 3502);
    let (mut client, _) = connected(&rig.listen());
    assert_eq!(fragment_forever(&mut client), 3012);
    let after = most_resident_kib(rig.edge.id());
    assert!(
        after < before + (16 << 10),
        "{before} KiB, then {after} KiB"
    );
    rig.goes_on();
}

/// The most that a process ever had: what is let go at a connection's end counts too.
fn most_resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number
        .expect("Linux says it")
        .trim()
        .parse()
        .expect("a number")
}
