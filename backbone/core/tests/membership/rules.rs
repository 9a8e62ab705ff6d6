//! The rules of the mesh: who may change them, who follows, and that they outlive who wrote them.

use std::time::Duration;

use bytes::Bytes;
use smol_str::SmolStr;
use trunkline_backbone_core::membership::KeptRules;
use trunkline_shared::rules::{Class, Namespace, Rules};

use crate::mesh::*;

fn namespace(name: &str, class: Class) -> Namespace {
    Namespace {
        name: name.to_owned(),
        class: Some(class),
        history_size: 10,
        history_ttl: Duration::from_secs(60),
        ..Namespace::default()
    }
}

fn rules(namespaces: &[Namespace]) -> Rules {
    Rules::new(0, namespaces.to_vec()).expect("good rules")
}

/// One durable namespace with so many publications kept.
fn chat(history_size: u32) -> Rules {
    rules(&[Namespace {
        history_size,
        ..namespace("chat", Class::Durable)
    }])
}

fn live(class: Class) -> Rules {
    rules(&[Namespace {
        class: Some(class),
        ..namespace("live", class)
    }])
}

/// Checks that these nodes and the row have the rules of a configuration, under the version that the view names.
fn expect_rules(mesh: &mut Mesh, nodes: &[u8], configured: &Rules) -> u64 {
    let row = mesh.rules.clone().expect("rules");
    let row = KeptRules::read(&row).expect("rules that can be read");
    assert!(row.say(configured), "{row:?}");
    let version = mesh.view.as_ref().map(|view| view.rules_version);
    assert_eq!(Some(row.version()), version);
    for node in nodes {
        let held = mesh.node(*node).rules.clone();
        assert_eq!(held.as_deref(), Some(&row), "backbone-{node}");
        let gauges = mesh.node(*node).machine().gauges();
        assert_eq!(gauges.rules_version, row.version());
    }
    row.version()
}

fn refused(mesh: &mut Mesh, node: u8) -> Option<String> {
    let mut said = mesh.node(node).said.iter();
    said.find_map(|(_, said)| match said {
        Said::RulesRefused(lines) => Some(lines.clone()),
        Said::Lease(_) | Said::Ready | Said::Rejoin | Said::NameTaken | Said::Left => None,
    })
}

/// Nodes 1 to `count` with one configuration.
fn mesh_of(count: u8, configured: &Rules) -> Mesh {
    let mut mesh = Mesh::new();
    for node in 1..=count {
        mesh.start_as(node, configured.clone());
        mesh.run(millis(10_000));
    }
    mesh.written.clear();
    mesh
}

#[test]
fn the_first_node_writes_its_configuration_with_its_view() {
    let mut mesh = Mesh::new();
    mesh.start_as(1, chat(10));
    mesh.run(millis(100));
    assert_eq!(mesh.written.len(), 1);
    let version = expect_rules(&mut mesh, &[1], &chat(10));
    assert!(version >= START, "the clock leads it: {version}");
}

#[test]
fn a_node_with_the_same_configuration_follows_the_version_that_is_there() {
    let mut mesh = mesh_of(1, &chat(10));
    let before = expect_rules(&mut mesh, &[1], &chat(10));
    mesh.start_as(2, chat(10));
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2]);
    assert_eq!(expect_rules(&mut mesh, &[1, 2], &chat(10)), before);
}

#[test]
fn another_configuration_is_taken_with_its_nodes_first_view_and_reaches_all() {
    let mut mesh = mesh_of(2, &chat(10));
    let before = expect_rules(&mut mesh, &[1, 2], &chat(10));
    mesh.start_as(3, chat(20));
    mesh.run_until(millis(2000), |mesh| !mesh.written.is_empty());
    let first = &mesh.written[0];
    assert_eq!(first.joining, [name(3)]);
    assert!(first.rules_version > before);
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2, 3]);
    expect_rules(&mut mesh, &[1, 2, 3], &chat(20));
    let versions = mesh.written.iter().map(|view| view.rules_version);
    assert!(versions.is_sorted_by(|one, next| one == next), "once");
}

#[test]
fn of_several_configurations_that_of_the_node_that_started_last_holds() {
    let mut mesh = mesh_of(2, &chat(10));
    for (node, size) in [(1, 20), (2, 30), (1, 10)] {
        mesh.leave(node);
        mesh.run(millis(10_000));
        mesh.start_as(node, chat(size));
        mesh.run(millis(10_000));
        mesh.expect_rest(&[1, 2]);
        expect_rules(&mut mesh, &[1, 2], &chat(size));
    }
}

#[test]
fn nodes_that_start_at_once_end_with_one_configuration() {
    let mut mesh = Mesh::new();
    (1..=4).for_each(|node| mesh.start_as(node, chat(node.into())));
    mesh.run(millis(20_000));
    mesh.expect_rest(&[1, 2, 3, 4]);
    let held = mesh.node(1).rules.clone().expect("rules");
    expect_rules(&mut mesh, &[1, 2, 3, 4], held.rules());
}

