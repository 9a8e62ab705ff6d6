//! Both encodings as JSON values, so that a row says once what it sends and what it expects.
//!
//! What a JSON client gets is compared as it stands on the wire. What a Protobuf client gets is decoded by the codec and
//! written as the JSON that a JSON client would have got: the two must be equal.

use bytes::Bytes;
use serde_json::Value;
use trunkline_protocol::client::{ServerMessage, decode_messages, encode_commands};
use trunkline_protocol::{Encoding, decode_commands, encode_push, encode_reply};

/// Commands as one WebSocket message.
pub(super) fn encode(encoding: Encoding, commands: &[Value]) -> Vec<u8> {
    let lines: Vec<String> = commands.iter().map(Value::to_string).collect();
    let json = lines.join("\n").into_bytes();
    match encoding {
        Encoding::Json => json,
        Encoding::Protobuf => {
            let commands = decode_commands(Encoding::Json, &json.into());
            let commands: Vec<_> = commands.map(|one| one.expect("a command")).collect();
            encode_commands(encoding, &commands).expect("JSON payloads")
        }
    }
}

/// What a server sent in one message; a ping is `{}`.
///
/// # Panics
/// On anything that isn't the protocol.
pub(super) fn decode(encoding: Encoding, message: &Bytes) -> Vec<Value> {
    match encoding {
        Encoding::Json => {
            let text = std::str::from_utf8(message).expect("text is UTF-8");
            let lines = text.split('\n');
            lines
                .map(|line| serde_json::from_str(line).expect("each line is one JSON value"))
                .collect()
        }
        Encoding::Protobuf => decode_messages(encoding, message)
            .map(|one| as_json(one.expect("Protobuf")))
            .collect(),
    }
}

fn as_json(message: ServerMessage) -> Value {
    let mut json = Vec::new();
    match message {
        ServerMessage::Reply(reply) => {
            encode_reply(Encoding::Json, &reply, &mut json).expect("JSON payloads");
        }
        ServerMessage::Push { channel, push } => {
            let push = encode_push(Encoding::Json, &channel, &push);
            json.extend_from_slice(&push.expect("JSON payloads"));
        }
        ServerMessage::Ping => json.extend_from_slice(Encoding::Json.ping()),
        ServerMessage::Unknown { id } => panic!("something unknown answers {id}"),
    }
    serde_json::from_slice(&json).expect("JSON")
}
