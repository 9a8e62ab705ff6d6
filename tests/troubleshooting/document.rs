//! The document's quotes.

const DOCUMENT: &str = include_str!("../../docs/troubleshooting.md");

/// What stands between backticks in the headings of the third level.
pub(crate) fn quotes() -> Vec<&'static str> {
    let headings = DOCUMENT
        .lines()
        .filter_map(|line| line.strip_prefix("### "));
    headings
        .map(|heading| {
            heading
                .strip_prefix('`')
                .and_then(|rest| rest.strip_suffix('`'))
                .unwrap_or_else(|| panic!("a heading quotes one message whole: {heading}"))
        })
        .collect()
}

/// A text with every number written 0: ports and pids differ from run to run.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_ascii_digit() {
            plain.push(character);
        } else if !plain.ends_with('0') {
            plain.push('0');
        }
    }
    plain
}
