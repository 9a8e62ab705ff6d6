//! `trunkline ring plan`.

use super::tool::run;
use crate::harness::own_ip;
use crate::harness::postgres::Postgres;

#[test]
fn a_join_moves_slots_to_who_joins_and_to_nobody_else() {
    let ended = run(&["ring", "plan", "--members", "a,b", "--join", "c"]);
    ended.expect_well();
    let lines: Vec<_> = ended.out.lines().collect();
    let slots = |line: &str| -> Vec<usize> {
        let words = line.split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    };
    let [a, b, c] = [0, 1, 2].map(|line| slots(lines[line]));
    assert_eq!((a[0] + b[0], c[0], a[1] + b[1] + c[1]), (4096, 0, 4096));
    assert!(a[1] <= a[0] && b[1] <= b[0], "{ended:?}");
    assert!(lines[3].starts_with(&format!("{} of 4096 slots move (", c[1])));
    let steps = format!("{} steps of at most 64 slots", c[1].div_ceil(64));
    assert_eq!(lines[4], steps);
    assert_eq!(
        lines[5],
        "no node owns more than 1501 afterwards (1.1 times the mean)"
    );
}

#[test]
fn a_change_that_makes_no_sense_ends_with_2_and_says_why() {
    for (arguments, said) in [
        (&["--join", "b"][..], "b is a member already"),
        (&["--leave", "c"], "c is no member"),
        (&["--join", "B"], "invalid value 'B'"),
        (&[], "required"),
        (
            &["--join", "c", "--admin", "http://127.0.0.1:1"],
            "cannot be used with",
        ),
        (&["--join", "c", "--leave", "a"], "cannot be used with"),
    ] {
        run(&[&["ring", "plan", "--members", "a,b"], arguments].concat()).expect(2, said);
    }
}

#[test]
fn a_mesh_that_can_not_be_asked_is_told() {
    let ask = |arguments: &[&str]| run(&[&["ring", "plan", "--leave", "a"], arguments].concat());
    ask(&[]).expect(2, "required");
    ask(&["--admin", "127.0.0.1:9190"]).expect(2, "--admin 127.0.0.1:9190: not like http://");
    ask(&["--admin", "http://127.0.0.1:1"]).expect(1, "is it the admin address of a node");
    let dir = tempfile::tempdir().expect("a directory");
    let plan_of = |store: &str| {
        let file = dir.path().join("node.toml");
        std::fs::write(&file, store).expect("written");
        ask(&["--config", file.to_str().expect("a path")])
    };
    plan_of("[store]\npath = \"store\"\n").expect(2, "store.kind is \"embedded\"");
    plan_of("[edge]\n").expect(2, "not a node's file");
    let nobody =
        "[store]\nkind = \"postgres\"\npostgres.dsn = \"host=127.0.0.1 port=1 dbname=x\"\n";
    plan_of(nobody).expect(1, "store.postgres: ");
}

#[test]
fn a_database_that_no_node_has_used_has_no_view() {
    let Some(server) = Postgres::start(own_ip(), &[]) else {
        return;
    };
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("node.toml");
    let dsn = server.dsn(&server.database());
    let config = format!("[store]\nkind = \"postgres\"\npostgres.dsn = \"{dsn}\"\n");
    std::fs::write(&file, config).expect("written");
    let file = file.to_str().expect("a path");
    let ended = run(&["ring", "plan", "--leave", "a", "--config", file]);
    ended.expect(1, "no node has used its database yet");
}
