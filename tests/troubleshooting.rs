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
    let (written, name_taken) = thread::scope(|scope| {
        let running = cases.map(|provoke| scope.spawn(provoke));
        let name_taken = starts::take_a_name();
        let written = running
            .into_iter()
            .map(|case| case.join().expect("the case is provoked"));
        (written.collect::<String>(), name_taken)
    });
    let mut quotes = document::quotes();
    if name_taken.is_none() {
        quotes.retain(|quote| !quote.starts_with(starts::NAME_TAKEN));
    }
    let written = document::without_numbers(&(written + &name_taken.unwrap_or_default()));
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
