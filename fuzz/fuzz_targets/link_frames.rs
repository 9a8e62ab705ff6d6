//! See `checks/link_frames.rs`.
#![no_main]

#[path = "../checks/link_frames.rs"]
mod link_frames;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| link_frames::check(input));
