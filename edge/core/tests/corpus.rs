//! The corpus of the fuzz target `jwt`, replayed.

#[path = "../../../fuzz/checks/jwt.rs"]
mod jwt;

#[test]
fn the_corpus_holds() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/jwt");
    let files = std::fs::read_dir(corpus).expect("a corpus").flatten();
    let inputs: Vec<_> = files.map(|file| std::fs::read(file.path())).collect();
    assert!(!inputs.is_empty());
    for input in inputs {
        jwt::check(&input.expect("a file"));
    }
}
