//! Group D: which command is answered how.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trunkline_protocol::Encoding;

use super::checks::error;
use super::client::Client;

#[test]
fn d_08_an_rpc_of_an_unknown_method_is_error_108() {
    for encoding in Encoding::ALL {
        let mut client = Client::anonymous(encoding);
        for request in [
            json!({ "rpc": { "method": "any", "data": {} } }),
            json!({ "rpc": {} }),
        ] {
            assert_eq!(client.ask(request), error(108, "not available"));
        }
    }
}

#[test]
fn d_09_fifty_commands_of_one_message_are_each_answered_once() {
    for encoding in Encoding::ALL {
        let mut client = Client::anonymous(encoding);
        let (mut commands, mut expected) = (Vec::new(), BTreeMap::new());
        for id in 101..=150_u64 {
            let (mut command, mut reply) = pair(id);
            (command["id"], reply["id"]) = (id.into(), id.into());
            commands.push(command);
            expected.insert(id, reply);
        }
        client.send(&commands);
        let replies = commands.iter().map(|_| client.arrived());
        let replies = replies.map(|reply| (reply["id"].as_u64().expect("a reply"), reply));
        assert_eq!(replies.collect::<BTreeMap<_, _>>(), expected);
        client.expect_silence();
    }
}

/// A command that needs no other, and its reply.
fn pair(number: u64) -> (Value, Value) {
    let channel = format!("plain:d-09-{}", number % 7);
    match number % 3 {
        0 => (json!({ "rpc": {} }), error(108, "not available")),
        1 => {
            let request = json!({ "channel": channel, "data": {} });
            (json!({ "publish": request }), json!({ "publish": {} }))
        }
        _ => {
            let request = json!({ "channel": channel });
            (
                json!({ "unsubscribe": request }),
                json!({ "unsubscribe": {} }),
            )
        }
    }
}
