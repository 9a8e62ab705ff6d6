//! Configuration as text: sections of one `trunkline.toml`, with the environment laid over it.
//!
//! Shells read the file and the environment; here is what they mean, and every mistake in them at once.

mod keys;
mod overlay;
mod words;

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use keys::Keys;
use overlay::Overlay;

/// Prefix of the environment's variables: `TRUNKLINE_EDGE__LISTEN` sets `listen` in `[edge]`.
pub const ENV_PREFIX: &str = "TRUNKLINE_";

/// Sections that some binary of the project reads; any other is a mistake.
pub const SECTIONS: [&str; 9] = [
    "edge",
    "backbone",
    "store",
    "link",
    "client",
    "api",
    "admin",
    "log",
    "namespace",
];

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigErrors(pub Vec<String>);

/// A parsed configuration that collects the mistakes found in it.
#[derive(Clone, Debug, Default)]
pub struct Source {
    table: Table,
    /// Where the table was read from; `None` where there was no file.
    file: Option<String>,
    /// What environment and flags have laid over it.
    overlays: Vec<Overlay>,
    errors: Vec<String>,
    unread: Vec<String>,
}

impl Source {
    /// Parses a file's text and lays the environment's variables over it; those without the prefix are left alone.
    ///
    /// # Errors
    /// When the text isn't TOML: the first error, with its line and key.
    pub fn parse(
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let table = text
            .parse::<Table>()
            .map_err(|error| ConfigErrors(vec![words::not_toml(text, &error)]))?;
        let mut source = Self {
            table,
            ..Self::default()
        };
        for (name, value) in environment {
            // Without a section it is a flag's variable, such as TRUNKLINE_CONFIG, or a test's.
            if let Some((section, key)) = name
                .strip_prefix(ENV_PREFIX)
                .and_then(|rest| rest.split_once("__"))
            {
                source.lay(&name, &section.to_lowercase(), &key.to_lowercase(), &value);
            }
        }
        Ok(source)
    }

    /// Names the file that the text was read from, for the mistakes in it.
    #[must_use]
    pub fn of_file(mut self, name: impl Into<String>) -> Self {
        self.file = Some(name.into());
        self
    }

    /// Sets a key of a section; later settings win, so flags come last. `__` in the key reaches into sub-sections.
    pub fn set(&mut self, section: &str, key: &str, value: &str) {
        self.lay("--set", section, key, value);
    }

