//! Clients that come by TLS, over real processes.

mod harness;

use std::path::Path;
use std::process::Stdio;

use harness::papers::{link_section, make_certificates};
use harness::trunkline;

/// An edge's configuration with what `[edge.tls]` says.
fn edge_config(dir: &Path, certificate: &str, key: &str) -> String {
    let files = dir.display();
    let link = link_section(dir, "edge-1", "");
    format!(
        "[edge]\nlisten = \"127.0.0.1:0\"\n[edge.tls]\ncertificate_file = \"{files}/{certificate}\"\nkey_file = \"{files}/{key}\"\n\
         [client]\nallow_anonymous_connect_without_token = true\n[admin]\nlisten = \"127.0.0.1:0\"\n{link}"
    )
}

#[track_caller]
fn check_refused(certificate: &str, key: &str, expected: &[&str]) {
    let dir = tempfile::tempdir().expect("a directory");
    make_certificates(dir.path(), &[], &["eu-west/edge-1", "eu-west/edge-2"]);
    let (config, ready) = (dir.path().join("edge.toml"), dir.path().join("ready.json"));
    std::fs::write(&config, edge_config(dir.path(), certificate, key)).expect("written");
    let output = trunkline()
        .args(["edge", "--exit-with-parent", "--config"])
        .arg(config)
        .arg("--ready-file")
        .arg(&ready)
        .stderr(Stdio::piped())
        .output()
        .expect("trunkline starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for part in expected {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!ready.exists(), "it is never ready");
}

#[test]
fn files_that_do_not_belong_together_end_an_edge_with_exit_code_2_naming_both() {
    let expected = [
        "edge.tls.certificate_file",
        "/edge-1.pem",
        "edge.tls.key_file",
        "/edge-2.key",
    ];
    check_refused("edge-1.pem", "edge-2.key", &expected);
}

#[test]
fn a_file_that_is_not_there_ends_an_edge_with_exit_code_2_naming_it() {
    let expected = ["edge.tls.key_file", "/nowhere.key: No such file"];
    check_refused("edge-1.pem", "nowhere.key", &expected);
}
