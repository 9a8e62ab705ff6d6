//! The demo page in a browser, against a mesh of real processes.
//!
//! A scenario is one script in `tests/demo`, which plays the people and checks what the pages show; none may complain on
//! the browser's console or ask anything of anybody but its edge.

mod harness;

use harness::Mesh;
use harness::tools::browser::browse;

fn page(mesh: &Mesh, edge: &str) -> String {
    format!("http://{}/", mesh.address(edge, "listen"))
}

/// Runs a script with the pages of two edges.
fn two_people(script: &str) {
    let mesh = Mesh::start();
    let pages = [page(&mesh, "edge-eu-west"), page(&mesh, "edge-ap-south")];
    if let Some(mut script) = browse(script, &[&pages[0], &pages[1]]) {
        script.expect("done");
    }
}

#[test]
fn people_in_two_regions_see_each_other_write_and_what_they_say_is_text() {
    two_people("talk.mjs");
}

#[test]
fn who_comes_back_is_told_what_was_replayed_and_what_was_not() {
    two_people("away.mjs");
}

#[test]
fn a_message_whose_answer_was_lost_is_sent_again_and_shown_once() {
    two_people("lost.mjs");
}

#[test]
fn history_comes_page_by_page_while_reading_back() {
    let mesh = Mesh::start();
    let url = page(&mesh, "edge-us-east");
    if let Some(mut script) = browse("past.mjs", &[&url, "120"]) {
        assert_eq!(script.expect("done")["pages"], 3);
    }
}
