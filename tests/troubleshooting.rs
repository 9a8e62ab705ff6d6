//! `docs/troubleshooting.md` quotes messages as the binary writes them: each quote is provoked, so that none grows old.

#[path = "troubleshooting/clients.rs"]
mod clients;
#[path = "troubleshooting/document.rs"]
mod document;
mod harness;
#[path = "troubleshooting/links.rs"]
mod links;
#[path = "troubleshooting/stage.rs"]
mod stage;
#[path = "troubleshooting/starts.rs"]
mod starts;

use std::thread;

#[test]
fn every_quoted_message_is_what_the_binary_writes() {
    let cases: [fn() -> String; 3] = [starts::provoke, clients::provoke, links::provoke];
    let written: Vec<String> = thread::scope(|scope| {
        let running = cases.map(|provoke| scope.spawn(provoke));
        running
            .into_iter()
            .map(|case| case.join().expect("the case is provoked"))
            .collect()
    });
    let written = document::without_numbers(&written.concat());
    let quotes = document::quotes();
    assert!(
        quotes.len() >= 20,
        "only {} quotes were found",
        quotes.len()
    );
    let missing: Vec<_> = quotes
        .iter()
        .filter(|quote| !written.contains(&document::without_numbers(quote)))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}\n is not in\n{written}");
}
