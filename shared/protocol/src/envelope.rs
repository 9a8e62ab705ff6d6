//! Writing an envelope with exactly one message in it, in either encoding, from one table.
//!
//! Commands, replies and pushes differ in the names and numbers of their fields only. Each has one
//! `match` that says which message goes by which name and number; the writers here do the rest,
//! without building the envelope of the wire first.

use prost::encoding::encoded_len_varint;
use prost::encoding::{WireType, encode_key, encode_varint, key_len, message, uint32};
use serde::Serialize;

use crate::{EncodeError, Encoding};

/// Number of `id` in commands and replies.
const ID: u32 = 1;
/// Number of `push` in a reply.
const PUSH: u32 = 4;
/// Number of `channel` in a push.
const CHANNEL: u32 = 2;

/// Takes the one message of an envelope, with the name and number of its field.
pub(crate) trait WriteMessage {
    fn message<M>(self, name: &'static str, number: u32, value: &M) -> Result<(), EncodeError>
    where
        M: prost::Message + Serialize;
}

/// Writes a command or a reply: an id, where there is one, and a message.
pub(crate) struct Numbered<'a> {
    pub(crate) encoding: Encoding,
    pub(crate) id: u32,
    pub(crate) out: &'a mut Vec<u8>,
}

impl WriteMessage for Numbered<'_> {
    fn message<M>(self, name: &'static str, number: u32, value: &M) -> Result<(), EncodeError>
    where
        M: prost::Message + Serialize,
    {
        match self.encoding {
            Encoding::Json => json_numbered(self.out, self.id, name, value),
            Encoding::Protobuf => {
                protobuf_numbered(self.out, self.id, number, value);
                Ok(())
            }
        }
    }
}

fn json_numbered<M: Serialize>(
    out: &mut Vec<u8>,
    id: u32,
    name: &str,
    value: &M,
) -> Result<(), EncodeError> {
    out.push(b'{');
    if id != 0 {
        json_key(out, "id");
        json_value(out, &id)?;
        out.push(b',');
    }
    json_key(out, name);
    json_value(out, value)?;
    out.push(b'}');
    Ok(())
}

fn protobuf_numbered<M: prost::Message>(out: &mut Vec<u8>, id: u32, number: u32, value: &M) {
    let id_len = if id == 0 {
        0
    } else {
        uint32::encoded_len(ID, &id)
    };
    encode_varint((id_len + message::encoded_len(number, value)) as u64, out);
    if id != 0 {
        uint32::encode(ID, &id, out);
    }
    message::encode(number, value, out);
}

/// Writes a reply that holds a push: a channel, where there is one, and a message.
pub(crate) struct Pushed<'a> {
    pub(crate) encoding: Encoding,
    pub(crate) channel: &'a str,
    pub(crate) out: &'a mut Vec<u8>,
}

impl WriteMessage for Pushed<'_> {
    fn message<M>(self, name: &'static str, number: u32, value: &M) -> Result<(), EncodeError>
    where
        M: prost::Message + Serialize,
    {
        match self.encoding {
            Encoding::Json => json_pushed(self.out, self.channel, name, value),
            Encoding::Protobuf => {
                protobuf_pushed(self.out, self.channel, number, value);
                Ok(())
            }
        }
    }
}

fn json_pushed<M: Serialize>(
    out: &mut Vec<u8>,
    channel: &str,
    name: &str,
    value: &M,
) -> Result<(), EncodeError> {
    out.push(b'{');
    json_key(out, "push");
    out.push(b'{');
    if !channel.is_empty() {
        json_key(out, "channel");
        json_value(out, channel)?;
        out.push(b',');
    }
    json_key(out, name);
    json_value(out, value)?;
    out.extend_from_slice(b"}}");
    Ok(())
}

fn protobuf_pushed<M: prost::Message>(out: &mut Vec<u8>, channel: &str, number: u32, value: &M) {
    let push_len = string_len(CHANNEL, channel) + message::encoded_len(number, value);
    let reply_len = key_len(PUSH) + encoded_len_varint(push_len as u64) + push_len;
    encode_varint(reply_len as u64, out);
    encode_key(PUSH, WireType::LengthDelimited, out);
    encode_varint(push_len as u64, out);
    write_string(CHANNEL, channel, out);
    message::encode(number, value, out);
}

fn string_len(number: u32, value: &str) -> usize {
    match value.len() {
        0 => 0,
        len => key_len(number) + encoded_len_varint(len as u64) + len,
    }
}

fn write_string(number: u32, value: &str, out: &mut Vec<u8>) {
    if !value.is_empty() {
        encode_key(number, WireType::LengthDelimited, out);
        encode_varint(value.len() as u64, out);
        out.extend_from_slice(value.as_bytes());
    }
}

fn json_key(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// The only thing that can fail is a payload, see [`crate::json::raw`].
fn json_value<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), EncodeError> {
    serde_json::to_writer(out, value).map_err(|_| EncodeError::NotJson)
}
