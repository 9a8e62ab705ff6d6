//! What holds for whatever body is sent to the server API: an answer of the API.

use trunkline_edge::fuzzing::ApiUnderTest;

const METHODS: [&str; 6] = [
    "publish",
    "broadcast",
    "history",
    "presence",
    "presence_stats",
    "info",
];

/// Calls the method that the first byte names, `0` to `5`, with the rest.
pub(crate) fn check(api: &ApiUnderTest, input: &[u8]) {
    let Some((method, body)) = input.split_first() else {
        return;
    };
    let (status, answer) = api.call(METHODS[usize::from(*method) % METHODS.len()], body);
    match status {
        200 => {
            let answer: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
            assert!(
                answer["result"].is_object() != answer["error"].is_object(),
                "{answer}"
            );
        }
        400 => {}
        413 => assert!(body.len() > 1 << 20),
        other => panic!("status {other}"),
    }
}
