//! `trunkline check`.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::tool::{Ended, run};
use crate::harness::papers::{link_section, make_certificates};
use crate::harness::postgres::Postgres;
use crate::harness::process::Process;
use crate::harness::{own_ip, project};

/// A directory with certificates for a node and an edge, and configurations that are good.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
        Self { dir }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.path().join(name);
        std::fs::write(&file, text).expect("the directory can be written");
        file
    }

    /// An edge's configuration, with further lines of its own section.
    fn edge(&self, more: &str) -> String {
        format!(
            "[edge]\nlisten = \"127.0.0.1:0\"\nconnection_limit = 10\nhttp_connection_limit = 10\n{more}\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n[client.token]\nhmac_secret_key = \"secret\"\n{}",
            link_section(self.path(), "edge-1", "socket_buffer = \"64KiB\""),
        )
    }

    fn node(&self) -> String {
        format!(
            "[backbone]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"{}/store\"\n[admin]\nlisten = \"127.0.0.1:0\"\n{}",
            self.path().display(),
            link_section(self.path(), "backbone-1", "socket_buffer = \"64KiB\""),
        )
    }

    fn check(&self, text: &str) -> Findings {
        let file = self.write("check.toml", text);
        Findings::of(&["--config", file.to_str().expect("a path")])
    }
}

/// What was found.
struct Findings {
    ended: Ended,
    found: Vec<Value>,
}

impl Findings {
    fn of(arguments: &[&str]) -> Self {
        let ended = run(&[&["check", "--json"], arguments].concat());
        let found = ended.values();
        Self { ended, found }
    }

    /// The exit code, and one finding: its verdict and a part of what it says.
    #[track_caller]
    fn expect(&self, code: i32, verdict: &str, what: &str, detail: &str) {
        assert_eq!(self.ended.code, Some(code), "{:?}", self.ended);
        let says = |one: &&Value| {
            one["detail"]
                .as_str()
                .is_some_and(|text| text.contains(detail))
        };
        let mut all = self.found.iter().filter(|one| one["what"] == what);
        let one = all.find(says);
        let one = one.unwrap_or_else(|| panic!("{what}: {detail} isn't in {:?}", self.ended));
        assert_eq!(one["verdict"], verdict, "{one}");
    }
}

#[test]
fn an_edge_that_would_start_and_be_believed_is_well() {
    let place = Place::new();
    let findings = place.check(&place.edge(""));
    findings.expect(
        0,
        "ok",
        "link certificate",
        "trunkline://edge/eu-west/edge-1",
    );
    findings.expect(0, "ok", "link certificate chain", "signed by ");
    findings.expect(0, "ok", "link certificate time", "days");
    findings.expect(0, "ok", "edge.backbones", "127.0.0.1:7443");
    findings.expect(0, "ok", "client certificate", "on this machine only");
    assert!(
        findings.found.iter().all(|one| one["verdict"] == "ok"),
        "{:?}",
        findings.ended
    );
}

#[test]
fn a_node_that_would_start_is_well_and_its_store_is_not_made() {
    let place = Place::new();
    let findings = place.check(&place.node());
    findings.expect(
        0,
        "ok",
        "link certificate",
        "trunkline://backbone/backbone-1",
    );
    findings.expect(0, "ok", "link certificate chain", "signed by ");
    findings.expect(0, "ok", "store.path", "will be made");
    assert!(!place.path().join("store").exists());
}

impl Place {
    /// A node whose messages are in a database.
    fn node_on(&self, dsn: &str) -> String {
        let postgres = format!(
            "kind = \"postgres\"\n[store.postgres]\ndsn = \"{dsn}\"\nconnect_timeout = \"500ms\"\n[admin]"
        );
        self.node().replacen("[admin]", &postgres, 1)
    }

    /// Checks it.
    fn check_on(&self, dsn: &str) -> Findings {
        let findings = self.check(&self.node_on(dsn));
        assert!(
            !findings.ended.out.contains("store.path"),
            "it needs no directory: {:?}",
            findings.ended
        );
        findings
    }
}

