//! What one side writes the other side reads, in both encodings.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use trunkline_protocol::client::{ServerMessage, encode_commands};
use trunkline_protocol::{Command, Encoding, Push, Reply, encode_push, encode_reply};

use crate::strategies::{command, push, reply};
use crate::{commands, messages};

fn commands_come_back(encoding: Encoding, sent: &[Command]) {
    let frame = encode_commands(encoding, sent).unwrap();
    assert_eq!(commands(encoding, &frame), sent);
}

fn answers_come_back(encoding: Encoding, replies: Vec<Reply>, pushes: Vec<(String, Push)>) {
    let mut frame = Vec::new();
    let mut sent = Vec::new();
    for reply in replies {
        let mut item = Vec::new();
        encode_reply(encoding, &reply, &mut item).unwrap();
        encoding.append_item(&mut frame, &item);
        sent.push(ServerMessage::Reply(reply));
    }
    for (channel, push) in pushes {
        let item: Bytes = encode_push(encoding, &channel, &push).unwrap();
        encoding.append_item(&mut frame, &item);
        sent.push(ServerMessage::Push { channel, push });
    }
    encoding.append_item(&mut frame, encoding.ping());
    sent.push(ServerMessage::Ping);
    assert_eq!(messages(encoding, &frame), sent);
}

proptest! {
    #[test]
    fn json_commands_come_back(sent in vec(command(Encoding::Json), 1..4)) {
        commands_come_back(Encoding::Json, &sent);
    }

    #[test]
    fn protobuf_commands_come_back(sent in vec(command(Encoding::Protobuf), 1..4)) {
        commands_come_back(Encoding::Protobuf, &sent);
    }

    #[test]
    fn json_replies_and_pushes_come_back(
        replies in vec(reply(Encoding::Json), 0..3),
        pushes in vec(push(Encoding::Json), 0..3),
    ) {
        answers_come_back(Encoding::Json, replies, pushes);
    }

    #[test]
    fn protobuf_replies_and_pushes_come_back(
        replies in vec(reply(Encoding::Protobuf), 0..3),
        pushes in vec(push(Encoding::Protobuf), 0..3),
    ) {
        answers_come_back(Encoding::Protobuf, replies, pushes);
    }
}