#[test]
fn a_fixed_change_of_a_namespace_with_data_is_refused_and_nothing_has_moved() {
    let mut mesh = mesh_of(2, &live(Class::Buffered));
    mesh.with_heads.insert(SmolStr::new("live"));
    let changed = rules(&[Namespace {
        routing_segments: 2,
        ..namespace("live", Class::Durable)
    }]);
    mesh.start_as(3, changed);
    mesh.run(millis(5000));
    let lines = refused(&mut mesh, 3).expect("refused");
    let expected = "namespace \"live\": class can't change from buffered to durable: it has data\n\
        namespace \"live\": routing_segments can't change from 0 to 2: it has data";
    assert_eq!(lines, expected);
    assert_eq!(mesh.written, []);
    assert_eq!(mesh.members.rows().len(), 2, "it took its row away");
    expect_rules(&mut mesh, &[1, 2], &live(Class::Buffered));
    assert_eq!(mesh.node(3).has_said(&Said::Ready), None);
}

#[test]
fn a_node_alone_with_its_store_is_refused_likewise() {
    let mut mesh = Mesh::new();
    mesh.start_alone_as(1, chat(10));
    mesh.run(millis(100));
    mesh.with_heads.insert(SmolStr::new("chat"));
    mesh.written.clear();
    mesh.start_alone_as(1, rules(&[namespace("chat", Class::Buffered)]));
    mesh.run(millis(100));
    let lines = refused(&mut mesh, 1).expect("refused");
    assert!(
        lines.ends_with("from durable to buffered: it has data"),
        "{lines}"
    );
    assert_eq!(mesh.written, []);
    // What is no fixed change is taken.
    mesh.start_alone_as(1, chat(99));
    mesh.run(millis(100));
    mesh.expect_rest(&[1]);
    expect_rules(&mut mesh, &[1], &chat(99));
}

#[test]
fn a_namespace_without_data_may_change_its_class() {
    let mut mesh = mesh_of(2, &live(Class::Buffered));
    mesh.with_heads.insert(SmolStr::new("chat"));
    mesh.start_as(3, live(Class::Durable));
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2, 3]);
    expect_rules(&mut mesh, &[1, 2, 3], &live(Class::Durable));
}

#[test]
fn a_durable_namespace_without_data_changes_its_class_only_where_nobody_else_lives() {
    let mut mesh = mesh_of(2, &live(Class::Durable));
    mesh.start_as(3, live(Class::Buffered));
    mesh.run(millis(5000));
    let lines = refused(&mut mesh, 3).expect("refused");
    assert!(lines.ends_with("while another node lives"), "{lines}");
    expect_rules(&mut mesh, &[1, 2], &live(Class::Durable));
    for node in [1, 2] {
        mesh.leave(node);
    }
    mesh.run(millis(5000));
    mesh.start_as(3, live(Class::Buffered));
    mesh.run(millis(5000));
    mesh.expect_rest(&[3]);
    expect_rules(&mut mesh, &[3], &live(Class::Buffered));
}

#[test]
fn a_question_without_an_answer_is_asked_again() {
    let mut mesh = mesh_of(1, &live(Class::Buffered));
    mesh.with_heads.insert(SmolStr::new("live"));
    mesh.start_as(2, live(Class::Durable));
    mesh.node(2).way = Way::HeadsCut;
    mesh.run(millis(5000));
    assert_eq!(refused(&mut mesh, 2), None);
    assert_eq!(mesh.written, [], "nothing is changed before it is known");
    mesh.node(2).way = Way::Open;
    mesh.run(millis(1000));
    assert!(refused(&mut mesh, 2).is_some());

    let mut alone = Mesh::new();
    alone.start_alone_as(1, live(Class::Buffered));
    alone.run(millis(100));
    alone.start_alone_as(1, live(Class::Durable));
    alone.node(1).way = Way::HeadsCut;
    alone.run(millis(3000));
    alone.node(1).way = Way::Open;
    alone.run(millis(1000));
    expect_rules(&mut alone, &[1], &live(Class::Durable));
}

#[test]
fn an_answer_of_before_the_row_changed_counts_for_nothing() {
    // The node hears of the row's change by its compare-and-set, or reads it before the answer comes.
    for (latency, heads_later) in [(400, 0), (2, 3000)] {
        let mut mesh = mesh_of(2, &live(Class::Buffered));
        mesh.start_as(3, live(Class::Durable));
        mesh.node(3).latency = millis(latency);
        mesh.node(3).heads_later = millis(heads_later);
        mesh.notifies = false;
        // Its question has reached the store, and before the answer comes the view changes and data with it.
        mesh.run_until(millis(20_000), |mesh| mesh.heads_asked == 1);
        mesh.leave(2);
        mesh.run(millis(50));
        mesh.with_heads.insert(SmolStr::new("live"));
        mesh.run(millis(20_000));
        assert!(refused(&mut mesh, 3).is_some());
        assert!(mesh.heads_asked > 1);
        expect_rules(&mut mesh, &[1], &live(Class::Buffered));
    }
}