    fn lay(&mut self, origin: &str, section: &str, key: &str, value: &str) {
        self.overlays
            .push(Overlay::new(origin, &format!("{section}__{key}"), value));
        let mut table = &mut self.table;
        let mut parts = std::iter::once(section).chain(key.split("__")).peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                table.insert(part.to_owned(), parse_value(value));
                return;
            }
            let entry = table
                .entry(part.to_owned())
                .or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = entry else {
                self.errors
                    .push(format!("{section}.{key}: {part} is not a section"));
                return;
            };
            table = inner;
        }
    }

    /// Reads a section; a mistake in it is collected and gives the default.
    pub fn section<T: DeserializeOwned + Serialize + Default>(&mut self, name: &str) -> T {
        let keys = Keys::of::<T>();
        let mut value = self
            .table
            .get(name)
            .cloned()
            .unwrap_or_else(|| Value::Table(Table::new()));
        // The newest first: what it has made a text is left alone by older ones of the same key.
        let newest_first = self.overlays.iter().rev();
        newest_first.for_each(|overlay| overlay.keep_text(name, &keys, &mut value));
        overlay::keep_optional_texts::<T>(&self.overlays, name, &keys, &mut value);
        self.read(name, value, &keys).unwrap_or_default()
    }

    /// Reads an array of sections, such as `[[namespace]]`; mistakes in it are collected.
    pub fn sections<T: DeserializeOwned + Serialize + Default>(&mut self, name: &str) -> Vec<T> {
        let keys = Keys::of::<T>();
        let values = match self.table.get(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => values.clone(),
            Some(_) => {
                self.errors
                    .push(format!("{name}: must be written [[{name}]]"));
                Vec::new()
            }
        };
        let numbered = values.into_iter().enumerate();
        numbered
            .filter_map(|(index, value)| self.read(&format!("{name}[{index}]"), value, &keys))
            .collect()
    }

    /// Refuses those of an array of sections that lack a key; `why` says what to write.
    pub fn require(&mut self, sections: &str, key: &str, why: &str) {
        let sections_of = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let values = self
            .table
            .get(sections)
            .map(sections_of)
            .unwrap_or_default();
        let numbered = values.iter().enumerate();
        let lacking = numbered.filter(|(_, value)| value.get(key).is_none());
        for (index, _) in lacking {
            self.errors
                .push(format!("{sections}[{index}].{key}: needed; {why}"));
        }
    }

    /// Whether the file, the environment or a flag sets anything in a section.
    pub fn has(&self, section: &str) -> bool {
        self.table.contains_key(section)
    }

    /// Reads a section. The types of some refuse an unknown key at once: it is told and left out, so that the next is found.
    fn read<T: DeserializeOwned>(
        &mut self,
        name: &str,
        mut value: Value,
        keys: &Keys,
    ) -> Option<T> {
        loop {
            match self.try_read(name, value.clone(), keys) {
                Ok(read) => return Some(read),
                Err(Misread { error, unknown }) => {
                    self.errors.push(error);
                    let inner = value.as_table_mut().zip(unknown);
                    if inner.and_then(|(table, key)| table.remove(&key)).is_none() {
                        self.unread.push(name.to_owned());
                        return None;
                    }
                }
            }
        }
    }

    fn try_read<T: DeserializeOwned>(
        &mut self,
        name: &str,
        value: Value,
        keys: &Keys,
    ) -> Result<T, Misread> {
        let mut unknown = Vec::new();
        let mut ignored = |path: serde_ignored::Path<'_>| {
            let path = path.to_string();
            unknown.push(format!("{name}.{path}: {}", keys.unknown(&path)));
        };
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
        let result = T::deserialize(serde_ignored::Deserializer::new(tracked, &mut ignored));
        let misread = match result {
            Ok(value) => {
                self.errors.append(&mut unknown);
                return Ok(value);
            }
            Err(error) => error.to_string(),
        };
        let line = misread.lines().next().unwrap_or_default();
        let refused = words::unknown_field(line).map(str::to_owned);
        if refused.is_none() {
            self.errors.append(&mut unknown);
        }
        Err(Misread {
            error: format!("{name}.{}: {}", track.path(), words::plain(line)),
            unknown: refused,
        })
    }

    /// Adds a mistake that only a check of values finds: `section.key…`. In a section that couldn't be read, whose values
    /// are the defaults, it is none.
    pub fn mistake(&mut self, error: impl Into<String>) {
        let error = error.into();
        let of = |name: &String| {
            error
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
        };
        if !self.unread.iter().any(of) {
            self.errors.push(error);
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// With every mistake found, each behind the variable, flag or file that it stands in.
    pub fn finish(self) -> Result<(), ConfigErrors> {
        let unknown = self.table.keys().filter(|name| !is_section(name));
        let unknown = unknown.map(|name| format!("{name}: {}", keys::unknown_section(name)));
        let errors: Vec<String> = unknown
            .chain(self.errors.iter().cloned())
            .map(|error| self.placed(error))
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(ConfigErrors(errors))
        }
    }

    fn placed(&self, error: String) -> String {
        let mut overlays = self.overlays.iter().rev();
        match (overlays.find(|overlay| overlay.made(&error)), &self.file) {
            (Some(overlay), _) => format!("{}: {error}", overlay.origin()),
            (None, Some(file)) => format!("{file}: {error}"),
            (None, None) => error,
        }
    }
}

/// Why a section can't be read.
struct Misread {
    error: String,
    /// The key that its type doesn't know, where it is that.
    unknown: Option<String>,
}

fn is_section(name: &str) -> bool {
    SECTIONS.contains(&name)
}

