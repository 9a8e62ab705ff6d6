//! Certificates made, kept and refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn names(paths: &[PathBuf]) -> Vec<String> {
    let name = |path: &PathBuf| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    paths.iter().filter_map(name).collect()
}

#[test]
fn certificates_are_made_once_and_are_private() {
    let dir = tempfile::tempdir().expect("a directory");
    let holders = [
        Holder::backbone("backbone-1").expect("a name"),
        Holder::edge("eu-west/edge-eu-west").expect("a name"),
    ];
    let made = ensure(dir.path(), &holders).expect("certificates");
    let expected = [
        "ca.key",
        "ca.pem",
        "backbone-1.key",
        "backbone-1.pem",
        "edge-eu-west.key",
        "edge-eu-west.pem",
    ];
    assert_eq!(names(&made), expected);
    for path in &made {
        let mode = fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    assert!(
        ensure(dir.path(), &holders)
            .expect("certificates")
            .is_empty()
    );
}

#[test]
fn a_lost_authority_makes_all_certificates_anew() {
    let dir = tempfile::tempdir().expect("a directory");
    let holders = [Holder::backbone("backbone-1").expect("a name")];
    ensure(dir.path(), &holders).expect("certificates");
    fs::remove_file(dir.path().join("ca.pem")).expect("a file");
    assert_eq!(ensure(dir.path(), &holders).expect("certificates").len(), 4);
}

#[test]
fn a_certificate_that_another_authority_signed_is_made_anew() {
    let dir = tempfile::tempdir().expect("a directory");
    let other = tempfile::tempdir().expect("a directory");
    let holders = [Holder::backbone("backbone-1").expect("a name")];
    ensure(dir.path(), &holders).expect("certificates");
    ensure(other.path(), &holders).expect("certificates");
    for file in ["ca.pem", "ca.key"] {
        fs::copy(other.path().join(file), dir.path().join(file)).expect("copied");
    }
    let made = ensure(dir.path(), &holders).expect("certificates");
    assert_eq!(names(&made), ["backbone-1.key", "backbone-1.pem"]);
}

#[test]
fn what_is_refused_leaves_no_new_authority_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let of = |edge: &str| [Holder::edge(edge).expect("a name")];
    ensure(dir.path(), &of("eu-west/edge-1")).expect("certificates");
    fs::remove_file(dir.path().join("ca.key")).expect("a file");
    let authority = fs::read(dir.path().join("ca.pem")).expect("a file");
    ensure(dir.path(), &of("us-east/edge-1")).expect_err("another edge's");
    assert_eq!(
        fs::read(dir.path().join("ca.pem")).expect("a file"),
        authority
    );
}

#[test]
fn a_certificate_of_that_name_for_somebody_else_is_not_kept_in_silence() {
    let dir = tempfile::tempdir().expect("a directory");
    ensure(
        dir.path(),
        &[Holder::edge("eu-west/edge-1").expect("a name")],
    )
    .expect("certificates");
    let error = ensure(
        dir.path(),
        &[Holder::edge("us-east/edge-1").expect("a name")],
    )
    .expect_err("another edge");
    assert!(
        error
            .to_string()
            .contains("is for trunkline://edge/eu-west/edge-1"),
        "{error}"
    );
}

#[test]
fn an_edge_needs_its_region() {
    assert!(Holder::edge("edge-eu-west").is_err());
    assert!(Holder::edge("EU/edge").is_err());
}

/// What a client of an edge trusts and sees.
fn for_clients(ip: [u8; 4]) -> [Holder; 1] {
    [Holder::for_clients("edge-1", ip.into())]
}

#[test]
fn a_certificate_for_clients_follows_the_address_and_is_none_for_links() {
    let dir = tempfile::tempdir().expect("a directory");
    let links = [Holder::edge("eu-west/edge-1").expect("a name")];
    ensure(dir.path(), &links).expect("certificates");
    let here = for_clients([127, 0, 0, 1]);
    let made = ensure(dir.path(), &here).expect("certificates");
    assert_eq!(names(&made), ["client-edge-1.key", "client-edge-1.pem"]);
    assert!(ensure(dir.path(), &here).expect("certificates").is_empty());
    let elsewhere = for_clients([127, 0, 7, 1]);
    assert_eq!(
        ensure(dir.path(), &elsewhere).expect("certificates").len(),
        2
    );
    let impostor = Holder::edge("eu-west/client-edge-1").expect("a name");
    let error = ensure(dir.path(), &[impostor]).expect_err("it is for clients");
    assert!(error.to_string().contains("is for clients"), "{error}");
}
