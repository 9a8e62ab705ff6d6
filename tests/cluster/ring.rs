//! What nodes and tools tell of the ring while a node joins and another leaves.

use std::collections::BTreeMap;
use std::thread;

use serde_json::Value;

use crate::Cluster;
use crate::harness::process::Process;
use crate::harness::{trunkline, wait_until};

/// A page of a node's admin listener.
fn page(node: &Process, path: &str) -> Value {
    let url = format!("http://{}{path}", node.address("admin"));
    let mut response = ureq::get(&url).call().expect("the page is served");
    response.body_mut().read_json().expect("the page is JSON")
}

/// What standard output of `trunkline` says, a line each.
fn tool(arguments: &[&str]) -> Vec<String> {
    let output = trunkline().args(arguments).output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(str::to_owned).collect()
}

/// The field of each member, by name.
fn of_members(page: &Value, field: &str) -> BTreeMap<String, Value> {
    let members = page["ring"]["members"].as_array().expect("members");
    let pairs = members.iter().map(|member| {
        let name = member["name"].as_str().expect("a name").to_owned();
        (name, member[field].clone())
    });
    pairs.collect()
}

fn slots(page: &Value) -> BTreeMap<String, u64> {
    let slots = of_members(page, "slots").into_iter();
    slots
        .map(|(name, slots)| (name, slots.as_u64().expect("a number")))
        .collect()
}

/// The owners' names by slot.
fn owners(node: &Process) -> Vec<String> {
    let view = page(node, "/ring/view");
    let table = view["table"].as_array().expect("a table");
    let owner = |entry: &Value| {
        let place = usize::try_from(entry.as_u64().expect("a number")).expect("small");
        view["members"][place]["name"]
            .as_str()
            .expect("a name")
            .to_owned()
    };
    table.iter().map(owner).collect()
}

/// The first numbers of a line.
fn numbers(line: &str) -> Vec<u64> {
    let words = line.split_whitespace();
    words.filter_map(|word| word.parse().ok()).collect()
}

/// All nodes show one ring in which each holds what it is given, and nobody joins or leaves.
fn expect_one_ring(nodes: &[&Process]) -> Value {
    wait_until("one ring", || {
        let pages: Vec<_> = nodes.iter().map(|node| page(node, "/ring")).collect();
        let first = pages[0].clone();
        let is_settled = |page: &Value| {
            let (node, given) = (&page["node"], slots(page));
            let name = node["name"].as_str().expect("a name");
            given.get(name) == node["slots"].as_u64().as_ref()
                && node["slots_claiming"] == 0
                && node["slots_moving"] == 0
        };
        let agree = pages.iter().all(|page| page["ring"] == first["ring"]);
        let rests = of_members(&first, "state")
            .values()
            .all(|state| state == "member");
        let all = agree
            && rests
            && first["ring"]["slots_to_move"] == 0
            && slots(&first).len() == nodes.len()
            && pages.iter().all(is_settled);
        all.then_some(first)
    })
}

#[test]
fn nodes_tell_one_ring_a_join_is_seen_in_it_and_a_leave_moves_what_was_planned() {
    let Some(cluster) = Cluster::prepare() else {
        return;
    };
    let first = cluster.node("backbone-1");
    let second = cluster.node("backbone-2");
    let any_port = cluster.stage.any_port();
    let _edge = cluster
        .stage
        .edge("edge-1", &any_port, &first.address("link"));
    let before = expect_one_ring(&[&first, &second]);
    assert_eq!(slots(&before).values().sum::<u64>(), 4096);
    wait_until("a link", || {
        let link = page(&second, "/ring")["links"][0].clone();
        let is_edge = link["edge"] == "edge-1" && link["region"] == "eu-west";
        (is_edge && link["round_trip_ms"].as_f64() > Some(0.0)).then_some(())
    });

    // Nobody can claim meanwhile: the join stands at its first step.
    let claims = "DO $$ BEGIN PERFORM 1 FROM trunkline.slot FOR UPDATE; END $$";
    let claims = cluster.server.hold(&cluster.database, claims);
    let third = thread::scope(|scope| {
        let third = scope.spawn(|| cluster.node("backbone-3"));
        let joining = wait_until("a join", || {
            let page = page(&first, "/ring");
            let states = of_members(&page, "state");
            (states.get("backbone-3")? == "joining").then_some(page)
        });
        assert_eq!(slots(&joining)["backbone-3"], 64);
        let to_go = joining["ring"]["slots_to_move"].as_u64().expect("a number");
        assert!(to_go > 1000, "{joining}");
        assert_eq!(joining["ring"]["steps_to_go"], to_go.div_ceil(64));
        let shown = tool(&["top", "--once", "--url", &admin(&first)]);
        let told = format!("1 joining, 0 leaving, {to_go} slots to move in");
        assert!(shown.iter().any(|line| line.contains(&told)), "{shown:#?}");
        drop(claims);
        third.join().expect("it becomes ready")
    });
    let joined = expect_one_ring(&[&first, &second, &third]);
    let shown = tool(&[
        "top",
        "--once",
        "--url",
        &admin(&first),
        "--url",
        &admin(&third),
    ]);
    let line = |name: &str| {
        let mut lines = shown.iter().filter(|line| line.starts_with(name));
        lines
            .next()
            .unwrap_or_else(|| panic!("no {name} in {shown:#?}"))
            .clone()
    };
    assert!(line("ring ").ends_with("members 3, nobody joins or leaves"));
    assert!(line("backbone-3  member").ends_with("newest"));
    // Its admin address wasn't given.
    assert!(line("backbone-2  member").ends_with('-'));
    assert!(line("edge-1  eu-west  backbone-1").contains(" ms "));

    let plan = tool(&[
        "ring",
        "plan",
        "--leave",
        "backbone-2",
        "--admin",
        &admin(&first),
    ]);
    let file = cluster.stage.store("plan.toml");
    let store = format!(
        "[store]\nkind = \"postgres\"\npostgres.dsn = \"{}\"\n",
        cluster.server.dsn(&cluster.database)
    );
    std::fs::write(&file, store).expect("the directory can be written");
    let file = file.to_str().expect("a path");
    let by_store = tool(&["ring", "plan", "--leave", "backbone-2", "--config", file]);
    assert_eq!(by_store, plan);
    let owned = owners(&first);
    assert!(second.stop().success(), "a planned leave ends well");
    let left = expect_one_ring(&[&first, &third]);
    let moved = owned.iter().zip(owners(&first));
    let moved = moved.filter(|(before, after)| **before != *after).count();
    assert!(plan.contains(&format!(
        "{moved} of 4096 slots move ({:.1}%)",
        moved as f64 / 40.96
    )));
    for (name, now) in slots(&left) {
        let planned = plan.iter().find(|line| line.starts_with(&name));
        let planned = numbers(planned.expect("a line"));
        assert_eq!(planned, [slots(&joined)[&name], now], "{name}");
    }
}

fn admin(node: &Process) -> String {
    format!("http://{}", node.address("admin"))
}
