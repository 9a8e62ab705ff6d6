//! Configuration as text: sections of one `trunkline.toml`, with the environment laid over it.
//!
//! Shells read the file and the environment; here is what they mean, and every mistake in them at once.

use serde::de::DeserializeOwned;
use toml::{Table, Value};

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
    errors: Vec<String>,
    unread: Vec<String>,
}

impl Source {
    /// Parses a file's text and lays the environment's variables over it; those without the prefix are left alone.
    ///
    /// # Errors
    /// When the text isn't TOML: the first error, with its line.
    pub fn parse(
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let table = text
            .parse::<Table>()
            .map_err(|error| ConfigErrors(vec![error.to_string()]))?;
        let mut source = Self {
            table,
            errors: Vec::new(),
            unread: Vec::new(),
        };
        for (name, value) in environment {
            // Without a section it is a flag's variable, such as TRUNKLINE_CONFIG, or a test's.
            if let Some((section, key)) = name
                .strip_prefix(ENV_PREFIX)
                .and_then(|rest| rest.split_once("__"))
            {
                source.set(&section.to_lowercase(), &key.to_lowercase(), &value);
            }
        }
        let unknown = source
            .table
            .keys()
            .filter(|name| !SECTIONS.contains(&name.as_str()));
        let unknown: Vec<_> = unknown
            .map(|name| format!("{name}: unknown section"))
            .collect();
        source.errors.extend(unknown);
        Ok(source)
    }

    /// Sets a key of a section; later settings win, so flags come last. `__` in the key reaches into sub-sections.
    pub fn set(&mut self, section: &str, key: &str, value: &str) {
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
    pub fn section<T: DeserializeOwned + Default>(&mut self, name: &str) -> T {
        let value = self
            .table
            .get(name)
            .cloned()
            .unwrap_or_else(|| Value::Table(Table::new()));
        self.read(name, value).unwrap_or_default()
    }

    /// Reads an array of sections, such as `[[namespace]]`; mistakes in it are collected.
    pub fn sections<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
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
            .filter_map(|(index, value)| self.read(&format!("{name}[{index}]"), value))
            .collect()
    }

    fn read<T: DeserializeOwned>(&mut self, name: &str, value: Value) -> Option<T> {
        let mut unknown = Vec::new();
        let mut ignored =
            |path: serde_ignored::Path<'_>| unknown.push(format!("{name}.{path}: unknown key"));
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
        let result = T::deserialize(serde_ignored::Deserializer::new(tracked, &mut ignored));
        self.errors.append(&mut unknown);
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let error = error.to_string();
                let line = error.lines().next().unwrap_or_default();
                self.errors.push(format!("{name}.{}: {line}", track.path()));
                self.unread.push(name.to_owned());
                None
            }
        }
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
    /// With every mistake found.
    pub fn finish(self) -> Result<(), ConfigErrors> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ConfigErrors(self.errors))
        }
    }
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

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default)]
    struct Edge {
        listen: String,
        workers: u16,
        backbones: Vec<String>,
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
        assert_eq!(errors[0], "edgy: unknown section");
        assert_eq!(errors[1], "edge.lisen: unknown key");
        assert!(
            errors[2].starts_with("edge.workers: invalid type"),
            "{errors:?}"
        );
        assert_eq!(errors[3], "log.filter: must not be empty");
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
    fn a_file_that_is_not_toml_stops_with_its_line() {
        let error = Source::parse("[edge]\nlisten = \n", std::iter::empty()).expect_err("not TOML");
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
