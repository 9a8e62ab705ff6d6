//! What holds for whatever a client sends: commands or an error come of it, and commands survive being written again.

use bytes::Bytes;
use trunkline_protocol::client::{decode_messages, encode_commands};
use trunkline_protocol::{
    ClientPayload, Command, Encoding, Request, decode_commands, json_without_newlines,
};

/// Reads one frame in the encoding.
pub(crate) fn check(encoding: Encoding, input: &[u8]) {
    let frame = Bytes::copy_from_slice(input);
    let commands: Vec<Command> = decode_commands(encoding, &frame)
        .map_while(Result::ok)
        .collect();
    for command in &commands {
        again(encoding, command);
        if let Request::Publish(publish) = &command.request {
            payload(&Bytes::copy_from_slice(&publish.data));
        }
    }
    // The same bytes as a client would read them.
    decode_messages(encoding, &frame).for_each(drop);
}

fn again(encoding: Encoding, command: &Command) {
    let written = encode_commands(encoding, std::slice::from_ref(command))
        .expect("it was read in this encoding");
    let read = decode_commands(encoding, &written.into()).next();
    let read = read.expect("one command").expect("it was read before");
    // By their text, in which numbers that aren't numbers are equal.
    assert_eq!(format!("{read:?}"), format!("{command:?}"));
}

fn payload(data: &Bytes) {
    let _ = ClientPayload::classify(data.clone());
    if let Some(line) = json_without_newlines(data) {
        assert!(!line.contains(&b'\n'));
        serde_json::from_slice::<&serde_json::value::RawValue>(&line).expect("still JSON");
    }
}
