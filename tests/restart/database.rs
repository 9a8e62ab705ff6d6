//! A database that a backup was put back into, with the node stopped and under a node that runs.

use std::process::Stdio;

use serde_json::Value;

use crate::backup::{text, tool};
use crate::harness::papers::make_certificates;
use crate::harness::postgres::Postgres;
use crate::harness::process::Process;
use crate::harness::{own_ip, wait_until};
use crate::onlooker::Onlooker;
use crate::{edge, node_on, publish};

/// In this channel the backup lacks messages.
const BUSY: &str = "chat:1";

/// In this one it has them all.
const QUIET: &str = "chat:2";

/// Connections that a node makes to its database.
const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity \
    WHERE datname = current_database() AND application_name = 'trunkline'";

/// A mesh on a database whose backup holds three messages of the busy channel; its clients have seen all.
struct Mesh {
    server: Postgres,
    database: String,
    dir: tempfile::TempDir,
    node: Option<Process>,
    link: String,
    edge: Process,
    busy: Onlooker,
    quiet: Onlooker,
}

impl Mesh {
    /// Starts it, and puts the backup back after `stop` has had the node; `None` where there is no PostgreSQL.
    fn put_back(stop: impl FnOnce(Process) -> Option<Process>) -> Option<Self> {
        let server = Postgres::start(own_ip(), &[])?;
        let database = server.database();
        let dir = tempfile::tempdir().expect("a directory");
        make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
        let node = node_on(
            dir.path(),
            &format!("{}:0", own_ip()),
            &store(&server, &database),
        );
        let link = node.address("link");
        let edge = edge(dir.path(), &link);
        (1..=3).for_each(|number| assert_eq!(publish(&edge, BUSY, number)["offset"], number));
        let quiet = publish(&edge, QUIET, 1);
        let backup = server.back_up(&database);
        publish(&edge, BUSY, 4);
        let busy = Onlooker::of(&edge, BUSY, &publish(&edge, BUSY, 5));
        let quiet = Onlooker::of(&edge, QUIET, &quiet);
        let node = stop(node);
        server.put_back(&database, &backup);
        Some(Self {
            server,
            database,
            dir,
            node,
            link,
            edge,
            busy,
            quiet,
        })
    }

    fn sql(&self, statement: &str) -> String {
        self.server.sql(&self.database, statement)
    }

    fn begin_epochs(&self) {
        let arguments = ["new-epoch", "--config", "backbone-1.toml"];
        let begun = tool(&arguments, self.dir.path(), Stdio::null());
        assert_eq!(text(&begun.stderr), "new epochs in 4096 slots\n");
    }

    /// All clients must be told, though nobody publishes; and publishes go on where the backup ends.
    fn expect_told(mut self) {
        let epoch = self.busy.expect_told();
        self.quiet.expect_told();
        let publish = |channel, number| -> Value {
            wait_until("a publish", || {
                Some(publish(&self.edge, channel, number)).filter(|one| one["offset"].is_u64())
            })
        };
        let next = publish(BUSY, 6);
        assert_eq!((&next["offset"], &next["epoch"]), (&4.into(), &epoch));
        assert_eq!(publish(QUIET, 2)["offset"], 2);
        let led = "SELECT v.birth = s.birth FROM trunkline.view v, trunkline.store s";
        assert_eq!(self.sql(led), "t", "the view is led by the new birth");
        drop(self.node);
    }
}

pub(crate) fn store(server: &Postgres, database: &str) -> String {
    format!(
        "kind = \"postgres\"\npostgres.dsn = \"{}\"",
        server.dsn(database)
    )
}

#[test]
fn new_epochs_tell_clients_what_a_backup_of_a_database_lost() {
    let stop = |node: Process| {
        node.kill();
        None
    };
    let Some(mut mesh) = Mesh::put_back(stop) else {
        return;
    };
    mesh.begin_epochs();
    let store = store(&mesh.server, &mesh.database);
    mesh.node = Some(node_on(mesh.dir.path(), &mesh.link, &store));
    mesh.expect_told();
}

#[test]
fn new_epochs_under_a_node_that_runs_tell_its_clients_too() {
    let Some(mesh) = Mesh::put_back(Some) else {
        return;
    };
    wait_until("the node's connections", || {
        (mesh.sql(SESSIONS) == "10").then_some(())
    });
    mesh.begin_epochs();
    mesh.expect_told();
}

#[test]
fn a_database_is_checked_written_out_and_read_in_by_its_own_tools() {
    let dir = tempfile::tempdir().expect("a directory");
    let config =
        "[backbone]\n[store]\nkind = \"postgres\"\npostgres.dsn = \"host=127.0.0.1 port=1\"\n";
    std::fs::write(dir.path().join("node.toml"), config).expect("written");
    for command in ["check", "export", "import"] {
        let refused = tool(
            &[command, "--config", "node.toml"],
            dir.path(),
            Stdio::null(),
        );
        assert_eq!(refused.status.code(), Some(2));
        let said = text(&refused.stderr);
        assert!(
            said.contains("pg_dump and pg_restore do this there"),
            "{said}"
        );
    }
    let away = tool(
        &["new-epoch", "--config", "node.toml"],
        dir.path(),
        Stdio::null(),
    );
    assert_eq!(away.status.code(), Some(1));
    let said = text(&away.stderr);
    assert!(said.contains("127.0.0.1:1: "), "{said}");
}
