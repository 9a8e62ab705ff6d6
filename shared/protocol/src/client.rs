//! The client's side of the protocol: writes commands, reads what a server sends.
//!
//! For the load driver, the command line and tests. An edge never uses it.

use bytes::Bytes;
use prost::Message;

use crate::decode::Items;
use crate::envelope::Numbered;
use crate::message::wire;
use crate::{Command, DecodeError, EncodeError, Encoding, Push, Reply, ReplyBody};

/// Appends one command to `out` as one item: no separator, with its length in Protobuf.
///
/// # Errors
/// [`EncodeError::NotJson`] where a payload isn't JSON; `out` is then as it was.
pub fn encode_command(
    encoding: Encoding,
    command: &Command,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let kept = out.len();
    let written = command.request.write(Numbered {
        encoding,
        id: command.id,
        out: &mut *out,
    });
    match written {
        Ok(true) => Ok(()),
        Ok(false) => {
            write_id_alone(encoding, command.id, out);
            Ok(())
        }
        Err(error) => {
            out.truncate(kept);
            Err(error)
        }
    }
}

/// Encodes a frame of commands; none make an empty frame, which servers refuse.
///
/// # Errors
/// [`EncodeError::NotJson`] where a payload isn't JSON.
pub fn encode_commands(encoding: Encoding, commands: &[Command]) -> Result<Vec<u8>, EncodeError> {
    let mut frame = Vec::new();
    for command in commands {
        if !frame.is_empty() {
            frame.extend_from_slice(encoding.separator());
        }
        encode_command(encoding, command, &mut frame)?;
    }
    Ok(frame)
}

fn write_id_alone(encoding: Encoding, id: u32, out: &mut Vec<u8>) {
    if id == 0 {
        return out.extend_from_slice(encoding.ping());
    }
    match encoding {
        Encoding::Json => out.extend_from_slice(format!("{{\"id\":{id}}}").as_bytes()),
        Encoding::Protobuf => {
            let command = wire::Command {
                id,
                ..wire::Command::default()
            };
            out.extend_from_slice(&command.encode_length_delimited_to_vec());
        }
    }
}

/// One thing a server sent.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerMessage {
    /// The answer to a command.
    Reply(Reply),
    /// Something unasked.
    Push {
        /// The channel it concerns; empty for none.
        channel: String,
        /// What it is.
        push: Push,
    },
    /// A ping, to be answered with [`Encoding::ping`].
    Ping,
    /// Something of a newer protocol.
    Unknown {
        /// The command it answers; 0 for a push.
        id: u32,
    },
}

/// Decodes what a server sent in one frame.
pub fn decode_messages(encoding: Encoding, frame: &Bytes) -> ServerMessages {
    ServerMessages {
        items: Items::new(encoding, frame),
    }
}

/// The messages of a frame, in order; the first error is the last item.
#[derive(Clone, Debug)]
pub struct ServerMessages {
    items: Items,
}

impl Iterator for ServerMessages {
    type Item = Result<ServerMessage, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let reply = self.items.next_message::<wire::Reply>()?;
        Some(reply.map(ServerMessage::from_wire))
    }
}

impl ServerMessage {
    /// With an id it is a reply, else with a push a push, else a ping: as SDKs decide it.
    fn from_wire(reply: wire::Reply) -> Self {
        let id = reply.id;
        if id != 0 {
            return ReplyBody::from_wire(reply)
                .map_or(Self::Unknown { id }, |body| Self::Reply(Reply { id, body }));
        }
        let Some(push) = reply.push else {
            return Self::Ping;
        };
        Push::from_wire(push).map_or(Self::Unknown { id }, |(channel, push)| Self::Push {
            channel,
            push,
        })
    }
}
