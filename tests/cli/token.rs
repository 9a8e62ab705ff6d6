//! `trunkline token`.

use std::process::Stdio;

use trunkline_edge_core::auth::TokenVerifier;
use trunkline_shared::UnixMillis;

use super::tool::{Ended, command, run};
use crate::harness::Mesh;

/// Any time before the tokens' end: nothing here is about it.
const EARLY: UnixMillis = UnixMillis(0);

fn token(arguments: &[&str]) -> String {
    let output = command(&[&["token"], arguments].concat())
        .env("TRUNKLINE_SECRET", "a secret")
        .stdin(Stdio::null())
        .output();
    let ended = Ended::from(output.expect("trunkline starts"));
    ended.expect_well();
    ended.out.trim_end().to_owned()
}

#[test]
fn a_users_channel_is_open_to_its_token() {
    let mesh = Mesh::start();
    let url = mesh.websocket("edge-ap-south");
    let ended = run(&["token", "--user", "ann", "--secret", "dev"]);
    ended.expect_well();
    let token = ended.out.trim_end();
    run(&["pub", "#ann", "1", "--url", &url, "--token", token]).expect_well();
    let own = ["sub", "#ann", "--since", "0", "--count", "1"];
    let ended = run(&[&own[..], &["--url", &url, "--token", token]].concat());
    ended.expect_well();
    assert_eq!(ended.values()[0]["data"], 1);
}

#[test]
fn an_edge_takes_a_token_for_its_user_and_its_channel() {
    let verifier = TokenVerifier::new("a secret");
    let connection = token(&["--user", "ann", "--ttl", "0"]);
    let verified = verifier.connection(&connection, EARLY).expect("valid");
    assert_eq!((verified.user.as_str(), verified.expire_at), ("ann", None));
    let subscription = token(&["--user", "ann", "--channel", "$chat:1"]);
    let verified = verifier.subscription(&subscription, EARLY).expect("valid");
    assert_eq!(verified.channel, "$chat:1");
    assert!(verifier.connection(&subscription, EARLY).is_err());
}

#[test]
fn the_secret_may_come_from_an_edges_configuration() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("edge.toml");
    let text = "[edge]\nworkers = 1\n[client.token]\nhmac_secret_key = \"kept\"\n";
    std::fs::write(&file, text).expect("the directory can be written");
    let file = file.to_str().expect("a path");
    let ended = run(&["token", "--user", "ann", "--config", file]);
    ended.expect_well();
    let verified = TokenVerifier::new("kept").connection(ended.out.trim_end(), EARLY);
    assert_eq!(verified.expect("valid").user, "ann");
}

#[test]
fn without_a_secret_there_is_no_token() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("edge.toml");
    std::fs::write(&file, "[edge]\n").expect("the directory can be written");
    let file = file.to_str().expect("a path");
    for (arguments, said) in [
        (&[][..], "no secret: set TRUNKLINE_SECRET"),
        (
            &["--config", file],
            "client.token.hmac_secret_key is not set",
        ),
        (&["--config", "/nonexistent"], "/nonexistent: "),
        (&["--secret", ""], "the secret is empty"),
        (&["--secret", "s", "--ttl", "soon"], "invalid value 'soon'"),
    ] {
        run(&[&["token", "--user", "ann"], arguments].concat()).expect(2, said);
    }
}