#[test]
fn a_change_whose_answer_was_lost_is_made_once() {
    let mut mesh = mesh_of(1, &chat(10));
    mesh.start_as(2, chat(20));
    // Its row is put, then answers get lost until its view is written.
    mesh.run_until(millis(2000), |mesh| mesh.members.rows().len() == 2);
    mesh.run(millis(3));
    mesh.node(2).way = Way::AnswersLost;
    mesh.run(millis(1500));
    mesh.node(2).way = Way::Open;
    mesh.run(millis(10_000));
    mesh.expect_rest(&[1, 2]);
    expect_rules(&mut mesh, &[1, 2], &chat(20));
    let mut versions: Vec<_> = mesh.written.iter().map(|view| view.rules_version).collect();
    versions.dedup();
    assert_eq!(versions.len(), 1, "{versions:?}");
}

#[test]
fn a_life_that_joins_again_follows_and_brings_no_configuration() {
    let mut mesh = mesh_of(2, &chat(10));
    mesh.start_as(3, chat(30));
    mesh.run(millis(10_000));
    mesh.freeze(1);
    mesh.run(millis(6000));
    mesh.thaw(1);
    mesh.run(millis(15_000));
    mesh.expect_rest(&[1, 2, 3]);
    assert!(mesh.node(1).has_said(&Said::Rejoin).is_some());
    expect_rules(&mut mesh, &[1, 2, 3], &chat(30));
}

#[test]
fn rules_that_a_server_has_lost_are_written_again() {
    let mut mesh = mesh_of(2, &chat(10));
    let earlier = mesh.rules.clone().expect("rules");
    mesh.start_as(3, chat(20));
    mesh.run(millis(10_000));
    let before = expect_rules(&mut mesh, &[1, 2, 3], &chat(20));
    mesh.set_back_rules(earlier);
    mesh.run(millis(5000));
    assert!(expect_rules(&mut mesh, &[1, 2, 3], &chat(20)) > before);
}

#[test]
fn rules_that_the_view_does_not_name_are_written_under_its_next_version() {
    let mut mesh = mesh_of(2, &chat(10));
    let before = expect_rules(&mut mesh, &[1, 2], &chat(10));
    mesh.name_other_rules();
    mesh.run(millis(2000));
    assert!(expect_rules(&mut mesh, &[1, 2], &chat(10)) > before + 1);
}

#[test]
fn a_row_without_rules_gets_those_that_its_nodes_have() {
    let mut mesh = mesh_of(2, &chat(10));
    let before = expect_rules(&mut mesh, &[1, 2], &chat(10));
    mesh.rules = None;
    mesh.run(millis(2000));
    assert!(expect_rules(&mut mesh, &[1, 2], &chat(10)) > before);
    // Nobody lived under a program that knew of them: the first configuration is taken as it is.
    for node in [1, 2] {
        mesh.leave(node);
    }
    mesh.run(millis(2000));
    mesh.rules = None;
    mesh.with_heads.insert(SmolStr::new("chat"));
    mesh.start_as(1, live(Class::Buffered));
    mesh.run(millis(2000));
    expect_rules(&mut mesh, &[1], &live(Class::Buffered));
}

#[test]
fn rules_that_cannot_be_read_are_left_alone() {
    let mut mesh = mesh_of(1, &chat(10));
    let held = mesh.node(1).rules.clone();
    let later = Bytes::from_static(b"{\"rules\":7}");
    mesh.rules = Some(later.clone());
    mesh.run(millis(2000));
    assert_eq!(mesh.node(1).rules, held, "it keeps what it has");
    let counters = *mesh.node(1).machine().counters();
    assert_eq!(counters.rules_unreadable, 1, "said once");
    mesh.start_as(2, chat(10));
    mesh.run(millis(2000));
    let lines = refused(&mut mesh, 2).expect("refused");
    assert!(lines.contains("a later program"), "{lines}");
    assert_eq!(mesh.rules, Some(later));
}

#[test]
fn who_comes_first_raises_the_version_for_edges_that_know_a_later_one() {
    let mut mesh = mesh_of(1, &chat(10));
    let before = expect_rules(&mut mesh, &[1], &chat(10));
    mesh.leave(1);
    mesh.run(millis(1000));
    mesh.start_as(1, chat(10));
    mesh.run(millis(1000));
    assert!(expect_rules(&mut mesh, &[1], &chat(10)) > before);
}
