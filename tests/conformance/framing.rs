//! Group F: how messages share a frame, and how the server closes.

use serde_json::{Value, json};
use trunkline_protocol::Encoding;

use super::api::Api;
use super::checks::error;
use super::client::Client;
use super::mesh::Edge;
use super::token;

/// Two commands of which the second needs the first to be done.
fn connect_and_subscribe(channel: &str) -> [Value; 2] {
    [
        json!({ "id": 1, "connect": {} }),
        json!({ "id": 2, "subscribe": { "channel": channel } }),
    ]
}

/// The two replies are there, in this order.
fn expect_connected_and_subscribed(client: &mut Client) {
    let connected = client.reply(1);
    assert!(connected["connect"]["client"].is_string(), "{connected}");
    assert_eq!(client.reply(2), json!({ "subscribe": {} }));
}

#[test]
fn f_01_connect_and_subscribe_of_one_message_are_answered_in_order() {
    for encoding in Encoding::ALL {
        let mut client = Client::open(Edge::Fast, encoding);
        client.send(&connect_and_subscribe(&format!("plain:f-01-{encoding:?}")));
        expect_connected_and_subscribed(&mut client);
    }
}

#[test]
fn f_02_a_newline_at_the_end_changes_nothing() {
    let mut client = Client::open(Edge::Fast, Encoding::Json);
    let [connect, subscribe] = connect_and_subscribe("plain:f-02");
    let message = format!("{connect}\n{subscribe}\n");
    client.socket.send_message(message.as_bytes());
    expect_connected_and_subscribed(&mut client);
}

#[test]
fn f_05_newlines_between_tokens_of_a_payload_reach_no_client() {
    let mut client = Client::anonymous(Encoding::Json);
    client.ask(json!({ "subscribe": { "channel": "plain:f-05" } }));
    let body = "{\"channel\":\"plain:f-05\",\"data\":{\n\"a\":1,\r\n\n\"b\":\"x\\ny\"\n}}";
    let answer = Api::of(Edge::Fast).call_raw("publish", body);
    assert_eq!(answer, json!({ "result": {} }));
    // The client takes each line for a message: a raw newline would have made several of it.
    let data = json!({ "a": 1, "b": "x\ny" });
    assert_eq!(
        client.push("plain:f-05"),
        json!({ "pub": { "data": data } })
    );
    client.expect_silence();
}

/// A client, and what it does to be closed with a code and a reason.
fn provoke(code: u16) -> (Client, &'static str) {
    let connected = || Client::anonymous(Encoding::Json);
    match code {
        1009 => {
            let client = connected();
            client.socket.send_message(&vec![b'x'; 1 << 17]);
            (client, "message too big")
        }
        3005 => {
            let mut client = Client::open(Edge::Fast, Encoding::Json);
            let token = token::signed(&json!({ "sub": "42", "exp": token::now() + 2 }));
            client.connect(&json!({ "token": token }));
            (client, "connection expired")
        }
        3012 => {
            let mut client = Client::open_silent(Edge::Fast, Encoding::Json);
            client.connect(&json!({}));
            (client, "no pong")
        }
        3500 => {
            let mut client = Client::open(Edge::Fast, Encoding::Json);
            client.begin(json!({ "connect": { "token": "nonsense" } }));
            (client, "invalid token")
        }
        3501 => {
            let client = connected();
            client.socket.send_message(b"nonsense");
            (client, "bad request")
        }
        3502 => (Client::open(Edge::Fast, Encoding::Json), "stale"),
        3506 => {
            let mut client = connected();
            client.ask(json!({ "subscribe": { "channel": "plain:f-07" } }));
            let body = json!({ "channel": "plain:f-07", "b64data": "/w==" });
            Api::of(Edge::Fast).call("publish", &body);
            (client, "inappropriate protocol")
        }
        3508 => {
            let client = connected();
            client.send(&[json!({ "send": { "data": {} } })]);
            (client, "not available")
        }
        other => panic!("nobody knows how to provoke {other}"),
    }
}

#[test]
fn f_07_every_close_has_a_known_code_and_a_reason_that_sdks_heed() {
    let codes = [1009, 3005, 3012, 3500, 3501, 3502, 3506, 3508];
    // All at once: some take seconds.
    let provoked = codes.map(|code| (code, provoke(code)));
    for (code, (mut client, reason)) in provoked {
        client.expect_close(code, reason);
    }
}

#[test]
fn f_09_unknown_fields_and_flag_bits_are_ignored_in_json() {
    let mut client = Client::open(Edge::Fast, Encoding::Json);
    let unknown = json!({ "deep": [{}] });
    let connect = json!({ "connect": { "flag": 1_u64 << 62, "new": unknown }, "new": unknown });
    assert!(client.ask(connect)["connect"]["client"].is_string());
    let subscribe = json!({ "channel": "plain:f-09", "flag": i64::MAX, "new": unknown });
    let reply = client.ask(json!({ "subscribe": subscribe, "new": unknown }));
    assert_eq!(reply, json!({ "subscribe": {} }));
}

#[test]
fn f_09_unknown_fields_and_flag_bits_are_ignored_in_protobuf() {
    /// Field 100, a text of three bytes.
    const UNKNOWN: &[u8] = b"\xa2\x06\x03new";
    /// Bit 62 and more, as a varint.
    const FLAGS: &[u8] = b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
    let mut client = Client::open(Edge::Fast, Encoding::Protobuf);
    // Command {id: 1, connect: {flag}}.
    let connect = message(0x22, &[b"\x38", FLAGS, UNKNOWN].concat());
    let command = [b"\x08\x01", connect.as_slice(), UNKNOWN].concat();
    client.socket.send_message(&delimited(&command));
    assert!(client.reply(1)["connect"]["client"].is_string());
    // Command {id: 2, subscribe: {channel, flag}}.
    let channel = message(0x0a, b"plain:f-09-p");
    let subscribe = message(
        0x2a,
        &[&channel, b"\x70".as_slice(), FLAGS, UNKNOWN].concat(),
    );
    let command = [b"\x08\x02", subscribe.as_slice(), UNKNOWN].concat();
    client.socket.send_message(&delimited(&command));
    assert_eq!(client.reply(2), json!({ "subscribe": {} }));
    let second = client.ask_as(3, json!({ "subscribe": { "channel": "plain:f-09-p" } }));
    assert_eq!(second, error(105, "already subscribed"));
}

fn message(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag], delimited(bytes).as_slice()].concat()
}

fn delimited(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("short");
    assert!(length < 128, "one byte of length");
    [&[length], bytes].concat()
}
