//! The codecs seen from outside: fixed frames, round trips, hostile bytes, what SDKs insist on.
#![expect(clippy::unwrap_used, reason = "tests")]

mod frames;
mod hostile;
mod omission;
mod round_trip;
mod strategies;
mod twenty_things;

use bytes::Bytes;
use trunkline_protocol::client::{ServerMessage, decode_messages};
use trunkline_protocol::{
    Command, Encoding, Push, Reply, ReplyBody, decode_commands, encode_push, encode_reply,
};

fn commands(encoding: Encoding, frame: &[u8]) -> Vec<Command> {
    decode_commands(encoding, &Bytes::copy_from_slice(frame))
        .map(Result::unwrap)
        .collect()
}

/// How many commands a frame gives before it ends, and whether it ends with an error.
fn commands_and_error(encoding: Encoding, frame: &[u8]) -> (usize, bool) {
    let decoded: Vec<_> = decode_commands(encoding, &Bytes::copy_from_slice(frame)).collect();
    let good = decoded.iter().filter(|command| command.is_ok()).count();
    (good, decoded.last().is_some_and(Result::is_err))
}

fn messages(encoding: Encoding, frame: &[u8]) -> Vec<ServerMessage> {
    decode_messages(encoding, &Bytes::copy_from_slice(frame))
        .map(Result::unwrap)
        .collect()
}

fn reply_bytes(encoding: Encoding, id: u32, body: ReplyBody) -> Vec<u8> {
    let mut out = Vec::new();
    encode_reply(encoding, &Reply { id, body }, &mut out).unwrap();
    out
}

fn reply_json(id: u32, body: ReplyBody) -> String {
    String::from_utf8(reply_bytes(Encoding::Json, id, body)).unwrap()
}

fn push_json(channel: &str, push: &Push) -> String {
    String::from_utf8(encode_push(Encoding::Json, channel, push).unwrap().to_vec()).unwrap()
}