#[test]
fn a_database_is_asked_what_a_node_would_refuse_and_not_changed() {
    let Some(server) = Postgres::start(own_ip(), &[]) else {
        return;
    };
    let place = Place::new();
    let (database, name) = (server.database(), "store.postgres");
    let dsn = server.dsn(&database);
    place
        .check_on(&dsn)
        .expect(0, "warn", name, "no tables yet, the node will make them");
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'trunkline'";
    assert_eq!(server.sql(&database, schemas).trim(), "0");
    server.sql(
        &database,
        "CREATE SCHEMA trunkline; CREATE TABLE trunkline.store (id int4, format int4); \
         INSERT INTO trunkline.store VALUES (1, 1)",
    );
    place.check_on(&dsn).expect(
        0,
        "warn",
        name,
        "tables have format 1, the node will bring them to",
    );
    server.sql(&database, "UPDATE trunkline.store SET format = 99");
    place
        .check_on(&dsn)
        .expect(1, "fail", name, "message store has format 99");
    let unsafe_database = format!("ALTER DATABASE {database} SET synchronous_commit = off");
    server.sql(&database, &unsafe_database);
    place
        .check_on(&dsn)
        .expect(1, "fail", name, "synchronous_commit = off");
}

#[test]
fn a_database_that_lacks_what_a_node_needs_is_told_of() {
    let Some(server) = Postgres::start(own_ip(), &[]) else {
        return;
    };
    let place = Place::new();
    let (database, name) = (server.database(), "store.postgres");
    let dsn = server.dsn(&database);
    let node = place.node_on(&dsn);
    drop(Process::start(
        place.path(),
        "backbone",
        "backbone-1",
        &node,
    ));
    place
        .check_on(&dsn)
        .expect(0, "warn", name, "tables have format");
    // What is asked first is damaged last.
    let damages = [
        (
            "UPDATE trunkline.view SET record = '\\xdeadbeef'",
            "reading the view: trunkline.view: ",
        ),
        (
            "DELETE FROM trunkline.slot WHERE number = 7",
            "reading its slots: trunkline.slot has 4095 of 4096 rows",
        ),
        (
            "ALTER TABLE trunkline.last_seen RENAME TO gone",
            "preparing its statements: relation \"last_seen\" does not exist",
        ),
    ];
    for (damage, said) in damages {
        server.sql(&database, damage);
        place.check_on(&dsn).expect(1, "fail", name, said);
    }
}

#[test]
fn a_database_that_is_not_there_or_says_nothing_is_told_in_time() {
    let place = Place::new();
    let listener = TcpListener::bind((own_ip(), 0)).expect("a free port");
    let silent = listener.local_addr().expect("an address");
    let dsn = |port| format!("host={} port={port} user=trunkline", silent.ip());
    place
        .check_on(&dsn(silent.port()))
        .expect(1, "fail", "store.postgres", "no answer in");
    drop(listener);
    place
        .check_on(&dsn(silent.port()))
        .expect(1, "fail", "store.postgres", "refused");
}

#[test]
fn a_running_node_is_found_on_its_port_and_in_its_store() {
    let place = Place::new();
    let mut text = place.node();
    let node = Process::start(place.path(), "backbone", "backbone-1", &text);
    let link = format!("listen = \"{}\"", node.address("link"));
    text = text.replacen("listen = \"127.0.0.1:0\"", &link, 1);
    let pid = format!("(pid {})", node.id());
    let findings = place.check(&text);
    findings.expect(0, "warn", "backbone.listen", &pid);
    findings.expect(0, "warn", "store", &pid);
    drop(node);
    let findings = place.check(&text);
    findings.expect(0, "ok", "backbone.listen", "is free");
    findings.expect(0, "ok", "store", "format and journal are good");
}

