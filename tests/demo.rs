//! The demo page in a browser, against a mesh of real processes.
//!
//! A scenario is one script in `tests/demo`, which plays the people and checks what the pages show; none may complain on
//! the browser's console or ask anything of anybody but its edge.

mod harness;

use harness::Mesh;
use harness::tools::browser::browse;
use serde_json::Value;

fn page(mesh: &Mesh, edge: &str) -> String {
    format!("http://{}/", mesh.address(edge, "listen"))
}

/// Runs a script with the pages of two edges; returns what it says at its end.
fn two_people(script: &str, mesh: &Mesh) -> Option<Value> {
    let [near, far] = ["edge-eu-west", "edge-ap-south"].map(|edge| page(mesh, edge));
    Some(browse(script, &[&near, &far])?.expect("done"))
}

/// Runs a script with the page of an edge of a new mesh and what else it wants; returns what it says at its end.
fn one_person(script: &str, arguments: &[&str]) -> Option<Value> {
    let mesh = Mesh::start();
    let url = page(&mesh, "edge-us-east");
    let arguments = [&[url.as_str()], arguments].concat();
    Some(browse(script, &arguments)?.expect("done"))
}

#[test]
fn people_in_two_regions_see_each_other_write_and_what_they_say_is_text() {
    two_people("talk.mjs", &Mesh::start());
}

#[test]
fn who_comes_back_is_told_what_was_replayed_and_what_was_not() {
    two_people("away.mjs", &Mesh::start());
}

#[test]
fn a_message_whose_answer_was_lost_is_sent_again_and_stored_and_shown_once() {
    two_people("lost.mjs", &Mesh::start());
}

#[test]
fn a_region_is_as_far_as_emulated_and_its_people_wait_while_it_is_cut_off() {
    two_people("cut.mjs", &Mesh::start_with(&["--wan", "default"]));
}

#[test]
fn history_comes_page_by_page_while_reading_back() {
    if let Some(done) = one_person("past.mjs", &["120", "0"]) {
        assert_eq!(done["pages"], 3);
    }
}

#[test]
fn history_goes_on_behind_a_page_that_its_bytes_cut_short() {
    if let Some(done) = one_person("past.mjs", &["60", "24000"]) {
        let first = done["first"].as_u64().expect("a number");
        assert!(first < 50, "{first} messages are no page cut short");
    }
}

#[test]
fn what_a_page_has_let_go_of_comes_back_while_reading_back() {
    one_person("many.mjs", &["310"]);
}
