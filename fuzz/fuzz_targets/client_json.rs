//! Frames of clients, JSON.
#![no_main]

#[path = "../checks/client.rs"]
mod client;

use libfuzzer_sys::fuzz_target;
use trunkline_protocol::Encoding;

fuzz_target!(|input: &[u8]| client::check(Encoding::Json, input));
