//! Mistakes in the words of who writes a configuration, not of who reads it with serde.
//!
//! No value is shown where a type is wrong: it may be a secret.

use super::keys;

/// What is said of a text that isn't TOML: where, and what the parser missed there.
pub(super) fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..at).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let message = error.message().replace('\n', ", ");
    match line.split_once('=') {
        Some((key, value)) => {
            let hint = if is_bare(value) {
                "; texts and addresses stand in quotes"
            } else {
                ""
            };
            format!("line {number}, {}: {message}{hint}", key.trim())
        }
        None => format!("line {number}: {message}"),
    }
}

/// Whether a value begins as nothing that TOML has but numbers.
fn is_bare(value: &str) -> bool {
    !value.trim_start().starts_with(['"', '\'', '[', '{'])
}

/// Says what serde says of a value, without Rust's types.
pub(super) fn plain(error: &str) -> String {
    if let Some((found, expected)) = about(error, "invalid type: ") {
        return format!("must be {}, not {}", wanted(expected), kind(found));
    }
    if let Some((found, expected)) = about(error, "invalid value: ") {
        return format!("{found} isn't {}", wanted(expected));
    }
    if let Some(field) = unknown_field(error) {
        let known = error.split('`').skip(3).step_by(2);
        return keys::unknown("key", field, known);
    }
    if error == "invalid socket address syntax" {
        return "must be an IP address with its port, such as \"127.0.0.1:8000\"".to_owned();
    }
    error.to_owned()
}

/// The key that a type without it refuses.
pub(super) fn unknown_field(error: &str) -> Option<&str> {
    quoted(error, "unknown field ")
}

fn about<'a>(error: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    error.strip_prefix(prefix)?.rsplit_once(", expected ")
}

fn quoted<'a>(error: &'a str, prefix: &str) -> Option<&'a str> {
    error.strip_prefix(prefix)?.split('`').nth(1)
}

fn wanted(expected: &str) -> &str {
    match expected {
        "a string" | "path string" => "a text in quotes",
        "socket address" => "an address with its port in quotes, such as \"127.0.0.1:8000\"",
        "a duration" => "a duration in quotes, such as \"25s\"",
        "an integer or string" => "a size such as \"64 KiB\", or a number of bytes",
        "a boolean" => "true or false",
        "a sequence" => "a list in brackets",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0",
        other => other,
    }
}

fn kind(found: &str) -> &str {
    match found.split(' ').next().unwrap_or_default() {
        "integer" | "floating" => "a number",
        "string" => "a text",
        "boolean" => "true or false",
        "sequence" => "a list",
        "map" => "a section",
        _ => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &str, expected: &str) {
        assert_eq!(plain(error), expected);
    }

    #[test]
    fn types_have_their_names_in_toml() {
        check(
            "invalid type: integer `8000`, expected socket address",
            "must be an address with its port in quotes, such as \"127.0.0.1:8000\", not a number",
        );
        check(
            "invalid type: string \"a, expected b\", expected a boolean",
            "must be true or false, not a text",
        );
        check(
            "invalid value: integer `-1`, expected u16",
            "integer `-1` isn't a whole number from 0 to 65535",
        );
        check("unknown variant `yaml`", "unknown variant `yaml`");
    }

    #[test]
    fn no_value_of_a_wrong_type_is_shown() {
        let said = plain("invalid type: integer `123456`, expected a string");
        assert!(!said.contains("123456"), "{said}");
    }

    #[test]
    fn the_keys_of_a_long_list_are_cut_to_the_nearest() {
        check(
            "unknown field `naem`, expected one of `name`, `class`",
            "unknown key; did you mean name?",
        );
        check("unknown field `x`, expected `name`", "unknown key");
    }
}
