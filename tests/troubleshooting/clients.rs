//! Clients and callers of the API that an edge turns away.

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use crate::harness::raw_socket::RawSocket;
use crate::stage::{Running, Stage};

const SECRET: &str = "secret";

/// Connections beyond the open files that any system allows a process (Linux: fs.nr_open, less than 2³¹).
const MORE_THAN_FILES: u64 = 1 << 40;

/// Plays every case; returns the edge's log.
pub(crate) fn provoke() -> String {
    let stage = Stage::new();
    let node = stage.start("backbone", "backbone-1", &node(&stage));
    let link = node.address("link");
    let edge = stage.start("edge", "edge-1", &edge(&stage, &link));
    let listen = edge.address("listen");
    requests(&edge, &listen);
    connects(&edge, &listen);
    commands(&edge, &listen);
    calls(&edge, &listen);
    edge.log()
}

fn node(stage: &Stage) -> String {
    let ip = stage.ip;
    format!(
        "{}[backbone]\nlisten = \"{ip}:0\"\n[admin]\nlisten = \"{ip}:0\"\n[[namespace]]\nname = \"chat\"\n[[namespace]]\nname = \"\"\n",
        Stage::link("backbone-1")
    )
}

fn edge(stage: &Stage, link: &str) -> String {
    let ip = stage.ip;
    format!(
        "{}[edge]\nlisten = \"{ip}:0\"\nbackbones = [\"{link}\"]\nconnection_limit = {MORE_THAN_FILES}\n\
         [admin]\nlisten = \"{ip}:0\"\n\
         [client.token]\nhmac_secret_key = \"{SECRET}\"\n[api]\nkey = \"key\"\n",
        Stage::link("edge-1")
    )
}

fn requests(edge: &Running, listen: &str) {
    for (path, header) in [
        (
            "/connection/websocket",
            "Origin: https://app.example.com\r\n",
        ),
        ("/connection/websocket", ""),
    ] {
        let mut client = RawSocket::connect(listen);
        client.send(format!("GET {path} HTTP/1.1\r\nHost: {listen}\r\n{header}\r\n").as_bytes());
        client.response_head();
    }
    edge.says("client.allowed_origins");
    edge.says("no WebSocket handshake");
    let mut client = RawSocket::open(listen, "");
    client.send_frame(0x81, &vec![b' '; 70_000]);
    edge.says("closed with 1009");
}

fn connects(edge: &Running, listen: &str) {
    let expired = token(SECRET, 1);
    for (token, says) in [
        ("", "refused with 3501"),
        (&*token("another", 1), "refused with 3500"),
        (&*expired, "refused with 109"),
    ] {
        let mut client = RawSocket::open(listen, "");
        client.say(&json!({"id": 1, "connect": {"token": token}}).to_string());
        edge.says(says);
    }
}

fn commands(edge: &Running, listen: &str) {
    let mut client = RawSocket::open(listen, "");
    let token = token(SECRET, 4_000_000_000);
    client.say(&json!({"id": 1, "connect": {"token": token}}).to_string());
    client.text();
    client.say(&json!({"id": 2, "subscribe": {"channel": "chatt:lobby"}}).to_string());
    client.say(&json!({"id": 3, "subscribe": {"channel": "chat:lobby"}}).to_string());
    client.say(&json!({"id": 4, "subscribe": {"channel": "#bob"}}).to_string());
    client.say(&json!({"id": 5, "subscribe": {"channel": "$chat:lobby"}}).to_string());
    let foreign = json!({"channel": "chat:lobby", "token": "x"});
    client.say(&json!({"id": 6, "subscribe": foreign}).to_string());
    client.say(&json!({"id": 7, "sub_refresh": foreign}).to_string());
    edge.says("refused with 102");
    for why in [
        "the namespace doesn't allow it",
        "it is for other users",
        "needs a subscription token",
        "the subscription token is malformed",
        "to be refreshed that isn't there",
    ] {
        edge.says(why);
    }
}

fn calls(edge: &Running, listen: &str) {
    let url = format!("http://{listen}/api/publish");
    let refused = ureq::post(&url).send("{}").expect_err("no key");
    assert!(matches!(refused, ureq::Error::StatusCode(401)), "{refused}");
    edge.says("refused with 401");
    let form = ureq::post(&url)
        .header("X-API-Key", "key")
        .send("channel=chat:1");
    assert!(matches!(form, Err(ureq::Error::StatusCode(400))));
    edge.says("refused with 400: its body");
}

fn token(secret: &str, exp: u64) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::default(), &json!({"sub": "ann", "exp": exp}), &key).expect("claims")
}