/// Reads a variable as TOML where it is such (a number, a bool, a list), else as the text that it is.
fn parse_value(text: &str) -> Value {
    let line = format!("value = {text}");
    let parsed = line
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
    #[serde(default)]
    struct Edge {
        listen: String,
        workers: u16,
        backbones: Vec<String>,
        name: Option<String>,
        limit: Option<u16>,
    }

    fn parse(text: &str, environment: &[(&str, &str)]) -> Source {
        let owned = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Source::parse(text, owned).expect("valid TOML")
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let environment = [
            ("TRUNKLINE_EDGE__LISTEN", "127.0.0.1:1"),
            ("TRUNKLINE_EDGE__BACKBONES", "[\"a:1\", \"b:2\"]"),
            ("HOME", "/"),
            ("TRUNKLINE_SEED", "7"),
        ];
        let mut source = parse(
            "[edge]\nlisten = \"127.0.0.1:9\"\nworkers = 2",
            &environment,
        );
        let edge: Edge = source.section("edge");
        let expected = Edge {
            listen: "127.0.0.1:1".into(),
            workers: 2,
            backbones: vec!["a:1".into(), "b:2".into()],
            ..Edge::default()
        };
        assert_eq!((edge, source.finish()), (expected, Ok(())));
    }

    #[test]
    fn all_mistakes_are_reported_together() {
        let mut source = parse(
            "[edge]\nlisen = 1\nworkers = \"x\"\n[edgy]\n[[namespace]]\nworkers = 1",
            &[],
        );
        let _: Edge = source.section("edge");
        let _: Vec<Edge> = source.sections("namespace");
        source.mistake("log.filter: must not be empty");
        let ConfigErrors(errors) = source.finish().expect_err("mistakes");
        assert_eq!(errors[0], "edgy: unknown section; did you mean edge?");
        assert_eq!(errors[1], "edge.lisen: unknown key; did you mean listen?");
        assert_eq!(
            errors[2],
            "edge.workers: must be a whole number from 0 to 65535, not a text"
        );
        assert_eq!(errors[3], "log.filter: must not be empty");
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
    #[serde(default, deny_unknown_fields)]
    struct Strict {
        name: String,
        size: u32,
    }

    #[test]
    fn a_section_that_refuses_unknown_keys_tells_all_of_them_and_is_read_all_the_same() {
        let mut source = parse(
            "[[namespace]]\nnaem = 1\nsiez = 1\nname = \"chat\"\n[[namespace]]\nsize = \"x\"",
            &[],
        );
        let read: Vec<Strict> = source.sections("namespace");
        assert_eq!((read.len(), read[0].name.as_str()), (1, "chat"));
        source.require("namespace", "name", "each has one");
        let ConfigErrors(mut errors) = source.finish().expect_err("mistakes");
        errors.sort();
        assert_eq!(
            errors,
            [
                "namespace[0].naem: unknown key; did you mean name?",
                "namespace[0].siez: unknown key; did you mean size?",
                "namespace[1].name: needed; each has one",
                "namespace[1].size: must be a whole number from 0 to 4294967295, not a text",
            ]
        );
    }

    #[test]
    fn values_of_a_section_that_was_not_read_are_not_judged() {
        let mut source = parse("[edge]\nworkers = \"x\"", &[]);
        let _: Edge = source.section("edge");
        source.mistake("edge.listen must not be empty");
        source.mistake("edges.listen is another section");
        let ConfigErrors(errors) = source.finish().expect_err("mistakes");
        assert_eq!(errors.len(), 2, "{errors:?}");
    }

    #[test]
    fn a_mistake_names_the_variable_flag_or_file_that_it_stands_in() {
        let environment = [
            ("TRUNKLINE_EDGE__WORKERS", "many"),
            ("TRUNKLINE_EGDE__WORKERS", "1"),
        ];
        let mut source = parse("[edge]\nlisten = 1", &environment).of_file("edge-1.toml");
        source.set("edge", "lisen", "a:1");
        let _: Edge = source.section("edge");
        source.mistake("admin.listen: must not be empty");
        let ConfigErrors(errors) = source.finish().expect_err("mistakes");
        assert_eq!(
            errors,
            [
                "TRUNKLINE_EGDE__WORKERS: egde: unknown section; did you mean edge?",
                "--set: edge.lisen: unknown key; did you mean listen?",
                "edge-1.toml: edge.listen: must be a text in quotes, not a number",
                "edge-1.toml: admin.listen: must not be empty",
            ]
        );
    }

    #[test]
    fn a_text_of_digits_from_the_environment_stays_a_text() {
        let environment = [("TRUNKLINE_EDGE__LISTEN", "123456")];
        let mut source = parse("", &environment);
        let edge: Edge = source.section("edge");
        assert_eq!(edge.listen, "123456");
        assert_eq!(source.finish(), Ok(()));
    }

    #[track_caller]
    fn check_later_wins(earlier: &str, later: &str) {
        for key in ["listen", "name"] {
            let variable = format!("TRUNKLINE_EDGE__{}", key.to_uppercase());
            let mut source = parse("", &[(&variable, earlier)]);
            source.set("edge", key, later);
            let edge: Edge = source.section("edge");
            let read = if key == "name" {
                edge.name
            } else {
                Some(edge.listen)
            };
            assert_eq!((read.as_deref(), source.finish()), (Some(later), Ok(())));
        }
    }

    #[test]
    fn the_later_of_two_settings_wins_whatever_they_look_like() {
        check_later_wins("abc", "123456");
        check_later_wins("123456", "abc");
        check_later_wins("123", "456");
        check_later_wins("true", "1.50");
    }

    #[test]
    fn a_value_that_is_of_its_key_neither_as_a_number_nor_as_a_text_is_told_as_it_was_set() {
        let mut source = parse("", &[]);
        source.set("edge", "name", "7");
        source.set("edge", "limit", "true");
        let _: Edge = source.section("edge");
        let error = source.finish().expect_err("a mistake");
        assert_eq!(
            error.to_string(),
            "--set: edge.limit: must be a whole number from 0 to 65535, not true or false"
        );
    }

    #[test]
    fn a_file_that_is_not_toml_stops_with_its_line_and_key() {
        let error = Source::parse("[edge]\nlisten = \n", std::iter::empty()).expect_err("not TOML");
        assert!(error.to_string().starts_with("line 2, listen: "), "{error}");
    }
}
