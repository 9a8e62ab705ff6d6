//! `docs/guarantees.md` names tests that are there.

use std::fs;
use std::path::Path;

const DOCUMENT: &str = include_str!("../docs/guarantees.md");

/// A file and the tests in it, as a line of the document names them: `- `FILE`: `TEST`, `TEST``.
fn named(line: &str) -> Option<(&str, Vec<&str>)> {
    let (file, tests) = line.strip_prefix("- `")?.split_once("`: ")?;
    let tests = tests.split(", ").map(|test| test.trim_matches('`'));
    Some((file, tests.collect()))
}

/// Whether a file defines a test: as a function, over any store, or by a macro that makes one.
fn has(text: &str, test: &str) -> bool {
    let forms = [
        format!("fn {test}("),
        format!("fn {test}<"),
        format!("    {test}: "),
    ];
    forms.iter().any(|form| text.contains(form))
}

#[test]
fn every_test_that_is_named_is_there() {
    for (file, tests) in DOCUMENT.lines().filter_map(named) {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
        let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
        for test in tests {
            assert!(has(&text, test), "{file} has no test {test}");
        }
    }
}

#[test]
fn every_promise_has_a_test() {
    let promises: Vec<_> = DOCUMENT.split("\n### ").skip(1).collect();
    assert_eq!(promises.len(), 10);
    for (number, promise) in (1..).zip(promises) {
        assert!(promise.starts_with(&format!("{number}. ")), "{promise}");
        assert!(
            promise.lines().any(|line| named(line).is_some()),
            "{promise}"
        );
    }
}

#[test]
fn a_test_that_is_gone_is_missed() {
    let line = "- `a.rs`: `one`, `two`";
    assert_eq!(named(line), Some(("a.rs", vec!["one", "two"])));
    assert!(has("fn one() {", "one") && has("    one: Plant", "one"));
    assert!(!has("fn one_more() {}\n// one", "one"));
}
