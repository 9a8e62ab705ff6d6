//! On PostgreSQL the server syncs: what it is set to is read in the very transactions that append, and a server that is
//! set to lose what it acknowledges gets nothing to acknowledge.

use serde_json::{Value, json};

use crate::harness::papers::make_certificates;
use crate::harness::postgres::Postgres;
use crate::harness::process::Process;
use crate::harness::{api, own_ip, wait_until};
use crate::{edge_config, node_config};

/// Notes the settings of each session that moves a head, in its own transaction.
const WATCH: &str = "CREATE TABLE public.seen (pid int4, fsync text, commits text, standbys text); \
    CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    INSERT INTO public.seen VALUES (pg_backend_pid(), current_setting('fsync'), \
    current_setting('synchronous_commit'), current_setting('synchronous_standby_names')); \
    RETURN NULL; END $$; \
    CREATE TRIGGER see AFTER INSERT ON trunkline.head \
    FOR EACH STATEMENT EXECUTE FUNCTION public.see()";

const SEEN: &str = "SELECT DISTINCT fsync, commits, standbys FROM public.seen";

/// Sessions that appended and aren't the node's.
const STRANGERS: &str = "SELECT count(*) FROM public.seen WHERE pid NOT IN \
    (SELECT pid FROM pg_stat_activity WHERE application_name = 'trunkline')";

const END_SESSIONS: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
    WHERE application_name = 'trunkline'";

/// A node and an edge on a database that notes what appends are made with.
struct Watched {
    primary: Postgres,
    database: String,
    node: Process,
    edge: Process,
    dir: tempfile::TempDir,
}

impl Watched {
    fn start(primary: Postgres) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        make_certificates(dir.path(), &["backbone-1"], &["eu-west/edge-1"]);
        let database = primary.database();
        let store = format!(
            "kind = \"postgres\"\npostgres.dsn = \"{}\"",
            primary.dsn(&database)
        );
        let config = node_config(dir.path(), &store);
        let node = Process::start(dir.path(), "backbone", "backbone-1", &config);
        let config = edge_config(dir.path(), &node.address("link"));
        let edge = Process::start(dir.path(), "edge", "edge-1", &config);
        primary.sql(&database, WATCH);
        Self {
            primary,
            database,
            node,
            edge,
            dir,
        }
    }

    fn publish(&self) -> Value {
        let body = json!({ "channel": "chat:1", "data": {} });
        api(&self.edge.address("listen"), "publish", &body)
    }

    fn sql(&self, statement: &str) -> String {
        self.primary.sql(&self.database, statement)
    }

    fn node_says(&self, what: &str) {
        let log = self.dir.path().join("backbone-1.log");
        wait_until(what, || {
            let said = std::fs::read_to_string(&log).ok()?;
            said.contains(what).then_some(())
        });
    }
}

#[test]
fn what_appends_on_postgresql_waits_for_its_disk_and_for_the_standby() {
    let Some(primary) = Postgres::start(own_ip(), &[]) else {
        return;
    };
    let _standby = primary.standby(own_ip());
    primary.synchronize();
    let mesh = Watched::start(primary);
    for offset in 1..=20 {
        assert_eq!(mesh.publish()["result"]["offset"], offset);
    }
    assert_eq!(mesh.sql("SELECT count(*) FROM public.seen"), "20");
    assert_eq!(mesh.sql(SEEN), "on|on|standby");
    assert_eq!(mesh.sql(STRANGERS), "0");
    drop((mesh.node, mesh.edge));
}

#[test]
fn a_server_that_is_set_to_acknowledge_before_it_syncs_gets_nothing_until_it_is_set_back() {
    let Some(server) = Postgres::start(own_ip(), &[]) else {
        return;
    };
    let mesh = Watched::start(server);
    assert_eq!(mesh.publish()["result"]["offset"], 1);
    let database = &mesh.database;
    mesh.sql(&format!(
        "ALTER DATABASE {database} SET synchronous_commit = off"
    ));
    mesh.sql(END_SESSIONS);
    mesh.node_says("synchronous_commit = off in PostgreSQL");
    for _ in 0..20 {
        let answer = mesh.publish();
        assert_eq!(answer["error"]["code"], 100, "{answer}");
    }
    mesh.sql(&format!(
        "ALTER DATABASE {database} RESET synchronous_commit"
    ));
    wait_until("a durable publish", || {
        mesh.publish()["result"]["offset"].is_u64().then_some(())
    });
    assert_eq!(mesh.sql(SEEN), "on|on|");
}