#[test]
fn everything_that_stands_in_the_way_is_told() {
    let place = Place::new();
    let listener = TcpListener::bind((own_ip(), 0)).expect("a free port");
    let taken = listener.local_addr().expect("an address");
    let good = place.edge("");
    let key = place.path().join("edge-1.key");
    place.write("none.pem", "nothing");
    place.write("store", "a file");
    let pem = |name: &str| format!("{}/{name}", place.path().display());
    let with = |from: &str, to: &str| good.replace(&pem(from), &pem(to));
    let listen = |address: &str| good.replacen("127.0.0.1:0", address, 1);
    for (text, verdict, what, detail) in [
        (
            with("edge-1.key", "backbone-1.key"),
            "fail",
            "link certificate",
            "is not the key of",
        ),
        (
            with("edge-1.pem", "gone.pem"),
            "fail",
            "link certificate",
            "gone.pem",
        ),
        (
            with("edge-1.pem", "none.pem"),
            "fail",
            "link certificate",
            "none.pem",
        ),
        (
            with("edge-1.", "backbone-1."),
            "fail",
            "link certificate",
            "trunkline://backbone/backbone-1 is not an edge's",
        ),
        (
            place.edge("region = \"us-east\""),
            "fail",
            "link certificate",
            "another edge",
        ),
        (
            listen(&taken.to_string()),
            "fail",
            "edge.listen",
            &format!("(pid {})", std::process::id()),
        ),
        (
            listen("192.0.2.1:8000"),
            "fail",
            "edge.listen",
            "no such address",
        ),
        (
            place.edge("backbones = [\"nowhere.invalid:7443\"]"),
            "fail",
            "edge.backbones",
            "nowhere.invalid:7443: ",
        ),
        (place.node(), "fail", "store.path", "is not a directory"),
    ] {
        place.check(&text).expect(1, verdict, what, detail);
    }
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).expect("our file");
    place
        .check(&good)
        .expect(0, "warn", "link key file", "mode 0644, others can read it");
    let many = place.edge("").replace(
        "connection_limit = 10\nhttp",
        "connection_limit = 90000000\nhttp",
    );
    place
        .check(&many)
        .expect(0, "warn", "open files", "LimitNOFILE=90000266");
}

#[test]
fn a_certificate_of_another_authority_is_not_believed() {
    let (place, other) = (Place::new(), Place::new());
    let ca = |place: &Place| format!("{}/ca.pem", place.path().display());
    let text = place.edge("").replace(&ca(&place), &ca(&other));
    place
        .check(&text)
        .expect(1, "fail", "link certificate chain", "against");
}

#[test]
fn the_certificate_for_clients_is_looked_at() {
    let place = Place::new();
    let tls = |certificate: &str, key: &str| {
        let dir = place.path().display();
        place.edge(&format!(
            "tls = {{ certificate_file = \"{dir}/{certificate}\", key_file = \"{dir}/{key}\" }}"
        ))
    };
    let findings = place.check(&tls("backbone-1.pem", "backbone-1.key"));
    findings.expect(0, "ok", "client certificate", "backbone-1.pem");
    findings.expect(
        0,
        "ok",
        "client certificate names",
        "backbone.trunkline.internal",
    );
    let findings = place.check(&tls("backbone-1.pem", "edge-1.key"));
    findings.expect(1, "fail", "client certificate", "edge-1.key");
}

#[test]
fn all_mistakes_of_a_configuration_are_findings_and_exit_code_2() {
    let place = Place::new();
    let text = place.edge("lisen = 1\nworkers = 1000");
    let findings = place.check(&text);
    findings.expect(2, "fail", "configuration", "edge.lisen: unknown key");
    findings.expect(
        2,
        "fail",
        "configuration",
        "edge.workers must be at most 256",
    );
    place
        .check("[edge]\nlisten =\n")
        .expect(2, "fail", "configuration", "check.toml");
    Findings::of(&["--config", "/nonexistent"]).expect(2, "fail", "configuration", "/nonexistent");
}

#[test]
fn whose_configuration_it_is_must_be_clear() {
    let example = project().join("config.example.toml");
    let file = example.to_str().expect("a path");
    run(&["check", "--config", file]).expect(2, "say --role edge or --role backbone");
    let findings = Findings::of(&["--config", file, "--role", "backbone"]);
    findings.expect(1, "fail", "link certificate", "link.ca_file is not set");
}

#[test]
fn a_line_for_people_begins_with_the_verdict() {
    let place = Place::new();
    let file = place.write("edge.toml", &place.edge(""));
    let ended = run(&["check", "--config", file.to_str().expect("a path")]);
    ended.expect_well();
    assert!(
        ended.out.lines().all(|line| line.starts_with("ok    ")),
        "{ended:?}"
    );
}
