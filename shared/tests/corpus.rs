//! The corpus of the fuzz target `link_frames`, replayed.

#[path = "../../fuzz/checks/link_frames.rs"]
mod link_frames;

#[test]
fn the_corpus_holds() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/link_frames");
    let files = std::fs::read_dir(corpus).expect("a corpus").flatten();
    let inputs: Vec<_> = files.map(|file| std::fs::read(file.path())).collect();
    assert!(!inputs.is_empty());
    for input in inputs {
        link_frames::check(&input.expect("a file"));
    }
}
