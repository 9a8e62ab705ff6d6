//! What holds for every message and every close, whatever the row.

use serde_json::{Value, json};
use trunkline_protocol::DisconnectCode;

use super::token;
use crate::harness::PATIENCE;

/// Takes out when publications were made, which must have been while this test ran; the reference never says it.
pub(super) fn take_times(message: &mut Value) {
    let single = message.pointer_mut("/push/pub").into_iter();
    single.for_each(take_time);
    for list in ["/subscribe/publications", "/history/publications"] {
        let list = message.pointer_mut(list).and_then(Value::as_array_mut);
        list.into_iter().flatten().for_each(take_time);
    }
}

fn take_time(publication: &mut Value) {
    let time = publication
        .as_object_mut()
        .and_then(|fields| fields.remove("time"));
    let seconds = time.and_then(|time| Some(time.as_u64()? / 1000));
    let now = token::now();
    let recent = now - PATIENCE.as_secs()..=now;
    assert!(
        seconds.is_some_and(|at| recent.contains(&at)),
        "{publication}: {seconds:?}"
    );
}

/// F-07: a code of the protocol or 1009, and a reason that SDKs neither miss nor take for JSON.
pub(super) fn check_close(code: u16, reason: &str) {
    let is_known = DisconnectCode::ALL.iter().any(|one| one.code() == code);
    assert!(is_known || code == 1009, "{code} {reason}");
    assert!((1..=123).contains(&reason.len()), "{code} {reason}");
    assert!(serde_json::from_str::<Value>(reason).is_err(), "{reason}");
}

/// An error reply without its id; error 100 and 111, which are temporary, are none of these.
pub(super) fn error(code: u32, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}
