//! The corpus of the fuzz target `http_api`, replayed.

#[path = "../../fuzz/checks/http_api.rs"]
mod http_api;

use trunkline_edge::fuzzing::ApiUnderTest;

#[test]
fn the_corpus_holds() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/http_api");
    let files = std::fs::read_dir(corpus).expect("a corpus").flatten();
    let inputs: Vec<_> = files.map(|file| std::fs::read(file.path())).collect();
    assert!(!inputs.is_empty());
    let api = ApiUnderTest::new();
    for input in inputs {
        http_api::check(&api, &input.expect("a file"));
    }
}
