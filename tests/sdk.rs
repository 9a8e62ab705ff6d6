//! The SDKs that people already have, unmodified, against a mesh of real processes: npm's `centrifuge`, PyPI's
//! `centrifuge-python` and `cent`.
//!
//! A scenario is one script per language in `tests/sdk`, which plays the application and checks what the SDK tells it;
//! the test beside it plays the world: processes, cuts, publishers elsewhere.

mod harness;

use std::path::Path;

use harness::Mesh;
use harness::again::section;
use harness::proxy::Proxy;
use harness::tools::Script;
use harness::tools::javascript::node_trusting;
use harness::tools::python::{python, python_trusting};
use serde_json::json;
use toml::Table;

/// An SDK for clients, in one of its encodings.
#[derive(Clone, Copy)]
enum Sdk {
    JavaScript(&'static str),
    Python(&'static str),
}

impl Sdk {
    /// Starts its script of a scenario; `None` where the language is missing.
    fn start(self, scenario: &str, arguments: &[&str]) -> Option<Script> {
        self.start_trusting(None, scenario, arguments)
    }

    /// As [`Self::start`], where TLS trusts an authority of ours.
    fn start_trusting(
        self,
        authority: Option<&Path>,
        scenario: &str,
        arguments: &[&str],
    ) -> Option<Script> {
        match self {
            Self::JavaScript(encoding) => node_trusting(
                authority,
                &format!("{scenario}.mjs"),
                &[&[encoding], arguments].concat(),
            ),
            Self::Python(encoding) => python_trusting(
                authority,
                &format!("{scenario}.py"),
                &[&[encoding], arguments].concat(),
            ),
        }
    }
}

/// A test of each SDK and encoding for each scenario.
macro_rules! with_each_sdk {
    ($($scenario:ident),+ $(,)?) => {
        with_each_sdk!(in javascript_json as Sdk::JavaScript("json"), $($scenario)+);
        with_each_sdk!(in javascript_protobuf as Sdk::JavaScript("protobuf"), $($scenario)+);
        with_each_sdk!(in python_json as Sdk::Python("json"), $($scenario)+);
        with_each_sdk!(in python_protobuf as Sdk::Python("protobuf"), $($scenario)+);
    };
    (in $module:ident as $sdk:expr, $($scenario:ident)+) => {
        mod $module {
            use super::Sdk;
            $(#[test]
            fn $scenario() {
                super::$scenario($sdk);
            })+
        }
    };
}

with_each_sdk!(
    a_thousand_messages_cross_regions_in_order,
    messages_cross_regions_over_tls,
    a_client_resumes_after_each_cut_without_loss,
    a_channel_offers_what_the_sdk_asks_for,
    options_are_granted_left_out_or_refused,
    tokens_let_in_end_and_are_refreshed,
    a_restarted_node_ends_the_epoch_of_buffered_channels_only,
);

fn a_thousand_messages_cross_regions_in_order(sdk: Sdk) {
    messages_cross_regions(sdk, &Mesh::start(), None);
}

fn messages_cross_regions_over_tls(sdk: Sdk) {
    let mesh = Mesh::start_with(&["--tls", "--wan", "none"]);
    let authority = mesh.dir().join("certs/ca.pem");
    messages_cross_regions(sdk, &mesh, Some(&authority));
}

fn messages_cross_regions(sdk: Sdk, mesh: &Mesh, authority: Option<&Path>) {
    const MESSAGES: usize = 1000;
    let (near, far) = (
        mesh.websocket("edge-ap-south"),
        mesh.websocket("edge-eu-west"),
    );
    let arguments = [&near, &far, "chat:across", &MESSAGES.to_string()];
    let Some(mut script) = sdk.start_trusting(authority, "across", &arguments) else {
        return;
    };
    let done = script.expect("done");
    assert_eq!(done["done"], MESSAGES);
    assert_eq!(done["last"], MESSAGES, "a new channel begins at offset 1");
    assert_eq!(done["recoverable"], true);
}

fn a_client_resumes_after_each_cut_without_loss(sdk: Sdk) {
    const CUTS: usize = 5;
    const BETWEEN: usize = 40;
    const TOTAL: usize = (CUTS + 1) * BETWEEN;
    let mesh = Mesh::start();
    let proxy = Proxy::start(&mesh.address("edge-ap-south", "listen"));
    let url = format!("ws://{}/connection/websocket", proxy.address());
    let arguments = [&url, "chat:resume", &TOTAL.to_string()];
    let Some(mut script) = sdk.start("resume", &arguments) else {
        return;
    };
    script.expect("subscribed");
    let mut sequence = 0;
    let mut publish = |count: usize| {
        for _ in 0..count {
            sequence += 1;
            let body = json!({ "channel": "chat:resume", "data": { "sequence": sequence } });
            let answer = mesh.api("edge-eu-west", "publish", &body);
            assert_eq!(answer["result"]["offset"], sequence, "{answer}");
        }
    };
    publish(BETWEEN);
    for cut in 1..=CUTS {
        assert!(proxy.cut() > 0, "there was a connection to cut");
        publish(BETWEEN);
        assert_eq!(script.expect("resumed")["resumed"], cut);
    }
    assert_eq!(script.expect("done")["done"], TOTAL);
}

/// Two clients at two edges play a script between them.
fn plays_at_two_edges(sdk: Sdk, scenario: &str) {
    let mesh = Mesh::start();
    let (near, far) = (
        mesh.websocket("edge-ap-south"),
        mesh.websocket("edge-eu-west"),
    );
    if let Some(mut script) = sdk.start(scenario, &[&near, &far]) {
        script.expect("done");
    }
}

fn a_channel_offers_what_the_sdk_asks_for(sdk: Sdk) {
    plays_at_two_edges(sdk, "channel");
}

fn options_are_granted_left_out_or_refused(sdk: Sdk) {
    plays_at_two_edges(sdk, "options");
}

/// An edge at which what takes minutes takes seconds: while the tokens live, an edge that missed a pong would say so.
fn in_a_hurry(config: &mut Table) {
    let client = section(config, "client");
    for (key, value) in [
        ("ping_interval", "2s"),
        ("pong_timeout", "1500ms"),
        ("expired_close_delay", "2s"),
        ("expired_sub_close_delay", "2s"),
        ("presence_update_interval", "1s"),
    ] {
        client.insert(key.to_owned(), value.into());
    }
}

fn tokens_let_in_end_and_are_refreshed(sdk: Sdk) {
    let mesh = Mesh::start();
    let edge = mesh.again("edge-ap-south", in_a_hurry);
    let url = format!("ws://{}/connection/websocket", edge.address("listen"));
    if let Some(mut script) = sdk.start("tokens", &[&url]) {
        script.expect("done");
    }
}

fn a_restarted_node_ends_the_epoch_of_buffered_channels_only(sdk: Sdk) {
    let mesh = Mesh::start();
    let url = mesh.websocket("edge-ap-south");
    let Some(mut script) = sdk.start("epoch", &[&url]) else {
        return;
    };
    script.expect("subscribed");
    let _node = mesh.again("backbone-1", |_| {});
    script.expect("done");
}

/// What `cent` offers, "sync" or "async".
fn the_server_api_is_what_cent_expects(mode: &str) {
    let mesh = Mesh::start();
    let api = format!("http://{}/api", mesh.address("edge-eu-west", "listen"));
    let far = mesh.websocket("edge-ap-south");
    if let Some(mut script) = python("cent_api.py", &[mode, &api, &far]) {
        script.expect("done");
    }
}

#[test]
fn the_server_api_is_what_cent_expects_when_it_waits() {
    the_server_api_is_what_cent_expects("sync");
}

#[test]
fn the_server_api_is_what_cent_expects_when_it_awaits() {
    the_server_api_is_what_cent_expects("async");
}
