//! Bodies of the server API.
#![no_main]

#[path = "../checks/http_api.rs"]
mod http_api;

use libfuzzer_sys::fuzz_target;
use trunkline_edge::fuzzing::ApiUnderTest;

thread_local! {
    static API: ApiUnderTest = ApiUnderTest::new();
}

fuzz_target!(|input: &[u8]| API.with(|api| http_api::check(api, input)));
