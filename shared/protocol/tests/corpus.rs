//! The corpora of the fuzz targets `client_json` and `client_protobuf`, replayed.

#[path = "../../../fuzz/checks/client.rs"]
mod client;

use trunkline_protocol::Encoding;

fn replay(target: &str, encoding: Encoding) {
    let corpus = format!("{}/../../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(corpus).expect("a corpus").flatten();
    let inputs: Vec<_> = files.map(|file| std::fs::read(file.path())).collect();
    assert!(!inputs.is_empty());
    for input in inputs {
        client::check(encoding, &input.expect("a file"));
    }
}

#[test]
fn the_corpus_of_json_holds() {
    replay("client_json", Encoding::Json);
}

#[test]
fn the_corpus_of_protobuf_holds() {
    replay("client_protobuf", Encoding::Protobuf);
}
